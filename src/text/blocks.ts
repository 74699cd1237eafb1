type NumberArray = Uint8Array | Uint16Array | Int32Array | Float64Array;

/** Elements in a block: large enough to be rare, small enough that the last one's waste does not matter. */
const BLOCK = 1 << 16;

/**
 * A growing sequence of numbers in equal blocks, so that growing copies nothing and the memory is that of
 * the numbers: doubling one array would need three times as much while it copies.
 */
export class Blocks<T extends NumberArray> {
  readonly #blocks: T[] = [];
  readonly #make: (length: number) => T;
  length = 0;

  constructor(make: (length: number) => T) {
    this.#make = make;
  }

  push(values: ArrayLike<number>): void {
    for (let i = 0; i < values.length; i++) {
      const at = this.length % BLOCK;
      if (at === 0) this.#blocks.push(this.#make(BLOCK));
      this.#blocks.at(-1)![at] = values[i]!;
      this.length++;
    }
  }

  at(i: number): number {
    return this.#blocks[Math.floor(i / BLOCK)]![i % BLOCK]!;
  }

  /** Fills `target` with the elements from `start` on, and returns it. */
  read<U extends NumberArray>(start: number, target: U): U {
    const end = start + target.length;
    for (let i = start; i < end; ) {
      const at = i % BLOCK;
      const part = this.#blocks[Math.floor(i / BLOCK)]!.subarray(at, Math.min(BLOCK, at + end - i));
      target.set(part, i - start);
      i += part.length;
    }
    return target;
  }

  get bytes(): number {
    return this.#blocks.reduce((sum, block) => sum + block.byteLength, 0);
  }
}
