import { type FormatOptions, formatScore } from './format.js';
import {
  corpusScore,
  type Metric,
  type MetricScore,
  type MetricStatistics,
  sentenceScore,
} from './metric.js';
import type { References } from './references.js';
import { caseField, yesNo } from './signature.js';
import { translationEdits } from './ter-shifts.js';
import { type TerTokenization, terTokenizer } from './ter-tokenizer.js';

export type TerOptions = TerTokenization;

export interface TerScore extends MetricScore {
  readonly metric: 'TER';
  readonly edits: number;
  /** Words of the references, of each line the mean over its references. */
  readonly referenceLength: number;
}

/**
 * Corpus translation edit rate (Snover et al. 2006) as tercom and sacreBLEU compute it:
 *
 *     TER = 100 · edits / referenceLength
 *
 * Edits insert, delete or substitute a word or shift a phrase; of several references each line takes the one with
 * the fewest edits, over the mean length of all. Lower is better; above 100 where hypotheses are much too long.
 *
 * @param hypotheses detokenized lines, one a sentence
 * @param references one set of lines or several sets `[set][line]`
 * @throws DragomanError `input` for an empty corpus or unequal lengths
 */
export function ter(
  hypotheses: readonly string[],
  references: References,
  options: TerOptions = {},
): TerScore {
  return corpusScore(terMetric(options), hypotheses, references);
}

/** TER of one sentence. */
export function sentenceTer(
  hypothesis: string,
  references: string | readonly string[],
  options: TerOptions = {},
): TerScore {
  return sentenceScore(terMetric(options), hypothesis, references);
}

/** TER in two steps. Statistics of a sentence: edits, reference length. */
export function terMetric(options: TerOptions = {}): Metric<TerScore> {
  const { caseSensitive = false, normalized = false, punctuation = true, asian = false } = options;
  const tokenize = terTokenizer(options);
  return {
    name: 'TER',
    lowerIsBetter: true,
    fields: [
      caseField(!caseSensitive),
      ['tok', 't', 'tercom'],
      ['norm', 'nr', yesNo(normalized)],
      ['punct', 'pn', yesNo(punctuation)],
      ['asian', 'as', yesNo(asian)],
    ],
    against: (references) => {
      // sacreBLEU prepares references twice. It changes little: `it's.` is `it's .` at first, then `it 's .`.
      const targets = references.map((reference) => tokenize(tokenize(reference).join(' ')));
      const length = targets.reduce((sum, target) => sum + target.length, 0) / targets.length;
      return (hypothesis) => {
        const words = tokenize(hypothesis);
        return [Math.min(...targets.map((target) => translationEdits(words, target))), length];
      };
    },
    scoreOf,
    report: (sum, signature) => {
      return { metric: 'TER', score: scoreOf(sum), signature, edits: sum[0]!, referenceLength: sum[1]! };
    },
  };
}

/** sacreBLEU's one-line form: `TER|signature = 45.12`. */
export function formatTer(score: TerScore, options: FormatOptions = {}): string {
  return formatScore(score, options);
}

function scoreOf(sum: MetricStatistics): number {
  const [edits, length] = [sum[0]!, sum[1]!];
  if (length > 0) return 100 * (edits / length);
  // Without a word to translate into, everything is wrong or nothing is.
  return edits > 0 ? 100 : 0;
}
