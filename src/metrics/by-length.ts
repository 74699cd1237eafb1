import { DragomanError } from '../errors.js';
import { splitWhitespace } from './python-string.js';

/** The lines of a corpus whose length lies in a range. */
export interface LengthClass {
  /** Words, both ends included; Infinity for the last class. */
  readonly from: number;
  readonly to: number;
  /** Which lines of the corpus, counted from 0, in order. */
  readonly lines: readonly number[];
  /** Words of a line, their mean; NaN for a class without lines. */
  readonly meanLength: number;
}

/**
 * Sorts the lines of a text by their length in words (between white space), so that a metric can be had of short and
 * of long sentences apart: what Bahdanau et al. 2015, figure 2, and Sutskever et al. 2014, figure 3, show.
 *
 * @param text The side that counts, usually the source.
 * @param bounds The longest length of each class, rising; what is longer than the last one is a class of its own.
 * @returns One class more than there are bounds; together they hold every line once.
 * @throws DragomanError `usage` for bounds that are no positive whole numbers or do not rise.
 */
export function lengthClasses(text: readonly string[], bounds: readonly number[]): LengthClass[] {
  for (const [i, bound] of bounds.entries()) {
    if (!Number.isSafeInteger(bound) || bound < 1 || bound <= (bounds[i - 1] ?? 0)) {
      throw new DragomanError(
        'usage',
        `lengths: expected rising whole numbers from 1 on, got ${bounds.join(' ')}`,
      );
    }
  }
  const lengths = text.map((line) => splitWhitespace(line).length);
  return [...bounds, Number.POSITIVE_INFINITY].map((to, i) => {
    const from = i === 0 ? 0 : bounds[i - 1]! + 1;
    const lines = [...lengths.keys()].filter((line) => lengths[line]! >= from && lengths[line]! <= to);
    const words = lines.reduce((sum, line) => sum + lengths[line]!, 0);
    return { from, to, lines, meanLength: words / lines.length };
  });
}
