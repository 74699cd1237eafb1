import { DragomanError } from '../errors.js';
import { type FormatOptions, formatScore } from './format.js';
import {
  corpusScore,
  type Metric,
  type MetricScore,
  type MetricStatistics,
  sentenceScore,
} from './metric.js';
import { countNgrams } from './ngrams.js';
import { charactersOf, splitWhitespace } from './python-string.js';
import type { References } from './references.js';
import { SharedNgrams } from './shared-ngrams.js';
import { caseField, yesNo } from './signature.js';

export interface ChrfOptions {
  /** Longest character n-gram; default 6 (Popović 2015). */
  readonly characterOrder?: number;
  /** Longest word n-gram; default 0, plain chrF; 2 is chrF++ (Popović 2017). */
  readonly wordOrder?: number;
  /** Recall weighs beta times as much as precision; default 2 (Popović 2016). */
  readonly beta?: number;
  /** Compare without case; default false. */
  readonly lowercase?: boolean;
  /** Count whitespace inside character n-grams; default false. */
  readonly whitespace?: boolean;
  /**
   * Mean of the orders' F-scores, an order that one side lacks counting next to nothing, as chrF++.py, NLTK and Moses
   * have it, instead of one F-score of the orders both sides have; default false.
   */
  readonly epsilonSmoothing?: boolean;
}

/** The metric's name is `chrF2`, `chrF2++`: the beta, and a plus for each word order. */
export interface ChrfScore extends MetricScore {
  /** Mean over the orders, in percent. */
  readonly precision: number;
  /** Mean over the orders, in percent. */
  readonly recall: number;
}

/**
 * Corpus chrF (Popović 2015), equal to sacreBLEU's under the same signature:
 *
 *     chrF_β = (1 + β²) · P · R / (β² · P + R)
 *
 * P and R are the means, over the orders that occur on both sides, of the corpus' n-gram precision and recall.
 * With several references each hypothesis is compared with the one that gives it the best sentence chrF.
 *
 * @throws DragomanError `input` for an empty corpus or unequal lengths, `usage` for an order or beta below its range
 */
export function chrf(
  hypotheses: readonly string[],
  references: References,
  options: ChrfOptions = {},
): ChrfScore {
  return corpusScore(chrfMetric(options), hypotheses, references);
}

/** chrF of one sentence. */
export function sentenceChrf(
  hypothesis: string,
  references: string | readonly string[],
  options: ChrfOptions = {},
): ChrfScore {
  return sentenceScore(chrfMetric(options), hypothesis, references);
}

/**
 * chrF in two steps. Statistics of a sentence: for each order, characters first, then words, the n-grams of the
 * hypothesis, of the reference, and matched.
 *
 * @throws DragomanError `usage` for an order or beta below its range
 */
export function chrfMetric(options: ChrfOptions = {}): Metric<ChrfScore> {
  const settings = settle(options);
  const { characterOrder, wordOrder, beta, epsilonSmoothing } = settings;
  const name = `chrF${beta}${'+'.repeat(wordOrder)}`;
  const scoreOf = (sum: MetricStatistics) => 100 * fScore(sum, beta, epsilonSmoothing).f;
  return {
    name,
    lowerIsBetter: false,
    fields: [
      caseField(settings.lowercase),
      ['eff', 'e', yesNo(!epsilonSmoothing)],
      ['nc', 'nc', characterOrder],
      ['nw', 'nw', wordOrder],
      ['space', 's', yesNo(settings.whitespace)],
    ],
    against: (references) => {
      const targets = references.map((reference) => countOrders(reference, settings));
      return (hypothesis) => {
        const counted = countOrders(hypothesis, settings);
        const candidates = targets.map((target) => compare(counted, target));
        if (candidates.length === 1) return candidates[0]!;
        const scores = candidates.map(scoreOf);
        return candidates[scores.indexOf(Math.max(...scores))]!;
      };
    },
    among: (lines) => {
      const counted = lines.map((line) => countOrders(line, settings));
      const totals = counted.map((orders) => orders.map(total));
      const ngrams = new SharedNgrams(counted);
      return (a, b) => {
        const shared = ngrams.shared(a, b);
        return [interleaved(totals[a]!, totals[b]!, shared), interleaved(totals[b]!, totals[a]!, shared)];
      };
    },
    scoreOf,
    report: (sum, signature) => {
      const { f, precision, recall } = fScore(sum, beta, epsilonSmoothing);
      return { metric: name, score: 100 * f, signature, precision: 100 * precision, recall: 100 * recall };
    },
  };
}

/** sacreBLEU's one-line form: `chrF2|signature = 58.40`. */
export function formatChrf(score: ChrfScore, options: FormatOptions = {}): string {
  return formatScore(score, options);
}

