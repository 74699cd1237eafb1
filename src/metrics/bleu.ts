import { DragomanError, excerpt } from '../errors.js';
import { type BleuTokenizer, bleuTokenizer, type Tokenize } from './bleu-tokenizer.js';
import { type FormatOptions, fixed, formatScore } from './format.js';
import {
  corpusScore,
  type Metric,
  type MetricScore,
  type MetricStatistics,
  sentenceScore,
} from './metric.js';
import { countNgrams } from './ngrams.js';
import { trimTrailingWhitespace } from './python-string.js';
import type { References } from './references.js';
import { SharedNgrams } from './shared-ngrams.js';
import { caseField, type SignatureField, yesNo } from './signature.js';

/** BLEU counts n-grams of one to four words (Papineni et al. 2002, section 2.3). */
const ORDER = 4;

/**
 * What an order without any match counts as (Chen & Cherry 2014): `exp` 1/2, 1/4, … of a match (NIST's way),
 * `floor` a small number of matches, `add-k` k more matches and n-grams from bigrams on, `none` nothing.
 * The value is the default of those that take one.
 */
const SMOOTHINGS = { exp: null, floor: 0.1, 'add-k': 1, none: null } as const;
export type BleuSmoothing = keyof typeof SMOOTHINGS;
export const BLEU_SMOOTHINGS = Object.keys(SMOOTHINGS) as BleuSmoothing[];

export interface BleuOptions {
  /** Default `13a`, sacreBLEU's and WMT's. */
  readonly tokenizer?: BleuTokenizer;
  /** Compare without case; default false. */
  readonly lowercase?: boolean;
  /** Default `exp`, sacreBLEU's. */
  readonly smoothing?: BleuSmoothing;
  /** For `floor` (default 0.1) and `add-k` (default 1). */
  readonly smoothingValue?: number;
  /** Longest n-gram, from 1; default 4. */
  readonly order?: number;
  /** Leave out the orders that the hypotheses are too short for. Default: true for a sentence, false for a corpus. */
  readonly effectiveOrder?: boolean;
}

export interface BleuScore extends MetricScore {
  readonly metric: 'BLEU';
  /** Smoothed precisions by order, in percent. */
  readonly precisions: readonly number[];
  /** Matches by order; with `add-k` including k. */
  readonly matches: readonly number[];
  /** The hypotheses' n-grams by order; with `add-k` including k. */
  readonly totals: readonly number[];
  readonly brevityPenalty: number;
  /** Tokens of all hypotheses. */
  readonly hypothesisLength: number;
  /** Tokens of the references, of each line the one closest in length. */
  readonly referenceLength: number;
}

/**
 * Corpus BLEU (Papineni et al. 2002), equal to sacreBLEU's (Post 2018) under the same signature:
 *
 *     BLEU = BP · exp( Σ_{n=1..N} ln p_n / N ),   BP = min(1, exp(1 - referenceLength / hypothesisLength))
 *
 * p_n: matched n-grams over n-grams of the whole corpus, each n-gram matched at most as often as it occurs in
 * one reference.
 *
 * @param hypotheses detokenized lines, one a sentence
 * @param references one set of lines or several sets `[set][line]`
 * @throws DragomanError `input` for an empty corpus or unequal lengths, `usage` for an unknown option value
 */
export function bleu(
  hypotheses: readonly string[],
  references: References,
  options: BleuOptions = {},
): BleuScore {
  return corpusScore(bleuMetric(options), hypotheses, references);
}

/**
 * BLEU of one sentence against its references; by default over the orders the sentence is long enough for
 * (sacreBLEU's `effective_order`), since most short sentences would score 0 otherwise.
 */
export function sentenceBleu(
  hypothesis: string,
  references: string | readonly string[],
  options: BleuOptions = {},
): BleuScore {
  return sentenceScore(bleuMetric({ effectiveOrder: true, ...options }), hypothesis, references);
}

/**
 * BLEU in two steps. Statistics of a sentence: hypothesis length, reference length (of the reference closest in
 * length, of two equally close the shorter), then matches by order, then the hypothesis' n-grams by order.
 *
 * @throws DragomanError `usage` for an unknown option value
 */
