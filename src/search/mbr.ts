import type { Metric, MetricStatistics } from '../metrics/metric.js';
import type { SourcedList } from './nbest.js';
import { rounded } from './nbest-fields.js';
import { listScores, type Weights } from './weights.js';

/** The feature that minimum Bayes risk adds: the expected utility. */
export const MBR_FEATURE = 'mbr';

export interface MbrOptions {
  /** The utility of a translation, if another one were the reference; of single sentences. */
  readonly utility: Metric;
  /**
   * Weighted sum of features that is a candidate's log-probability, up to a constant of the list. Null: candidates
   * are samples and each counts the same, so one that was drawn twice counts twice.
   */
  readonly weights: Weights | null;
  /** Factor of that log-probability: below 1 flatter, above 1 sharper. Without weights no use is made of it. */
  readonly scale: number;
}

/**
 * Minimum Bayes risk (Kumar & Byrne 2004): reorders a list by how well each candidate is expected to score if the
 * truth is one of the list,
 *
 *     U(h) = Σ_r P(r) u(h, r),    P(r) = exp(scale · score(r)) / Σ_r' exp(scale · score(r')),
 *
 * or, for samples, the mean of u(h, r) over all of them (Eikema & Aziz 2020). The candidate itself is one of the r.
 * Adds the feature `mbr`, the expected utility, which is the new total too. Equal ones keep their order.
 */
export function minimumBayesRisk(list: SourcedList, { utility, weights, scale }: MbrOptions): SourcedList {
  const { entries } = list;
  const scores = weights === null ? entries.map(() => 0) : listScores(list, weights);
  const utilities = expectedUtilities(
    entries.map(({ text }) => text),
    softmax(scores.map((score) => scale * score)),
    utility,
  );
  const scored = entries.map((entry, i) => {
    const value = rounded(utilities[i]!);
    return { ...entry, features: new Map(entry.features).set(MBR_FEATURE, [value]), total: value };
  });
  const order = [...scored.keys()].sort((a, b) => utilities[b]! - utilities[a]! || a - b);
  return { ...list, entries: order.map((i) => scored[i]!) };
}

/** Σ_r P(r) u(h, r) of each text h, r running over all texts. Equal texts are compared once. */
export function expectedUtilities(
  texts: readonly string[],
  probabilities: readonly number[],
  { against, among, lowerIsBetter, scoreOf }: Metric,
): number[] {
  const weight = new Map<string, number>();
  for (const [i, text] of texts.entries()) weight.set(text, (weight.get(text) ?? 0) + probabilities[i]!);
  const different = [...weight.keys()];
  const weights = [...weight.values()];
  const expected = new Float64Array(different.length);
  const add = (hypothesis: number, reference: number, statistics: MetricStatistics): void => {
    const score = scoreOf(statistics);
    expected[hypothesis]! += weights[reference]! * (lowerIsBetter ? -score : score);
  };
  if (among === undefined) {
    for (const [r, reference] of different.entries()) {
      const compare = against([reference]);
      for (const [h, text] of different.entries()) add(h, r, compare(text));
    }
  } else {
    const compare = among(different);
    for (let r = 0; r < different.length; r++) {
      for (let h = 0; h <= r; h++) {
        const [there, back] = compare(r, h);
        // In this order every text adds up its references from the first to the last, as above.
        add(r, h, there);
        if (h !== r) add(h, r, back);
      }
    }
  }
  const byText = new Map(different.map((text, i) => [text, expected[i]!]));
  return texts.map((text) => byText.get(text)!);
}

function softmax(values: readonly number[]): number[] {
  const highest = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - highest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
