import { bootstrap, type Confidence } from '../metrics/bootstrap.js';
import { type LengthClass, lengthClasses } from '../metrics/by-length.js';
import { corpusStatistics, signatureOf, sumStatistics } from '../metrics/metric.js';
import type { References } from '../metrics/references.js';
import {
  type EvaluationOptions,
  referencesFor,
  resamplingFields,
  type System,
  tableFigure,
} from './evaluation.js';
import type { Gauge } from './measure.js';
import { type Output, withOutput } from './output.js';
import { resultTable } from './table.js';
import type { Terminal } from './terminal.js';

/** One metric of one system in each class of lengths; null where a class has no line. */
interface Column {
  readonly system: string;
  readonly gauge: Gauge;
  readonly signature: string;
  readonly scores: readonly ({ readonly score: number; readonly confidence?: Confidence } | null)[];
}

/**
 * Prints the scores of short and long sentences apart: a row for each class of lengths, a column for each metric of
 * each system.
 *
 * @param counted The text whose words are counted.
 * @param plot Takes a drawing of the one metric there is.
 */
export async function printScoresByLength(
  terminal: Terminal,
  gauges: readonly Gauge[],
  systems: readonly System[],
  references: References,
  counted: { readonly text: readonly string[]; readonly bounds: readonly number[] },
  options: EvaluationOptions,
  plot?: Output,
): Promise<void> {
  const classes = lengthClasses(counted.text, counted.bounds);
  const columns = gauges.flatMap((gauge) =>
    systems.map((system) => measure(gauge, system, references, classes, options)),
  );
  if (plot !== undefined) {
    const svg = await drawing(classes, columns);
    await withOutput(plot, (output) => output.print(svg));
  }
  if (options.format === 'json') {
    await terminal.print(
      JSON.stringify(
        columns.map((column) => toJson(column, classes)),
        null,
        1,
      ),
    );
    return;
  }
  const { width = 2 } = options;
  const head = columns.map(({ system, gauge }) =>
    systems.length > 1 ? `${gauge.metric.name} ${system}` : gauge.metric.name,
  );
  const rows = classes.map((each, i) => [
    nameOfClass(each),
    `${each.lines.length}`,
    ...columns.map(({ scores }) => {
      const own = scores[i]!;
      return own === null ? '-' : tableFigure(own.score, own.confidence, width);
    }),
  ]);
  await terminal.print(resultTable(terminal, ['Words', 'Lines', ...head], rows));
  const signatures = new Set(columns.map(({ gauge, signature }) => `${gauge.metric.name}|${signature}`));
  for (const signature of signatures) await terminal.print(signature);
}

function measure(
  gauge: Gauge,
  { name, hypotheses }: System,
  references: References,
  classes: readonly LengthClass[],
  options: EvaluationOptions,
): Column {
  const { metric } = gauge;
  const { confidence: wanted, resamples, resamplingSeed: seed, short } = options;
  const sets = referencesFor(gauge, references, options);
  const { statistics, referenceCount } = corpusStatistics(metric, hypotheses, sets);
  const scores = classes.map(({ lines }) => {
    if (lines.length === 0) return null;
    const own = lines.map((line) => statistics[line]!);
    const confidence = wanted ? bootstrap(own, metric.scoreOf, { resamples, seed }) : undefined;
    return { score: metric.scoreOf(sumStatistics(own)), confidence };
  });
  const signature = signatureOf(metric, referenceCount, { resampling: resamplingFields(options), short });
  return { system: name, gauge, signature, scores };
}

function nameOfClass({ from, to }: LengthClass): string {
  if (to === Number.POSITIVE_INFINITY) return `over ${from - 1}`;
  return from === to ? `${to}` : `${from}-${to}`;
}

function toJson({ system, gauge, signature, scores }: Column, classes: readonly LengthClass[]): object {
  return {
    system,
    metric: gauge.metric.name,
    signature,
    classes: classes.map(({ from, to, lines, meanLength }, i) => ({
      from,
      to: to === Number.POSITIVE_INFINITY ? null : to,
      lines: lines.length,
      meanLength: lines.length === 0 ? null : meanLength,
      ...scores[i],
    })),
  };
}

/** Each system's score over the mean length of each class. */
async function drawing(classes: readonly LengthClass[], columns: readonly Column[]): Promise<string> {
  const { linePlot } = await import('../bench/line-plot.js');
  const lines = columns.map(({ system, scores }) => ({
    label: system,
    points: classes.flatMap(({ meanLength }, i): [number, number][] =>
      scores[i] === null ? [] : [[meanLength, scores[i]!.score]],
    ),
  }));
  return linePlot(lines, { x: 'words of a sentence', y: columns[0]!.gauge.metric.name, logarithmic: false });
}
