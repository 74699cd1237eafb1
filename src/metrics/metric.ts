import { alignReferences, type References } from './references.js';
import { type SignatureField, signature } from './signature.js';

/**
 * Sufficient statistics of a metric: a few numbers for each sentence whose sums over a corpus are all that the
 * corpus score needs (matches and lengths for BLEU, edits and lengths for TER, …). What they are is each metric's
 * own; their number is the same for every sentence.
 */
export type MetricStatistics = readonly number[];

/** What every score has. */
export interface MetricScore {
  /** `BLEU`, `chrF2++`, `TER`, … */
  readonly metric: string;
  /** The one figure that stands for the others: percent. */
  readonly score: number;
  /** The settings, in sacreBLEU's notation. */
  readonly signature: string;
}

/**
 * A metric with its settings, in two steps: sentences to statistics, summed statistics to a score. Bootstrap
 * resampling, minimum error rate training and minimum Bayes risk all work on the statistics. The functions need no
 * `this`.
 */
export interface Metric<Score extends MetricScore = MetricScore> {
  readonly name: string;
  /** True for error rates. */
  readonly lowerIsBetter: boolean;
  /** The settings as the signature writes them, without the number of references and the version. */
  readonly fields: readonly SignatureField[];
  /**
   * Prepares the references of one sentence (at least one) and returns the function that compares a hypothesis with
   * them, so that many hypotheses of one sentence do the work on its references once.
   */
  readonly against: (references: readonly string[]) => (hypothesis: string) => MetricStatistics;
  /**
   * For comparing lines with each other, each the only reference of all others: returns a function of two of their
   * places that gives the statistics of the first against the second and of the second against the first, the same as
   * {@link against} does. Only where that is faster.
   */
  readonly among?: (
    lines: readonly string[],
  ) => (a: number, b: number) => readonly [MetricStatistics, MetricStatistics];
  /** The score of summed statistics, as {@link MetricScore.score}. */
  readonly scoreOf: (sum: MetricStatistics) => number;
  /** All figures of summed statistics. */
  readonly report: (sum: MetricStatistics, signature: string) => Score;
}

/** A corpus measured sentence by sentence. */
export interface CorpusStatistics {
  /** `[sentence]` */
  readonly statistics: readonly MetricStatistics[];
  /** References of each sentence. */
  readonly referenceCounts: readonly number[];
  /** References of every sentence, or `var` where sentences differ. */
  readonly referenceCount: number | 'var';
}

/**
 * The statistics of every sentence of a corpus.
 *
 * @throws DragomanError `input` for an empty corpus or unequal lengths
 */
export function corpusStatistics(
  metric: Metric,
  hypotheses: readonly string[],
  references: References,
): CorpusStatistics {
  const aligned = alignReferences(metric.name, hypotheses, references);
  const statistics = hypotheses.map((hypothesis, line) => metric.against(aligned.lines[line]!)(hypothesis));
  const referenceCounts = aligned.lines.map((references) => references.length);
  return { statistics, referenceCounts, referenceCount: aligned.count };
}

/** The sums over sentences (at least one). */
export function sumStatistics(statistics: readonly MetricStatistics[]): MetricStatistics {
  const sum = new Array<number>(statistics[0]?.length ?? 0).fill(0);
  for (const sentence of statistics) {
    for (let i = 0; i < sum.length; i++) sum[i]! += sentence[i]!;
  }
  return sum;
}

/** A metric's signature: the number of references, how the figures were resampled if they were, the settings. */
export function signatureOf(
  { fields }: Pick<Metric, 'fields'>,
  referenceCount: number | 'var',
  { resampling = [], short = false }: { resampling?: readonly SignatureField[]; short?: boolean } = {},
): string {
  return signature([['nrefs', '#', referenceCount], ...resampling, ...fields], short);
}

/**
 * The score of a corpus.
 *
 * @throws DragomanError `input` for an empty corpus or unequal lengths
 */
export function corpusScore<Score extends MetricScore>(
  metric: Metric<Score>,
  hypotheses: readonly string[],
  references: References,
): Score {
  const { statistics, referenceCount } = corpusStatistics(metric, hypotheses, references);
  return metric.report(sumStatistics(statistics), signatureOf(metric, referenceCount));
}

/** The score of one sentence. */
export function sentenceScore<Score extends MetricScore>(
  metric: Metric<Score>,
  hypothesis: string,
  references: string | readonly string[],
): Score {
  const sets = typeof references === 'string' ? [[references]] : references.map((reference) => [reference]);
  return corpusScore(metric, [hypothesis], sets);
}
