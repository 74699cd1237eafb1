import { DragomanError } from '../errors.js';
import { type MetricStatistics, sumStatistics } from './metric.js';
import { NumpyRandom } from './numpy-random.js';

/** sacreBLEU's seed, so that the same corpus gives the same resamples there and here. */
export const RESAMPLING_SEED = 12345;
/** Resamples of the bootstrap (Koehn 2004). */
export const RESAMPLES = 1000;
/** Trials of approximate randomization (Riezler & Maxwell 2005). */
export const TRIALS = 10000;

export interface BootstrapOptions {
  /** Default 1000. */
  readonly resamples?: number;
  /** A whole number from 0; default 12345, sacreBLEU's. */
  readonly seed?: number;
}

export interface RandomizationOptions {
  /** Default 10000. */
  readonly trials?: number;
  /** A whole number from 0; default 12345, sacreBLEU's. */
  readonly seed?: number;
}

/** Where a score lies, by the resamples. */
export interface Confidence {
  /** Mean over the resamples. */
  readonly mean: number;
  /** Bounds of the central 95 % of the resamples. */
  readonly low: number;
  readonly high: number;
  /** Half the distance of the bounds, what stands behind ±. */
  readonly halfWidth: number;
}

/** Two systems on the same sentences. */
export interface PairedComparison {
  /** Scores of the whole corpus. */
  readonly a: number;
  readonly b: number;
  /** b - a. */
  readonly difference: number;
  /**
   * Two-sided: about the probability of a difference this large if both systems were equally good. A value below
   * 0.05 says that they differ, and nothing about how much.
   */
  readonly pValue: number;
}

export interface BootstrapComparison extends PairedComparison {
  /** Of the scores of a and of b. */
  readonly confidenceA: Confidence;
  readonly confidenceB: Confidence;
  /** Of b - a. */
  readonly confidence: Confidence;
  /** Share of the resamples in which b scores higher than a, 0 to 1 (what Koehn 2004 reports). */
  readonly shareHigher: number;
}

/** The score of summed statistics. */
export type ScoreOf = (sum: MetricStatistics) => number;

/**
 * Confidence interval of a corpus score by bootstrap resampling (Efron & Tibshirani 1993, Koehn 2004): the corpus is
 * drawn anew from its own sentences, with replacement, and scored each time.
 *
 * @param statistics Of each sentence.
 * @throws DragomanError `usage` for no sentence, fewer than two resamples, or a seed that is none.
 */
export function bootstrap(
  statistics: readonly MetricStatistics[],
  scoreOf: ScoreOf,
  options: BootstrapOptions = {},
): Confidence {
  return confidenceOf(resampledScores([statistics], scoreOf, options)[0]!);
}

/**
 * Paired bootstrap resampling (Koehn 2004), as sacreBLEU's `--paired-bs`: every resample takes the same sentences of
 * both systems. The p-value is that of the absolute difference d, centred, since the null hypothesis has none:
 *
 *     p = (1 + #{r : d_r - mean(d_1..d_R) > d}) / (1 + R)        1 if d and all d_r are 0
 *
 * @param a Statistics of the baseline's sentences.
 * @param b Statistics of the other system's, in the same order.
 * @throws DragomanError `usage` as {@link bootstrap}, and for systems of unequal length.
 */
export function pairedBootstrap(
  a: readonly MetricStatistics[],
  b: readonly MetricStatistics[],
  scoreOf: ScoreOf,
  options: BootstrapOptions = {},
): BootstrapComparison {
  checkPaired(a, b);
  const [scoresA, scoresB] = resampledScores([a, b], scoreOf, options) as [Float64Array, Float64Array];
  const scores = wholeScores(a, b, scoreOf);
  const differences = scoresB.map((score, i) => score - scoresA[i]!);
  const sizes = differences.map(Math.abs);
  return {
    ...scores,
    pValue: pValue(sizes, mean(sizes), scores.difference),
    confidenceA: confidenceOf(scoresA),
    confidenceB: confidenceOf(scoresB),
    confidence: confidenceOf(differences),
    shareHigher: differences.filter((difference) => difference > 0).length / differences.length,
  };
}

/**
 * Paired approximate randomization (Noreen 1989, Riezler & Maxwell 2005), as sacreBLEU's `--paired-ar`: every trial
 * swaps the two systems' translations of each sentence with probability one half; if both are equally good, the
 * swapped corpora differ as much as the real ones.
 *
 *     p = (1 + #{t : |a_t - b_t| > |a - b|}) / (1 + trials)      1 if all are 0
 *
 * @param a Statistics of the baseline's sentences.
 * @param b Statistics of the other system's, in the same order.
 * @throws DragomanError `usage` for no sentence, no trial, a seed that is none, or systems of unequal length.
 */
