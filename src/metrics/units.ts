import { DragomanError, excerpt } from '../errors.js';
import { charactersOf, splitWhitespace } from './python-string.js';

export const METRIC_UNITS = ['word', 'character'] as const;
/** What accuracy and error rate count: words between whitespace, or code points without whitespace. */
export type MetricUnit = (typeof METRIC_UNITS)[number];

const splitters: Readonly<Record<MetricUnit, (line: string) => string[]>> = {
  word: splitWhitespace,
  character: charactersOf,
};

/** @throws DragomanError `usage` for a name that is not in the table. */
export function unitSplitter(unit: MetricUnit): (line: string) => string[] {
  if (!Object.hasOwn(splitters, unit)) {
    throw new DragomanError(
      'usage',
      `unit: expected one of ${METRIC_UNITS.join(', ')}, got ${excerpt(String(unit))}`,
    );
  }
  return splitters[unit];
}
