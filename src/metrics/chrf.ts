import { DragomanError } from '../errors.js';
import { removeWhitespace, splitWhitespace } from './python-string.js';
import { alignReferences, type References } from './references.js';
import { signature } from './signature.js';

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
}

export interface ChrfScore {
  /** `chrF2`, `chrF2++`: the beta, and a plus for each word order. */
  readonly metric: string;
  /** 0 to 100. */
  readonly score: number;
  readonly signature: string;
  /** Mean over the orders, in percent. */
  readonly precision: number;
  /** Mean over the orders, in percent. */
  readonly recall: number;
}

/**
 * Corpus chrF (Popović 2015), equal to sacreBLEU's without epsilon smoothing:
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
  const settings = settle(options);
  const { characterOrder, wordOrder, beta } = settings;
  const aligned = alignReferences('chrF', hypotheses, references);
  const corpus = new Array<number>(3 * (characterOrder + wordOrder)).fill(0);
  for (const [line, hypothesis] of hypotheses.entries()) {
    const counted = countOrders(hypothesis, settings);
    let best: readonly number[] = [];
    let bestF = -1;
    for (const reference of aligned.lines[line]!) {
      const statistics = compare(counted, countOrders(reference, settings));
      const { f } = fScore(statistics, beta);
      if (f > bestF) {
        best = statistics;
        bestF = f;
      }
    }
    for (const [slot, value] of best.entries()) corpus[slot]! += value;
  }
  const { f, precision, recall } = fScore(corpus, beta);
  return {
    metric: `chrF${beta}${'+'.repeat(wordOrder)}`,
    score: 100 * f,
    signature: signature([
      ['nrefs', aligned.count],
      ['case', settings.lowercase ? 'lc' : 'mixed'],
      ['eff', 'yes'],
      ['nc', characterOrder],
      ['nw', wordOrder],
      ['space', settings.whitespace ? 'yes' : 'no'],
    ]),
    precision: 100 * precision,
    recall: 100 * recall,
  };
}

/** chrF of one sentence. */
export function sentenceChrf(
  hypothesis: string,
  references: string | readonly string[],
  options: ChrfOptions = {},
): ChrfScore {
  const sets = typeof references === 'string' ? [[references]] : references.map((reference) => [reference]);
  return chrf([hypothesis], sets, options);
}

/** sacreBLEU's one-line form: `chrF2|signature = 58.40`. */
export function formatChrf(score: ChrfScore): string {
  return `${score.metric}|${score.signature} = ${score.score.toFixed(2)}`;
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
  };
}

/** One map of n-gram counts for each order: characters first, then words. */
function countOrders(line: string, settings: Settings): Map<string, number>[] {
  const text = settings.lowercase ? line.toLowerCase() : line;
  // Code points, not UTF-16 units: an emoji is one character.
  const characters = Array.from(settings.whitespace ? text : removeWhitespace(text));
  const orders = countNgrams(characters, settings.characterOrder, '');
  return settings.wordOrder === 0
    ? orders
    : orders.concat(countNgrams(splitPunctuation(text), settings.wordOrder, ' '));
}

function countNgrams(units: readonly string[], order: number, separator: string): Map<string, number>[] {
  const counts = Array.from({ length: order }, () => new Map<string, number>());
  for (let start = 0; start < units.length; start++) {
    let ngram = '';
    for (let n = 0; n < order && start + n < units.length; n++) {
      ngram = n === 0 ? units[start]! : ngram + separator + units[start + n]!;
      const ofOrder = counts[n]!;
      ofOrder.set(ngram, (ofOrder.get(ngram) ?? 0) + 1);
    }
  }
  return counts;
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
    // A reference too short for this order says nothing about it.
    if (others.size === 0) return [0, 0, 0];
    let inHypothesis = 0;
    let inReference = 0;
    let matched = 0;
    for (const [ngram, count] of ngrams) {
      inHypothesis += count;
      matched += Math.min(count, others.get(ngram) ?? 0);
    }
    for (const count of others.values()) inReference += count;
    return [inHypothesis, inReference, matched];
  });
}

function fScore(
  statistics: readonly number[],
  beta: number,
): { f: number; precision: number; recall: number } {
  let precision = 0;
  let recall = 0;
  let orders = 0;
  for (let slot = 0; slot < statistics.length; slot += 3) {
    const inHypothesis = statistics[slot]!;
    const inReference = statistics[slot + 1]!;
    if (inHypothesis === 0 || inReference === 0) continue;
    precision += statistics[slot + 2]! / inHypothesis;
    recall += statistics[slot + 2]! / inReference;
    orders++;
  }
  if (precision + recall === 0) return { f: 0, precision: 0, recall: 0 };
  precision /= orders;
  recall /= orders;
  const factor = beta * beta;
  return { f: ((1 + factor) * precision * recall) / (factor * precision + recall), precision, recall };
}
