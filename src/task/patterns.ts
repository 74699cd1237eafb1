import type { Random } from '../random.js';

/** A random pattern of +1 and -1. */
export function randomPattern(units: number, random: Random): Int8Array {
  return Int8Array.from({ length: units }, () => (random.integer(2) === 0 ? -1 : 1));
}

/** The pattern with a share of its units, chosen at random, of the other sign. */
export function flipped(pattern: Int8Array, share: number, random: Random): Int8Array {
  const result = Int8Array.from(pattern);
  const order = random.shuffle(Int32Array.from(pattern.keys()));
  for (const unit of order.subarray(0, Math.round(share * pattern.length))) result[unit] = -pattern[unit]!;
  return result;
}

/** Mean of p_i s_i: 1 where two patterns are equal, -1 where they are opposite, about 0 where they have nothing in common. */
export function overlap(a: Int8Array, b: Int8Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0) / a.length;
}
