import type { BootstrapComparison, Confidence, PairedComparison } from '../metrics/bootstrap.js';
import {
  approximateRandomization,
  bootstrap,
  pairedBootstrap,
  RESAMPLES,
  RESAMPLING_SEED,
  TRIALS,
} from '../metrics/bootstrap.js';
import { fixed } from '../metrics/format.js';
import {
  type CorpusStatistics,
  corpusStatistics,
  type MetricStatistics,
  signatureOf,
  sumStatistics,
} from '../metrics/metric.js';
import { type References, withoutEmpty } from '../metrics/references.js';
import type { SignatureField } from '../metrics/signature.js';
import type { Gauge } from './measure.js';
import { resultTable } from './table.js';
import type { Terminal } from './terminal.js';

/** Translations of one system, and what to call it. */
export interface System {
  readonly name: string;
  readonly hypotheses: readonly string[];
}

export interface EvaluationOptions {
  /** Intervals by bootstrap resampling. */
  readonly confidence?: boolean;
  /** Tests each system against the first: bootstrap resampling or approximate randomization. */
  readonly paired?: 'bs' | 'ar';
  readonly resamples?: number;
  readonly resamplingSeed?: number;
  /** An empty line of a reference file is no reference; some metrics always have it so. */
  readonly emptyIsNone?: boolean;
  readonly width?: number;
  readonly short?: boolean;
  readonly scoreOnly?: boolean;
  readonly format: 'text' | 'json';
}

/** One metric of one system. */
interface Cell {
  readonly gauge: Gauge;
  readonly sum: MetricStatistics;
  readonly signature: string;
  readonly confidence?: Confidence;
  /** With the first system. */
  readonly comparison?: Comparison;
}

type Comparison = Pick<PairedComparison, 'difference' | 'pValue'> &
  Partial<Pick<BootstrapComparison, 'confidence' | 'shareHigher'>>;

/** Prints the score of a corpus by every metric: a line each for one system, a table for several. */
export async function printCorpusScores(
  terminal: Terminal,
  gauges: readonly Gauge[],
  systems: readonly System[],
  references: References,
  options: EvaluationOptions,
): Promise<void> {
  const columns = gauges.map((gauge) => measureColumn(gauge, systems, references, options));
  const rows = systems.map((system, i) => ({ system, cells: columns.map((column) => column[i]!) }));
  if (options.format === 'json') {
    const scores = rows.map(({ cells }) => cells.map(toJson));
    const named = rows.map(({ system }, i) => ({ system: system.name, scores: scores[i] }));
    await terminal.print(JSON.stringify(rows.length === 1 ? scores[0] : named, null, 1));
    return;
  }
  const [first] = rows;
  if (rows.length > 1) await printTable(terminal, rows, options);
  else for (const cell of first!.cells) await terminal.print(toLine(cell, options));
}

/** Prints the scores of each sentence of one system, a line a sentence; several metrics are separated by tabs. */
export async function printSentenceScores(
  terminal: Terminal,
  gauges: readonly Gauge[],
  { hypotheses }: System,
  references: References,
  options: EvaluationOptions,
): Promise<void> {
  const measured = gauges.map((gauge) => ({
    gauge,
    ...corpusStatistics(gauge.metric, hypotheses, referencesFor(gauge, references, options)),
  }));
  for (const line of hypotheses.keys()) {
    const cells = measured.map(({ gauge, statistics, referenceCounts }): Cell => {
      const signature = signatureOf(gauge.metric, referenceCounts[line]!, options);
      return { gauge, sum: statistics[line]!, signature };
    });
    await terminal.print(
      options.format === 'json'
        ? JSON.stringify({ line: line + 1, scores: cells.map(toJson) })
        : cells.map((cell) => toLine(cell, options)).join('\t'),
    );
  }
}

/** The references as this metric reads empty lines. */
export function referencesFor(gauge: Gauge, references: References, options: EvaluationOptions): References {
  return gauge.emptyIsNone || options.emptyIsNone ? withoutEmpty(references) : references;
}