export function approximateRandomization(
  a: readonly MetricStatistics[],
  b: readonly MetricStatistics[],
  scoreOf: ScoreOf,
  { trials = TRIALS, seed = RESAMPLING_SEED }: RandomizationOptions = {},
): PairedComparison {
  checkPaired(a, b);
  checkCount('trials', trials, 1);
  checkSeed(seed);
  const scores = wholeScores(a, b, scoreOf);
  const both = sumStatistics([sumStatistics(a), sumStatistics(b)]);
  const rows = { a: flatten(a), b: flatten(b) };
  const width = both.length;
  const random = new NumpyRandom(seed);
  const kept = new Uint8Array(a.length);
  const first = new Array<number>(width);
  const differences = new Float64Array(trials);
  for (let trial = 0; trial < trials; trial++) {
    random.bits(kept);
    first.fill(0);
    for (let sentence = 0; sentence < kept.length; sentence++) {
      addRow(first, kept[sentence] === 1 ? rows.a : rows.b, sentence);
    }
    const second = both.map((total, i) => total - first[i]!);
    differences[trial] = Math.abs(scoreOf(first) - scoreOf(second));
  }
  return { ...scores, pValue: pValue(differences, 0, scores.difference) };
}

function wholeScores(
  a: readonly MetricStatistics[],
  b: readonly MetricStatistics[],
  scoreOf: ScoreOf,
): Omit<PairedComparison, 'pValue'> {
  const [scoreA, scoreB] = [scoreOf(sumStatistics(a)), scoreOf(sumStatistics(b))];
  return { a: scoreA, b: scoreB, difference: scoreB - scoreA };
}

/** Scores of all resamples, by system: every resample draws the same sentences from each. */
function resampledScores(
  systems: readonly (readonly MetricStatistics[])[],
  scoreOf: ScoreOf,
  { resamples = RESAMPLES, seed = RESAMPLING_SEED }: BootstrapOptions,
): Float64Array[] {
  const size = systems[0]!.length;
  if (size === 0) throw new DragomanError('usage', 'resampling: expected at least one sentence, got none');
  checkCount('resamples', resamples, 2);
  checkSeed(seed);
  const random = new NumpyRandom(seed);
  const drawn = new Uint32Array(size);
  const rows = systems.map(flatten);
  const scores = systems.map(() => new Float64Array(resamples));
  for (let resample = 0; resample < resamples; resample++) {
    for (let i = 0; i < size; i++) drawn[i] = random.integer(size);
    for (const [system, table] of rows.entries()) {
      const sum = new Array<number>(table.width).fill(0);
      for (let i = 0; i < size; i++) addRow(sum, table, drawn[i]!);
      scores[system]![resample] = scoreOf(sum);
    }
  }
  return scores;
}

/** Statistics of all sentences in one array, `[sentence, number]`. */
interface Table {
  readonly values: Float64Array;
  readonly width: number;
}

function flatten(statistics: readonly MetricStatistics[]): Table {
  const width = statistics[0]!.length;
  const values = new Float64Array(statistics.length * width);
  for (const [sentence, row] of statistics.entries()) values.set(row, sentence * width);
  return { values, width };
}

function addRow(sum: number[], { values, width }: Table, row: number): void {
  const start = row * width;
  for (let i = 0; i < width; i++) sum[i]! += values[start + i]!;
}

function confidenceOf(scores: Float64Array): Confidence {
  const sorted = scores.toSorted();
  // 1/40 of the resamples lies outside at each end.
  const outside = Math.floor(sorted.length / 40);
  const low = sorted[outside]!;
  const high = sorted[sorted.length - 1 - outside]!;
  return { mean: mean(scores), low, high, halfWidth: 0.5 * (high - low) };
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * Share of the sizes that are, less the center, above the real difference's. Systems that never differ get 1; by the
 * formula alone, and in sacreBLEU, they would get the smallest value there is.
 */
function pValue(sizes: Float64Array, center: number, real: number): number {
  if (sizes.every((size) => size === 0) && real === 0) return 1;
  const larger = sizes.filter((size) => size - center > Math.abs(real)).length;
  return (larger + 1) / (sizes.length + 1);
}

function checkPaired(a: readonly MetricStatistics[], b: readonly MetricStatistics[]): void {
  if (a.length === 0)
    throw new DragomanError('usage', 'paired test: expected at least one sentence, got none');
  if (a.length !== b.length) {
    throw new DragomanError(
      'usage',
      `paired test: expected the same sentences of both systems, got ${a.length} and ${b.length}`,
    );
  }
}

function checkCount(name: string, count: number, least: number): void {
  if (Number.isSafeInteger(count) && count >= least) return;
  throw new DragomanError('usage', `resampling: expected at least ${least} ${name}, got ${count}`);
}

function checkSeed(seed: number): void {
  if (Number.isSafeInteger(seed) && seed >= 0) return;
  throw new DragomanError('usage', `resampling: expected a seed from 0, got ${seed}`);
}