export function bleuMetric(options: BleuOptions = {}): Metric<BleuScore> {
  const settings = settle(options);
  return {
    name: 'BLEU',
    lowerIsBetter: false,
    fields: fieldsOf(settings),
    against: (references) => {
      const target = prepare(
        references.map((reference) => words(reference, settings)),
        settings.order,
      );
      return (hypothesis) => compare(words(hypothesis, settings), target, settings.order);
    },
    among: (lines) => {
      const { order } = settings;
      const tokens = lines.map((line) => words(line, settings));
      const ngrams = new SharedNgrams(tokens.map((line) => countNgrams(line, order, ' ')));
      return (a, b) => {
        const matched = ngrams.shared(a, b);
        const [lengthA, lengthB] = [tokens[a]!.length, tokens[b]!.length];
        return [
          [lengthA, lengthB, ...matched, ...ngramTotals(lengthA, order)],
          [lengthB, lengthA, ...matched, ...ngramTotals(lengthB, order)],
        ];
      };
    },
    scoreOf: (sum) => figures(sum, settings).score,
    report: (sum, signature) => {
      const { score, ...rest } = figures(sum, settings);
      return { metric: 'BLEU', score, signature, ...rest };
    },
  };
}

/**
 * sacreBLEU's one-line form: `BLEU|signature = 32.83 66.1/40.2/… (BP = 1.000 ratio = … hyp_len = … ref_len = …)`.
 */
export function formatBleu(score: BleuScore, options: FormatOptions = {}): string {
  const ratio = score.referenceLength === 0 ? 0 : score.hypothesisLength / score.referenceLength;
  const more =
    `${score.precisions.map((precision) => fixed(precision, 1)).join('/')} ` +
    `(BP = ${fixed(score.brevityPenalty, 3)} ratio = ${fixed(ratio, 3)} ` +
    `hyp_len = ${score.hypothesisLength} ref_len = ${score.referenceLength})`;
  return formatScore(score, options, more);
}

interface Settings {
  readonly tokenizer: BleuTokenizer;
  readonly tokenize: Tokenize;
  readonly lowercase: boolean;
  readonly smoothing: BleuSmoothing;
  readonly smoothingValue: number | null;
  readonly order: number;
  readonly effectiveOrder: boolean;
}

function settle(options: BleuOptions): Settings {
  const tokenizer = options.tokenizer ?? '13a';
  const smoothing = options.smoothing ?? 'exp';
  if (!Object.hasOwn(SMOOTHINGS, smoothing)) {
    throw new DragomanError(
      'usage',
      `BLEU smoothing: expected one of ${BLEU_SMOOTHINGS.join(', ')}, got ${excerpt(String(smoothing))}`,
    );
  }
  const preset = SMOOTHINGS[smoothing];
  if (options.smoothingValue !== undefined && (preset === null || !(options.smoothingValue >= 0))) {
    throw new DragomanError(
      'usage',
      preset === null
        ? `BLEU smoothing: ${smoothing} takes no value, got ${options.smoothingValue}`
        : `BLEU smoothing: expected a value of at least 0, got ${options.smoothingValue}`,
    );
  }
  const order = options.order ?? ORDER;
  if (!Number.isInteger(order) || order < 1) {
    throw new DragomanError('usage', `BLEU order: expected a whole number from 1, got ${order}`);
  }
  return {
    tokenizer,
    tokenize: bleuTokenizer(tokenizer),
    lowercase: options.lowercase ?? false,
    smoothing,
    smoothingValue: options.smoothingValue ?? preset,
    order,
    effectiveOrder: options.effectiveOrder ?? false,
  };
}

function fieldsOf(settings: Settings): readonly SignatureField[] {
  const { smoothing, smoothingValue, order } = settings;
  const smoothed = smoothingValue === null ? smoothing : `${smoothing}[${fixed(smoothingValue, 2)}]`;
  return [
    caseField(settings.lowercase),
    ['eff', 'e', yesNo(settings.effectiveOrder)],
    ['tok', 'tok', settings.tokenizer],
    ['smooth', 's', smoothed],
    // sacreBLEU's signature does not say it; without it two scores would look comparable that are not.
    ...(order === ORDER ? [] : ([['order', 'o', order]] as const)),
  ];
}

