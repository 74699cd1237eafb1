import { DragomanError } from '../errors.js';
import {
  type BootstrapComparison,
  type BootstrapOptions,
  pairedBootstrap,
  type ScoreOf,
} from '../metrics/bootstrap.js';
import {
  type Metric,
  type MetricScore,
  type MetricStatistics,
  signatureOf,
  sumStatistics,
} from '../metrics/metric.js';
import type { NBestList } from './nbest.js';
import { GreedyOracle } from './oracle.js';

/** What a choice among candidates did to a corpus metric. */
export interface RerankReport<Score extends MetricScore = MetricScore> {
  /** The first candidate of each list as it came, as it is now, and the best choice that was found. */
  readonly before: Score;
  readonly after: Score;
  readonly oracle: Score;
  /** `after` against `before` by paired bootstrap resampling (Koehn 2004). */
  readonly comparison: BootstrapComparison;
  /** The summed statistics of the three choices. */
  readonly statistics: Readonly<Record<'before' | 'after' | 'oracle', MetricStatistics>>;
  readonly signature: string;
}

/** A function that is higher where the metric is better. */
export function objectiveOf({ lowerIsBetter, scoreOf }: Metric): ScoreOf {
  return lowerIsBetter ? (sum) => -scoreOf(sum) : scoreOf;
}

/** Statistics of three choices, a sentence each. */
export interface Choices {
  readonly before: readonly MetricStatistics[];
  readonly after: readonly MetricStatistics[];
  readonly oracle: readonly MetricStatistics[];
  readonly referenceCount: number | 'var';
}

/** The report on three choices. */
export function reportOn<Score extends MetricScore>(
  metric: Metric<Score>,
  { before, after, oracle, referenceCount }: Choices,
  options: BootstrapOptions = {},
): RerankReport<Score> {
  const signature = signatureOf(metric, referenceCount);
  const statistics = {
    before: sumStatistics(before),
    after: sumStatistics(after),
    oracle: sumStatistics(oracle),
  };
  return {
    before: metric.report(statistics.before, signature),
    after: metric.report(statistics.after, signature),
    oracle: metric.report(statistics.oracle, signature),
    statistics,
    signature,
    comparison: pairedBootstrap(before, after, metric.scoreOf, options),
  };
}

/**
 * Watches lists being reordered, one after the other, and measures the first candidates before and after and the
 * oracle's (in one pass, see {@link GreedyOracle}). Keeps the statistics of three candidates a list, and no text. A
 * list without candidates counts as the empty translation.
 */
export class RerankEvaluation<Score extends MetricScore = MetricScore> {
  readonly #before: MetricStatistics[] = [];
  readonly #after: MetricStatistics[] = [];
  readonly #oracle: MetricStatistics[] = [];
  readonly #chooser: GreedyOracle;
  #references: number | 'var' | null = null;
  #changed = 0;

  constructor(readonly metric: Metric<Score>) {
    this.#chooser = new GreedyOracle(objectiveOf(metric));
  }

  get sentences(): number {
    return this.#before.length;
  }

  /** Sentences whose first candidate is another text now. */
  get changed(): number {
    return this.#changed;
  }

  /** The list as it came and as it is now, and the references of its sentence (at least one). */
  add(before: NBestList, after: NBestList, references: readonly string[]): void {
    const compare = this.metric.against(references);
    const texts = [...new Set(before.entries.map(({ text }) => text))];
    if (texts.length === 0) texts.push('');
    const statistics = texts.map(compare);
    const of = (list: NBestList): MetricStatistics => {
      const text = list.entries[0]?.text ?? '';
      return statistics[texts.indexOf(text)] ?? compare(text);
    };
    this.#before.push(of(before));
    this.#after.push(of(after));
    this.#oracle.push(statistics[this.#chooser.choose(statistics)]!);
    if (before.entries[0]?.text !== after.entries[0]?.text) this.#changed++;
    if (this.#references === null) this.#references = references.length;
    else if (this.#references !== references.length) this.#references = 'var';
  }

  /** Throws `input` before the first list. */
  report(options: BootstrapOptions = {}): RerankReport<Score> {
    if (this.#references === null) {
      throw new DragomanError('input', `${this.metric.name}: expected at least one sentence, got none`);
    }
    const choices = { before: this.#before, after: this.#after, oracle: this.#oracle };
    return reportOn(this.metric, { ...choices, referenceCount: this.#references }, options);
  }
}
