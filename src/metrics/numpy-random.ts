/** Of PCG64's step, in 32-bit words from the lowest. */
const MULTIPLIER = [0x9fccf645, 0x4385df64, 0x1fc65da4, 0x2360ed05] as const;
const TWO_32 = 2 ** 32;

/**
 * The random numbers of `numpy.random.default_rng(seed)`, as far as resampling needs them: sacreBLEU draws its
 * resamples with it, and equal draws make equal intervals and p-values. Two parts: numpy's seed sequence spreads the
 * seed over the state, after O'Neill's `seed_seq_fe`, and PCG64 draws from it (O'Neill 2014: a 128-bit linear
 * congruential generator with XSL-RR output).
 */
export class NumpyRandom {
  /** 128 bits, in 32-bit words from the lowest. */
  readonly #state = new Uint32Array(4);
  readonly #increment = new Uint32Array(4);
  /** The upper half of a 64-bit draw, which the next 32-bit draw takes. */
  #half = 0;
  #hasHalf = false;
  #bits = 0;
  #bitsLeft = 0;

  /** @param seed A whole number from 0, at most 2^53 - 1. */
  constructor(seed: number) {
    const words = seedWords(seed);
    // Of a 128-bit number the upper 64 bits come first; of these, the lower 32.
    const initial = [...words.slice(2, 4), ...words.slice(0, 2)];
    const sequence = [...words.slice(6, 8), ...words.slice(4, 6)];
    // The increment is the sequence's number doubled, plus 1.
    for (let i = 0; i < 4; i++) {
      this.#increment[i] = (sequence[i]! << 1) | (i === 0 ? 1 : sequence[i - 1]! >>> 31);
    }
    this.#step();
    let carry = 0;
    for (let i = 0; i < 4; i++) {
      const sum = this.#state[i]! + initial[i]! + carry;
      this.#state[i] = sum;
      carry = sum >= TWO_32 ? 1 : 0;
    }
    this.#step();
  }

  /** state = state · multiplier + increment, modulo 2^128. */
  #step(): void {
    const state = this.#state;
    const [s0, s1, s2, s3] = [state[0]!, state[1]!, state[2]!, state[3]!];
    const [m0, m1, m2, m3] = MULTIPLIER;
    const increment = this.#increment;
    // Each sum is exact: a few 32-bit numbers in a double of 53 bits.
    const sum0 = low(s0, m0) + increment[0]!;
    const sum1 = high(s0, m0) + low(s0, m1) + low(s1, m0) + increment[1]! + carryOf(sum0);
    const sum2 =
      high(s0, m1) + high(s1, m0) + low(s0, m2) + low(s1, m1) + low(s2, m0) + increment[2]! + carryOf(sum1);
    const sum3 =
      high(s0, m2) + high(s1, m1) + high(s2, m0) + low(s0, m3) + low(s1, m2) + low(s2, m1) + low(s3, m0);
    state[0] = sum0;
    state[1] = sum1;
    state[2] = sum2;
    state[3] = sum3 + increment[3]! + carryOf(sum2);
  }

  /** Uniform 32-bit unsigned integer: the lower half of a 64-bit draw, then its upper half. */
  word(): number {
    if (this.#hasHalf) {
      this.#hasHalf = false;
      return this.#half;
    }
    this.#step();
    const state = this.#state;
    let lower = state[2]! ^ state[0]!;
    let upper = state[3]! ^ state[1]!;
    const rotation = state[3]! >>> 26;
    if (rotation >= 32) [lower, upper] = [upper, lower];
    const shift = rotation & 31;
    if (shift > 0) {
      const opposite = 32 - shift;
      [lower, upper] = [(lower >>> shift) | (upper << opposite), (upper >>> shift) | (lower << opposite)];
    }
    this.#half = upper >>> 0;
    this.#hasHalf = true;
    return lower >>> 0;
  }

  /** Uniform integer in [0, n), n up to 2^32: `choice(n)`, `integers(n)` (Lemire 2019: no value is favoured). */
  integer(n: number): number {
    if (n === 1) return 0;
    for (;;) {
      const word = this.word();
      // The draw is the upper half of the product; a lower half below this bound would make it uneven.
      const rest = low(word, n);
      if (rest < n && rest < (TWO_32 - n) % n) continue;
      return high(word, n);
    }
  }

  /**
   * Fills with random bits: all calls together are one `integers(2, size=…, dtype=bool)`, in which a 32-bit draw
   * gives 32 bits, the lowest first.
   */
  bits(out: Uint8Array): void {
    for (let i = 0; i < out.length; i++) {
      if (this.#bitsLeft === 0) {
        this.#bits = this.word();
        this.#bitsLeft = 32;
      }
      out[i] = this.#bits & 1;
      this.#bits >>>= 1;
      this.#bitsLeft--;
    }
  }
}

/** The lower 32 bits of a product of 32-bit numbers. */
function low(x: number, y: number): number {
  return Math.imul(x, y) >>> 0;
}

/** The upper 32 bits, from products of halves that a double holds. */
function high(x: number, y: number): number {
  const product = (x >>> 16) * y + Math.floor(((x & 0xffff) * y) / 65536);
  return Math.floor(product / 65536);
}

function carryOf(sum: number): number {
  return Math.floor(sum / TWO_32);
}

/** Eight 32-bit words of state from a seed, as `SeedSequence(seed).generate_state(8)` spreads it. */
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
  const pool = [seed >>> 0, Math.floor(seed / TWO_32), 0, 0].map((word) => intoPool(word));
  for (let from = 0; from < pool.length; from++) {
    for (let to = 0; to < pool.length; to++) {
      if (from !== to) pool[to] = mix(pool[to]!, intoPool(pool[from]!));
    }
  }
  const outOfPool = hasher(0x8b51f9dd, 0x58f38ded);
  return [...pool, ...pool].map((word) => outOfPool(word));
}
