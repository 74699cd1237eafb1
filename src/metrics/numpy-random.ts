const MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n;
const MASK_64 = 0xffffffffffffffffn;
const MASK_32 = 0xffffffffn;

/**
 * The random numbers of `numpy.random.default_rng(seed)`, as far as resampling needs them: sacreBLEU draws its
 * resamples with it, so equal draws make equal intervals and p-values. Two parts: numpy's seed sequence spreads the
 * seed over the state (O'Neill's seed_seq design), and PCG64 (O'Neill 2014: 128-bit linear congruential generator,
 * XSL-RR output) draws from it.
 */
export class NumpyRandom {
  #state: bigint;
  readonly #increment: bigint;
  /** The upper half of the last 64-bit draw, which the next 32-bit draw uses. */
  #half: number | null = null;

  /** @param seed A whole number from 0, at most 2^53 - 1. */
  constructor(seed: number) {
    const words = seedWords(seed);
    const wide = (at: number) =>
      (BigInt(words[at + 1]!) << 96n) |
      (BigInt(words[at]!) << 64n) |
      (BigInt(words[at + 3]!) << 32n) |
      BigInt(words[at + 2]!);
    this.#increment = BigInt.asUintN(128, (wide(4) << 1n) | 1n);
    this.#state = BigInt.asUintN(128, this.#increment + wide(0));
    this.#step();
  }

  #step(): void {
    this.#state = BigInt.asUintN(128, this.#state * MULTIPLIER + this.#increment);
  }

  /** Uniform 32-bit unsigned integer: the lower half of a 64-bit draw, then its upper half. */
  word(): number {
    if (this.#half !== null) {
      const half = this.#half;
      this.#half = null;
      return half;
    }
    this.#step();
    const folded = (this.#state >> 64n) ^ (this.#state & MASK_64);
    const rotation = this.#state >> 122n;
    const drawn = BigInt.asUintN(64, (folded >> rotation) | (folded << (64n - rotation)));
    this.#half = Number(drawn >> 32n);
    return Number(drawn & MASK_32);
  }

  /** Uniform integer in [0, n), n up to 2^32: `integers(n)` and `choice(n)` (Lemire 2019: no value is favoured). */
  integer(n: number): number {
    if (n === 1) return 0;
    for (;;) {
      const word = this.word();
      // The draw is the upper half of the 64-bit product word · n, which a double does not hold.
      const low = Math.imul(word, n) >>> 0;
      if (low < n && low < (4294967296 - n) % n) continue;
      return Math.floor(((word >>> 16) * n + Math.floor(((word & 0xffff) * n) / 65536)) / 65536);
    }
  }

  /** `integers(2, size=out.length, dtype=bool)`: each 32-bit draw gives 32 of them, lowest bit first. */
  bits(out: Uint8Array): void {
    let left = 0;
    let word = 0;
    for (let i = 0; i < out.length; i++) {
      if (left === 0) {
        word = this.word();
        left = 32;
      }
      out[i] = word & 1;
      word >>>= 1;
      left--;
    }
  }
}

/** Eight 32-bit words of state from a seed, as `SeedSequence(seed).generate_state(4, uint64)` spreads it. */
function seedWords(seed: number): number[] {
  const hasher = (constant: number, multiplier: number) => (value: number) => {
    const mixed = value ^ constant;
    constant = Math.imul(constant, multiplier);
    const product = Math.imul(mixed, constant);
    return (product ^ (product >>> 16)) >>> 0;
  };
  const intoPool = hasher(0x43b0d7e5, 0x931e8875);
  const mix = (x: number, y: number) => {
    const result = (Math.imul(0xca01f9dd, x) - Math.imul(0x4973f715, y)) | 0;
    return (result ^ (result >>> 16)) >>> 0;
  };
  const pool = [seed >>> 0, Math.floor(seed / 4294967296), 0, 0].map(intoPool);
  for (let from = 0; from < pool.length; from++) {
    for (let to = 0; to < pool.length; to++) {
      if (from !== to) pool[to] = mix(pool[to]!, intoPool(pool[from]!));
    }
  }
  const outOfPool = hasher(0x8b51f9dd, 0x58f38ded);
  return [...pool, ...pool].map(outOfPool);
}