/** One metric of all systems. */
function measureColumn(
  gauge: Gauge,
  systems: readonly System[],
  references: References,
  options: EvaluationOptions,
): Cell[] {
  const { metric } = gauge;
  const { paired, resamples, resamplingSeed: seed } = options;
  const sets = referencesFor(gauge, references, options);
  const measured = systems.map(({ hypotheses }) => corpusStatistics(metric, hypotheses, sets));
  const resampling = resamplingFields(options);
  const withIntervals = options.confidence || paired === 'bs';
  return measured.map(({ statistics, referenceCount }: CorpusStatistics, i): Cell => {
    const sum = sumStatistics(statistics);
    const signature = signatureOf(metric, referenceCount, { resampling, short: options.short });
    const baseline = i === 0 ? undefined : measured[0]!.statistics;
    if (baseline !== undefined && paired === 'bs') {
      const test = pairedBootstrap(baseline, statistics, metric.scoreOf, { resamples, seed });
      const { difference, pValue, confidence, shareHigher, confidenceB } = test;
      const comparison = { difference, pValue, confidence, shareHigher };
      return { gauge, sum, signature, confidence: confidenceB, comparison };
    }
    const confidence = withIntervals ? bootstrap(statistics, metric.scoreOf, { resamples, seed }) : undefined;
    if (baseline === undefined || paired === undefined) return { gauge, sum, signature, confidence };
    const { difference, pValue } = approximateRandomization(baseline, statistics, metric.scoreOf, {
      trials: resamples,
      seed,
    });
    return { gauge, sum, signature, confidence, comparison: { difference, pValue } };
  });
}

/** How sacreBLEU's signatures say that figures were resampled. */
export function resamplingFields({
  confidence,
  paired,
  resamples,
  resamplingSeed,
}: EvaluationOptions): SignatureField[] {
  const seed: SignatureField = ['seed', 'rs', resamplingSeed ?? RESAMPLING_SEED];
  if (paired === 'ar') return [['ar', 'ar', resamples ?? TRIALS], seed];
  return confidence || paired === 'bs' ? [['bs', 'bs', resamples ?? RESAMPLES], seed] : [];
}

function toJson({ gauge, sum, signature, confidence, comparison }: Cell): object {
  return { ...gauge.report(sum, signature), confidence, comparison };
}

function toLine({ gauge, sum, signature, confidence }: Cell, options: EvaluationOptions): string {
  const { width, scoreOnly } = options;
  return gauge.line(sum, signature, { width, scoreOnly, confidence });
}

/** A score in a table, with its interval if there is one. */
export function tableFigure(score: number, confidence: Confidence | undefined, width: number): string {
  const figure = fixed(score, width);
  if (confidence === undefined) return figure;
  return `${figure} (${fixed(confidence.mean, width)} ± ${fixed(confidence.halfWidth, width)})`;
}

async function printTable(
  terminal: Terminal,
  rows: readonly { readonly system: System; readonly cells: readonly Cell[] }[],
  { width = 2, paired, resamples }: EvaluationOptions,
): Promise<void> {
  const { cells } = rows[0]!;
  const head = cells.map(({ gauge, confidence }) => gauge.metric.name + (confidence ? ' (μ ± 95% CI)' : ''));
  const text = ({ gauge, sum, confidence, comparison }: Cell): string => {
    const figure = tableFigure(gauge.metric.scoreOf(sum), confidence, width);
    if (comparison === undefined) return figure;
    return `${figure} p = ${fixed(comparison.pValue, 4)}${comparison.pValue < 0.05 ? '*' : ''}`;
  };
  const body = rows.map(({ system, cells }) => [system.name, ...cells.map(text)]);
  await terminal.print(resultTable(terminal, ['System', ...head], body));
  if (paired !== undefined) {
    const test =
      paired === 'bs'
        ? `paired bootstrap resampling, ${resamples ?? RESAMPLES} resamples`
        : `paired approximate randomization, ${resamples ?? TRIALS} trials`;
    await terminal.print(`p: against the first system, ${test}; * below 0.05`);
  }
  for (const { gauge, signature } of cells) await terminal.print(`${gauge.metric.name}|${signature}`);
}