function words(line: string, { lowercase, tokenize }: Settings): string[] {
  return tokenize(trimTrailingWhitespace(lowercase ? line.toLowerCase() : line));
}

/** The references of one sentence. */
interface Target {
  readonly lengths: readonly number[];
  /** The most often that any one reference has the n-gram. */
  readonly allowed: ReadonlyMap<string, number>;
}

function prepare(references: readonly (readonly string[])[], order: number): Target {
  const allowed = new Map<string, number>();
  for (const tokens of references) {
    // Words hold no blanks, so that n-grams of different orders differ.
    for (const ngrams of countNgrams(tokens, order, ' ')) {
      for (const [ngram, count] of ngrams) if (count > (allowed.get(ngram) ?? 0)) allowed.set(ngram, count);
    }
  }
  return { lengths: references.map((tokens) => tokens.length), allowed };
}

function compare(hypothesis: readonly string[], { lengths, allowed }: Target, order: number): number[] {
  const { length } = hypothesis;
  const distance = (other: number) => Math.abs(other - length);
  const closest = lengths.reduce((a, b) => {
    return distance(b) < distance(a) || (distance(b) === distance(a) && b < a) ? b : a;
  });
  const statistics = [length, closest, ...new Array<number>(order).fill(0), ...ngramTotals(length, order)];

  const matched = new Map<string, number>();
  for (let start = 0; start < length; start++) {
    const end = Math.min(start + order, length);
    let ngram = '';
    for (let next = start; next < end; next++) {
      ngram = next === start ? hypothesis[start]! : `${ngram} ${hypothesis[next]!}`;
      const most = allowed.get(ngram);
      if (most === undefined) break; // no longer n-gram from here can match either
      const before = matched.get(ngram) ?? 0;
      if (before === most) continue;
      matched.set(ngram, before + 1);
      statistics[2 + next - start]!++;
    }
  }
  return statistics;
}

/** By order, the n-grams of a line of so many words. */
function ngramTotals(length: number, order: number): number[] {
  return Array.from({ length: order }, (_, n) => Math.max(0, length - n));
}

function figures(sum: MetricStatistics, settings: Settings): Omit<BleuScore, 'metric' | 'signature'> {
  const { smoothing, order } = settings;
  const value = settings.smoothingValue ?? 0;
  const [hypothesisLength, referenceLength] = [sum[0]!, sum[1]!];
  const matches = sum.slice(2, 2 + order);
  const totals = sum.slice(2 + order);
  const precisions = new Array<number>(order).fill(0);

  let brevityPenalty = 1;
  if (hypothesisLength < referenceLength) {
    brevityPenalty = hypothesisLength === 0 ? 0 : Math.exp(1 - referenceLength / hypothesisLength);
  }

  let score = 0;
  // Without a single match the score is 0 whatever the smoothing.
  if (matches.some((count) => count > 0)) {
    let orders = order;
    let halving = 1;
    for (let n = 0; n < order; n++) {
      if (smoothing === 'add-k' && n > 0) {
        matches[n]! += value;
        totals[n]! += value;
      }
      if (totals[n] === 0) break;
      if (settings.effectiveOrder) orders = n + 1;
      if (matches[n] !== 0) precisions[n] = (100 * matches[n]!) / totals[n]!;
      else if (smoothing === 'exp') {
        halving *= 2;
        precisions[n] = 100 / (halving * totals[n]!);
      } else if (smoothing === 'floor') precisions[n] = (100 * value) / totals[n]!;
    }
    const used = precisions.slice(0, orders);
    if (used.every((precision) => precision > 0)) {
      score =
        brevityPenalty * Math.exp(used.reduce((total, precision) => total + Math.log(precision), 0) / orders);
    }
  }
  return { score, precisions, matches, totals, brevityPenalty, hypothesisLength, referenceLength };
}
