import { nearestReference } from './edit-distance.js';
import { type FormatOptions, fixed, formatScore } from './format.js';
import { corpusScore, type Metric, type MetricScore, type MetricStatistics } from './metric.js';
import { type References, withoutEmpty } from './references.js';
import { caseField } from './signature.js';
import { type MetricUnit, unitSplitter } from './units.js';

export interface ErrorRateOptions {
  /** `word` (default) gives the word error rate, or the phone error rate of phones between blanks; `character` the CER. */
  readonly unit?: MetricUnit;
  /** Compare without case; default false. */
  readonly lowercase?: boolean;
}

/** Edits in percent of the references' tokens; above 100 where the hypotheses are much too long. */
export interface ErrorRateScore extends MetricScore {
  readonly metric: 'WER' | 'CER';
  readonly edits: number;
  /** Tokens of the references, of each line the nearest one. */
  readonly referenceLength: number;
}

/**
 * Word (phone, character) error rate of a corpus: Levenshtein edits over reference tokens. With several
 * references a line counts against the nearest: fewest edits, then longest.
 *
 * @throws DragomanError `input` for an empty corpus or unequal lengths
 */
export function errorRate(
  hypotheses: readonly string[],
  references: References,
  options: ErrorRateOptions = {},
): ErrorRateScore {
  return corpusScore(errorRateMetric(options), hypotheses, references);
}

/** The error rate in two steps. Statistics of a sentence: edits, tokens of the nearest reference. */
export function errorRateMetric(options: ErrorRateOptions = {}): Metric<ErrorRateScore> {
  const { unit = 'word', lowercase = false } = options;
  const name = unit === 'character' ? 'CER' : 'WER';
  const split = unitSplitter(unit);
  const tokens = (line: string) => split(lowercase ? line.toLowerCase() : line);
  const scoreOf = (sum: MetricStatistics) => rate(sum[0]!, sum[1]!);
  return {
    name,
    lowerIsBetter: true,
    fields: [caseField(lowercase), ['unit', 'u', unit]],
    against: (references) => {
      const targets = references.map(tokens);
      return (hypothesis) => {
        const { edits, length } = nearestReference(tokens(hypothesis), targets);
        return [edits, length];
      };
    },
    scoreOf,
    report: (sum, signature) => {
      return { metric: name, score: scoreOf(sum), signature, edits: sum[0]!, referenceLength: sum[1]! };
    },
  };
}

/** `WER|signature = 50.00 % (3 edits, 6 tokens)`. */
export function formatErrorRate(score: ErrorRateScore, options: FormatOptions = {}): string {
  return formatScore(score, options, `% (${score.edits} edits, ${score.referenceLength} tokens)`);
}

/** Edits in percent of tokens. Without a token to hit, everything is wrong or nothing is. */
function rate(edits: number, tokens: number): number {
  if (tokens > 0) return (100 * edits) / tokens;
  return edits > 0 ? 100 : 0;
}

/** `score` is the word error rate. */
export interface G2pScore extends MetricScore {
  readonly metric: 'G2P';
  /** Words whose pronunciation is none of their references, in percent of all words. */
  readonly wordErrorRate: number;
  /** Edits to the nearest reference in percent of its phones. */
  readonly phoneErrorRate: number;
  readonly words: number;
  readonly wrongWords: number;
  readonly edits: number;
  readonly phones: number;
}

/**
 * Error rates of grapheme-to-phoneme conversion as the literature on CMUdict reports them (Bisani & Ney 2008,
 * Yao & Zweig 2015): a word is right if it matches any of its pronunciations exactly; phone errors
 * count against the nearest one.
 *
 * @param hypotheses one word's phones a line, between blanks
 * @param references sets `[set][line]`: the first pronunciation of each word, the second, …; an empty line or
 *   `null` where a word has no further one, which is how `data/g2p` writes them to `test.phones`, `test.phones.1`, …
 * @throws DragomanError `input` for an empty corpus, unequal lengths, or a word without any reference
 */
export function g2pErrorRate(hypotheses: readonly string[], references: References): G2pScore {
  return corpusScore(g2pMetric(), hypotheses, withoutEmpty(references));
}

/**
 * The error rates in two steps, for references without empty ones. Statistics of a word: 1, whether it is wrong,
 * edits, phones of the nearest pronunciation.
 */
export function g2pMetric(): Metric<G2pScore> {
  const split = unitSplitter('word');
  const scoreOf = (sum: MetricStatistics) => (100 * sum[1]!) / sum[0]!;
  return {
    name: 'G2P',
    lowerIsBetter: true,
    fields: [['unit', 'u', 'phone']],
    against: (references) => {
      const pronunciations = references.map(split);
      return (hypothesis) => {
        const { edits, length } = nearestReference(split(hypothesis), pronunciations);
        return [1, edits > 0 ? 1 : 0, edits, length];
      };
    },
    scoreOf,
    report: (sum, signature) => {
      const [words, wrongWords, edits, phones] = sum as [number, number, number, number];
      const wordErrorRate = scoreOf(sum);
      const phoneErrorRate = rate(edits, phones);
      const counts = { words, wrongWords, edits, phones };
      return { metric: 'G2P', score: wordErrorRate, signature, wordErrorRate, phoneErrorRate, ...counts };
    },
  };
}

/** `G2P|signature = 24.70 % of words wrong (… of …), 5.30 % of phones (… edits, … phones)`. */
export function formatG2p(score: G2pScore, options: FormatOptions = {}): string {
  const phones = fixed(score.phoneErrorRate, options.width ?? 2);
  const more =
    `% of words wrong (${score.wrongWords} of ${score.words}), ` +
    `${phones} % of phones (${score.edits} edits, ${score.phones} phones)`;
  return formatScore(score, options, more);
}
