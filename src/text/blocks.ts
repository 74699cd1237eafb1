import type { Overflow } from './overflow.js';

type NumberArray = Uint8Array | Uint16Array | Int32Array | Float64Array;

/** Elements in a block: large enough to be rare, small enough that the last one's waste does not matter. */
const BLOCK = 1 << 16;

/**
 * A growing sequence of numbers in equal blocks, so that growing copies nothing and the memory is that of
 * the numbers: doubling one array would need three times as much while it copies. Full blocks for which an
 * {@link Overflow} has no memory are in its file.
 */
export class Blocks<T extends NumberArray> {
  /** In memory, or where they begin in the file. */
  readonly #blocks: (T | number)[] = [];
  /** The one that is being filled. */
  #last: T;
  readonly #make: (length: number) => T;
  readonly #overflow: Overflow | null;
  length = 0;

  constructor(make: (length: number) => T, overflow: Overflow | null = null) {
    this.#make = make;
    this.#overflow = overflow;
    this.#last = make(0);
  }

  push(values: ArrayLike<number>): void {
    for (let i = 0; i < values.length; i++) {
      const at = this.length % BLOCK;
      if (at === 0) this.#begin();
      this.#last[at] = values[i]!;
      this.length++;
    }
  }

  at(i: number): number {
    const block = this.#blocks[Math.floor(i / BLOCK)]!;
    return typeof block === 'number' ? this.read(i, this.#make(1))[0]! : block[i % BLOCK]!;
  }

  /** Fills `target` with the elements from `start` on, and returns it. */
  read<U extends NumberArray>(start: number, target: U): U {
    const end = start + target.length;
    for (let i = start; i < end; ) {
      const at = i % BLOCK;
      const block = this.#blocks[Math.floor(i / BLOCK)]!;
      const length = Math.min(BLOCK - at, end - i);
      const part =
        typeof block === 'number' ? this.#fetch(block, at, length) : block.subarray(at, at + length);
      target.set(part, i - start);
      i += length;
    }
    return target;
  }

  /** Memory held, in bytes. */
  get bytes(): number {
    return this.#blocks.reduce<number>(
      (sum, block) => sum + (typeof block === 'number' ? 0 : block.byteLength),
      0,
    );
  }

  /** A new block; the one before is full, and may have to leave the memory. */
  #begin(): void {
    const full = this.#last;
    if (this.length > 0 && this.#overflow?.keeps(full.byteLength) === false) {
      const bytes = new Uint8Array(full.buffer, full.byteOffset, full.byteLength);
      this.#blocks[this.#blocks.length - 1] = this.#overflow.write(bytes);
    } else this.#last = this.#make(BLOCK);
    this.#blocks.push(this.#last);
  }

  #fetch(block: number, at: number, length: number): T {
    const part = this.#make(length);
    const bytes = new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
    this.#overflow!.read(block + at * part.BYTES_PER_ELEMENT, bytes);
    return part;
  }
}
