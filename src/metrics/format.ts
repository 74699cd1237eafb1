import type { Confidence } from './bootstrap.js';
import type { MetricScore } from './metric.js';

export interface FormatOptions {
  /** Decimals of the score; default 2. */
  readonly width?: number;
  /** Instead of the score's own, such as its short form. */
  readonly signature?: string;
  /** Adds the mean and the interval: `(μ = 32.85 ± 0.91)`. */
  readonly confidence?: Confidence;
  /** Only the figure. */
  readonly scoreOnly?: boolean;
}

/** sacreBLEU's one-line form: `name|signature = score`, the interval if there is one, and what a metric adds. */
export function formatScore(score: MetricScore, options: FormatOptions = {}, more = ''): string {
  const { width = 2, signature = score.signature, confidence, scoreOnly = false } = options;
  const figure = fixed(score.score, width);
  const interval =
    confidence === undefined
      ? ''
      : ` (μ = ${fixed(confidence.mean, width)} ± ${fixed(confidence.halfWidth, width)})`;
  if (scoreOnly) return figure + interval;
  return `${score.metric}|${signature} = ${figure}${interval}${more === '' ? '' : ` ${more}`}`;
}

/**
 * A number with so many decimals, as Python prints it: what lies exactly in the middle goes to the even digit
 * (3.125 is 3.12), where JavaScript's `toFixed` goes up. Error rates, which are fractions of small numbers, often do.
 */
export function fixed(value: number, decimals: number): string {
  const rounded = value.toFixed(decimals);
  // Every double that lies in the middle has no more than 60 decimals that are not 0, and toFixed(100) prints exactly.
  const exact = value.toFixed(100);
  const cut = exact.indexOf('.') + 1 + decimals;
  if (!/^50*$/.test(exact.slice(cut))) return rounded;
  const down = decimals === 0 ? exact.slice(0, cut - 1) : exact.slice(0, cut);
  return Number(down.at(-1)) % 2 === 0 ? down : rounded;
}
