import type { Random } from '../random.js';

/** What becomes of a sequence. */
export const TRANSDUCTIONS = ['copy', 'reversal'] as const;
export type Transduction = (typeof TRANSDUCTIONS)[number];

/**
 * A random sequence of `shortest` to `longest` symbols, and the same or the reversed one as its target: the task of
 * Joey NMT's tutorial (Kreutzer, Bastings & Riezler 2019).
 */
export function transductionPair(
  kind: Transduction,
  { symbols, shortest, longest }: { symbols: number; shortest: number; longest: number },
  random: Random,
): { source: number[]; target: number[] } {
  const length = shortest + random.integer(longest - shortest + 1);
  const source = Array.from({ length }, () => random.integer(symbols));
  return { source, target: kind === 'copy' ? source : source.toReversed() };
}
