import { DragomanError, excerpt } from '../errors.js';
import { type BleuTokenizer, bleuTokenizer, type Tokenize } from './bleu-tokenizer.js';
import { trimTrailingWhitespace } from './python-string.js';
import { alignReferences, type References } from './references.js';
import { signature } from './signature.js';

/** BLEU counts n-grams of one to four words (Papineni et al. 2002, section 2.3). */
const ORDER = 4;

/**
 * What an order without any match counts as (Chen & Cherry 2014): `exp` 1/2, 1/4, … of a match (NIST's way),
 * `floor` a small number of matches, `add-k` k more matches and n-grams from bigrams on, `none` nothing.
 * The value is the default of those that take one.
 */
const SMOOTHINGS = { exp: null, floor: 0.1, 'add-k': 1, none: null } as const;
export type BleuSmoothing = keyof typeof SMOOTHINGS;

export interface BleuOptions {
  /** Default `13a`, sacreBLEU's and WMT's. */
  readonly tokenizer?: BleuTokenizer;
  /** Compare without case; default false. */
  readonly lowercase?: boolean;
  /** Default `exp`, sacreBLEU's. */
  readonly smoothing?: BleuSmoothing;
  /** For `floor` (default 0.1) and `add-k` (default 1). */
  readonly smoothingValue?: number;
  /** Leave out the orders that the hypotheses are too short for. Default: true for a sentence, false for a corpus. */
  readonly effectiveOrder?: boolean;
}

export interface BleuScore {
  readonly metric: 'BLEU';
  /** 0 to 100. */
  readonly score: number;
  readonly signature: string;
  /** Smoothed precisions of orders 1 to 4, in percent. */
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
 *     BLEU = BP · exp( ¼ Σ_{n=1..4} ln p_n ),   BP = min(1, exp(1 - referenceLength / hypothesisLength))
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
  const settings = settle(options, false);
  const aligned = alignReferences('BLEU', hypotheses, references);
  const statistics: Statistics = {
    matches: new Array<number>(ORDER).fill(0),
    totals: new Array<number>(ORDER).fill(0),
    hypothesisLength: 0,
    referenceLength: 0,
  };
  for (const [line, hypothesis] of hypotheses.entries()) {
    addSentence(statistics, words(hypothesis, settings), aligned.lines[line]!, settings);
  }
  return scoreOf(statistics, settings, aligned.count);
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
  const sets = typeof references === 'string' ? [[references]] : references.map((reference) => [reference]);
  return bleu([hypothesis], sets, { effectiveOrder: true, ...options });
}

/** sacreBLEU's one-line form: `BLEU|signature = 32.83 66.1/40.2/… (BP = 1.000 ratio = … hyp_len = … ref_len = …)`. */
export function formatBleu(score: BleuScore): string {
  const ratio = score.referenceLength === 0 ? 0 : score.hypothesisLength / score.referenceLength;
  return (
    `BLEU|${score.signature} = ${score.score.toFixed(2)} ${score.precisions.map((p) => p.toFixed(1)).join('/')} ` +
    `(BP = ${score.brevityPenalty.toFixed(3)} ratio = ${ratio.toFixed(3)} ` +
    `hyp_len = ${score.hypothesisLength} ref_len = ${score.referenceLength})`
  );
}

interface Settings {
  readonly tokenizer: BleuTokenizer;
  readonly tokenize: Tokenize;
  readonly lowercase: boolean;
  readonly smoothing: BleuSmoothing;
  readonly smoothingValue: number | null;
  readonly effectiveOrder: boolean;
}

interface Statistics {
  readonly matches: number[];
  readonly totals: number[];
  hypothesisLength: number;
  referenceLength: number;
}