type Settings = Readonly<Required<ChrfOptions>>;

function settle(options: ChrfOptions): Settings {
  const characterOrder = options.characterOrder ?? 6;
  const wordOrder = options.wordOrder ?? 0;
  const beta = options.beta ?? 2;
  for (const [name, value] of [
    ['characterOrder', characterOrder],
    ['wordOrder', wordOrder],
  ] as const) {
    if (!Number.isInteger(value) || value < 0) {
      throw new DragomanError('usage', `chrF: expected ${name} to be a whole number from 0, got ${value}`);
    }
  }
  if (characterOrder + wordOrder === 0) {
    throw new DragomanError('usage', 'chrF: expected characterOrder or wordOrder above 0, got 0 for both');
  }
  if (!(beta > 0 && Number.isFinite(beta))) {
    throw new DragomanError('usage', `chrF: expected beta above 0, got ${beta}`);
  }
  return {
    characterOrder,
    wordOrder,
    beta,
    lowercase: options.lowercase ?? false,
    whitespace: options.whitespace ?? false,
    epsilonSmoothing: options.epsilonSmoothing ?? false,
  };
}

/** One map of n-gram counts for each order: characters first, then words. */
function countOrders(line: string, settings: Settings): Map<string, number>[] {
  const text = settings.lowercase ? line.toLowerCase() : line;
  // Code points, not UTF-16 units: an emoji is one character.
  const characters = settings.whitespace ? Array.from(text) : charactersOf(text);
  const orders = countNgrams(characters, settings.characterOrder, '');
  return settings.wordOrder === 0
    ? orders
    : orders.concat(countNgrams(splitPunctuation(text), settings.wordOrder, ' '));
}

const PUNCTUATION = new Set('!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~');

/**
 * Words with one mark of ASCII punctuation split off: the last character if it is one, else the first. So
 * `(hi)` gives `(hi` and `)`, as in chrF++'s reference implementation.
 */
function splitPunctuation(text: string): string[] {
  return splitWhitespace(text).flatMap((word) => {
    if (word.length < 2) return [word];
    if (PUNCTUATION.has(word.charAt(word.length - 1))) return [word.slice(0, -1), word.slice(-1)];
    if (PUNCTUATION.has(word.charAt(0))) return [word.charAt(0), word.slice(1)];
    return [word];
  });
}

/** Three numbers for each order: n-grams of the hypothesis, of the reference, and matched. */
function compare(
  hypothesis: readonly ReadonlyMap<string, number>[],
  reference: readonly ReadonlyMap<string, number>[],
): number[] {
  return hypothesis.flatMap((ngrams, order) => {
    const others = reference[order]!;
    let matched = 0;
    for (const [ngram, count] of ngrams) matched += Math.min(count, others.get(ngram) ?? 0);
    return ofOrder(total(ngrams), total(others), matched);
  });
}

function ofOrder(inHypothesis: number, inReference: number, matched: number): number[] {
  // A reference too short for this order says nothing about it.
  return inReference === 0 ? [0, 0, 0] : [inHypothesis, inReference, matched];
}

function interleaved(
  hypothesis: readonly number[],
  reference: readonly number[],
  matched: readonly number[],
): number[] {
  return matched.flatMap((count, order) => ofOrder(hypothesis[order]!, reference[order]!, count));
}

function total(ngrams: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const count of ngrams.values()) sum += count;
  return sum;
}

/** What a precision or recall counts as where there is nothing to divide by, with epsilon smoothing. */
const EPSILON = 1e-16;

function fScore(
  sum: MetricStatistics,
  beta: number,
  epsilonSmoothing: boolean,
): { f: number; precision: number; recall: number } {
  const factor = beta * beta;
  const harmonic = (p: number, r: number) => ((1 + factor) * p * r) / (factor * p + r);
  let precision = 0;
  let recall = 0;
  let orders = 0;
  let ofOrders = 0;
  for (let slot = 0; slot < sum.length; slot += 3) {
    const [inHypothesis, inReference, matched] = [sum[slot]!, sum[slot + 1]!, sum[slot + 2]!];
    const p = inHypothesis > 0 ? matched / inHypothesis : EPSILON;
    const r = inReference > 0 ? matched / inReference : EPSILON;
    ofOrders += factor * p + r > 0 ? harmonic(p, r) : EPSILON;
    if (inHypothesis === 0 || inReference === 0) continue;
    precision += p;
    recall += r;
    orders++;
  }
  if (orders > 0) {
    precision /= orders;
    recall /= orders;
  }
  if (epsilonSmoothing) return { f: ofOrders / (sum.length / 3), precision, recall };
  return { f: precision + recall === 0 ? 0 : harmonic(precision, recall), precision, recall };
}
