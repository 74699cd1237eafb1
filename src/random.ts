/** Internal state of a {@link Random}: four unsigned 32-bit words, kept in checkpoints. */
export type RandomState = readonly [number, number, number, number];

/**
 * Seeded generator: xoshiro128** (Blackman & Vigna 2021), seeded through SplitMix32.
 * Always passed in, never global, so that one seed fixes a whole run.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: number | RandomState) {
    if (typeof seed === 'number') {
      let s = seed | 0;
      const split = (): number => {
        s = (s + 0x9e3779b9) | 0;
        let z = s;
        z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
        z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
        return (z ^ (z >>> 15)) >>> 0;
      };
      [this.#a, this.#b, this.#c, this.#d] = [split(), split(), split(), split()];
    } else {
      [this.#a, this.#b, this.#c, this.#d] = seed;
    }
  }

  /** The state now; `new Random(state)` continues from here. */
  get state(): RandomState {
    return [this.#a >>> 0, this.#b >>> 0, this.#c >>> 0, this.#d >>> 0];
  }

  /** Uniform 32-bit unsigned integer. */
  word(): number {
    const x = Math.imul(this.#b, 5);
    const result = Math.imul((x << 7) | (x >>> 25), 9) >>> 0;
    const t = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  /** Uniform number in [0, 1) with 32 random bits. */
  next(): number {
    return this.word() / 4294967296;
  }

  /** Uniform integer in [0, n). Rejects the uneven rest, so no value is favoured. */
  integer(n: number): number {
    const limit = 4294967296 - (4294967296 % n);
    let word = this.word();
    while (word >= limit) word = this.word();
    return word % n;
  }

  /** Standard normal number (Box & Muller 1958). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()));
    return radius * Math.cos(2 * Math.PI * this.next());
  }

  /** Shuffles in place (Fisher & Yates) and returns the same array. */
  shuffle<T extends { length: number; [index: number]: unknown }>(items: T): T {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const held = items[i];
      items[i] = items[j];
      items[j] = held;
    }
    return items;
  }

  /** An independent generator for a named purpose, so that adding draws in one place moves no other. */
  fork(purpose: number): Random {
    return new Random((this.word() ^ Math.imul(purpose + 1, 0x9e3779b9)) | 0);
  }
}
