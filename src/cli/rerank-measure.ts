import { DragomanError } from '../errors.js';
import { RESAMPLES } from '../metrics/bootstrap.js';
import type { MetricStatistics } from '../metrics/metric.js';
import type { RerankReport } from '../search/rerank-report.js';
import type { Gauge } from './measure.js';
import type { Terminal } from './terminal.js';

/** The references of a sentence (counted from 0) as a metric takes them. Throws `input` where it takes none. */
export function referencesOf(gauge: Gauge, lines: readonly string[], id: number): readonly string[] {
  if (!gauge.emptyIsNone) return lines;
  const present = lines.filter((line) => line !== '');
  if (present.length > 0) return present;
  throw new DragomanError('input', `${gauge.metric.name}: line ${id + 1}: expected a reference, got none`);
}

/** Says what reordering did: a line for each of the three choices, and one for the difference. */
export function sayReport(
  terminal: Terminal,
  gauge: Gauge,
  { statistics, signature, comparison }: RerankReport,
  resamples = RESAMPLES,
): void {
  const line = (sum: MetricStatistics): string => gauge.line(sum, signature, {});
  terminal.say(`before: ${line(statistics.before)}`);
  terminal.say(`after:  ${line(statistics.after)}`);
  terminal.say(`oracle: ${line(statistics.oracle)}`);
  const { difference, confidence, pValue } = comparison;
  const signed = (value: number): string => `${value < 0 ? '' : '+'}${value.toFixed(2)}`;
  terminal.say(
    `after - before: ${signed(difference)} ${gauge.metric.name}, 95 % interval ${signed(confidence.low)} to ` +
      `${signed(confidence.high)}, p = ${pValue.toFixed(4)} (paired bootstrap, ${resamples} resamples)`,
  );
}