function settle(options: BleuOptions, effectiveOrder: boolean): Settings {
  const tokenizer = options.tokenizer ?? '13a';
  const smoothing = options.smoothing ?? 'exp';
  if (!Object.hasOwn(SMOOTHINGS, smoothing)) {
    throw new DragomanError(
      'usage',
      `BLEU smoothing: expected one of ${Object.keys(SMOOTHINGS).join(', ')}, got ${excerpt(String(smoothing))}`,
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
  return {
    tokenizer,
    tokenize: bleuTokenizer(tokenizer),
    lowercase: options.lowercase ?? false,
    smoothing,
    smoothingValue: options.smoothingValue ?? preset,
    effectiveOrder: options.effectiveOrder ?? effectiveOrder,
  };
}

function words(line: string, { lowercase, tokenize }: Settings): string[] {
  return tokenize(trimTrailingWhitespace(lowercase ? line.toLowerCase() : line));
}

/** Counts of all n-grams of orders 1 to 4. A key is its words joined by blanks, which no word contains. */
function countNgrams(tokens: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (let start = 0; start < tokens.length; start++) {
    const end = Math.min(start + ORDER, tokens.length);
    let ngram = tokens[start]!;
    counts.set(ngram, (counts.get(ngram) ?? 0) + 1);
    for (let next = start + 1; next < end; next++) {
      ngram += ` ${tokens[next]!}`;
      counts.set(ngram, (counts.get(ngram) ?? 0) + 1);
    }
  }
  return counts;
}

function addSentence(
  statistics: Statistics,
  hypothesis: readonly string[],
  references: readonly string[],
  settings: Settings,
): void {
  let closest = Number.POSITIVE_INFINITY;
  const allowed = new Map<string, number>(); // the most often that any one reference has the n-gram
  for (const reference of references) {
    const tokens = words(reference, settings);
    const difference = Math.abs(tokens.length - hypothesis.length) - Math.abs(closest - hypothesis.length);
    // Of two that are equally close the shorter counts.
    if (difference < 0 || (difference === 0 && tokens.length < closest)) closest = tokens.length;
    for (const [ngram, count] of countNgrams(tokens)) {
      if (count > (allowed.get(ngram) ?? 0)) allowed.set(ngram, count);
    }
  }
  statistics.hypothesisLength += hypothesis.length;
  statistics.referenceLength += closest;

  for (let start = 0; start < hypothesis.length; start++) {
    const orders = Math.min(ORDER, hypothesis.length - start);
    let ngram = '';
    for (let n = 0; n < orders; n++) {
      ngram = n === 0 ? hypothesis[start]! : `${ngram} ${hypothesis[start + n]!}`;
      statistics.totals[n]!++;
      const left = allowed.get(ngram);
      if (left === undefined) {
        // No longer n-gram from here can match either, but all of them count as n-grams.
        for (let longer = n + 1; longer < orders; longer++) statistics.totals[longer]!++;
        break;
      }
      if (left > 0) {
        statistics.matches[n]!++;
        allowed.set(ngram, left - 1);
      }
    }
  }
}

function scoreOf(statistics: Statistics, settings: Settings, references: number | 'var'): BleuScore {
  const { hypothesisLength, referenceLength } = statistics;
  const { smoothing } = settings;
  const value = settings.smoothingValue ?? 0;
  const matches = [...statistics.matches];
  const totals = [...statistics.totals];
  const precisions = new Array<number>(ORDER).fill(0);

  let brevityPenalty = 1;
  if (hypothesisLength < referenceLength) {
    brevityPenalty = hypothesisLength === 0 ? 0 : Math.exp(1 - referenceLength / hypothesisLength);
  }

  let score = 0;
  // Without a single match the score is 0 whatever the smoothing.
  if (matches.some((count) => count > 0)) {
    let orders = ORDER;
    let halving = 1;
    for (let n = 0; n < ORDER; n++) {
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
        brevityPenalty * Math.exp(used.reduce((sum, precision) => sum + Math.log(precision), 0) / orders);
    }
  }

  const smoothed =
    settings.smoothingValue === null ? smoothing : `${smoothing}[${settings.smoothingValue.toFixed(2)}]`;
  return {
    metric: 'BLEU',
    score,
    signature: signature([
      ['nrefs', references],
      ['case', settings.lowercase ? 'lc' : 'mixed'],
      ['eff', settings.effectiveOrder ? 'yes' : 'no'],
      ['tok', settings.tokenizer],
      ['smooth', smoothed],
    ]),
    precisions,
    matches,
    totals,
    brevityPenalty,
    hypothesisLength,
    referenceLength,
  };
}
