import { type FormatOptions, fixed, formatScore } from './format.js';
import { corpusScore, type Metric, type MetricScore, type MetricStatistics } from './metric.js';
import type { References } from './references.js';
import { caseField } from './signature.js';
import { type MetricUnit, unitSplitter } from './units.js';

export interface AccuracyOptions {
  /** What a token is; default `word`. */
  readonly unit?: MetricUnit;
  /** Compare without case; default false. */
  readonly lowercase?: boolean;
}

/** `score` is the accuracy of sequences. */
export interface AccuracyScore extends MetricScore {
  readonly metric: 'accuracy';
  /** Lines equal to one of their references, in percent. Spacing between tokens does not matter. */
  readonly sequence: number;
  /**
   * Tokens equal to the reference's token at the same position, in percent of the longer of both lines, so that
   * 100 means equal. Of several references the one that agrees most. Unlike the error rate it does not forgive
   * a shift: use it where positions mean something, as in arithmetic.
   */
  readonly token: number;
  readonly sequences: number;
  readonly correctSequences: number;
  readonly tokens: number;
  readonly correctTokens: number;
}

/**
 * Token and sequence accuracy of a corpus.
 *
 * @throws DragomanError `input` for an empty corpus or unequal lengths
 */
export function accuracy(
  hypotheses: readonly string[],
  references: References,
  options: AccuracyOptions = {},
): AccuracyScore {
  return corpusScore(accuracyMetric(options), hypotheses, references);
}

/** Accuracy in two steps. Statistics of a sentence: 1, whether it is right, tokens, right tokens. */
export function accuracyMetric(options: AccuracyOptions = {}): Metric<AccuracyScore> {
  const { unit = 'word', lowercase = false } = options;
  const split = unitSplitter(unit);
  const tokensOf = (line: string) => split(lowercase ? line.toLowerCase() : line);
  const scoreOf = (sum: MetricStatistics) => (100 * sum[1]!) / sum[0]!;
  return {
    name: 'accuracy',
    lowerIsBetter: false,
    fields: [caseField(lowercase), ['unit', 'u', unit]],
    against: (references) => {
      const targets = references.map(tokensOf);
      return (line) => {
        const hypothesis = tokensOf(line);
        const agreements = targets.map((target) => agreement(hypothesis, target));
        const best = agreements.reduce((a, b) => (share(b) > share(a) ? b : a));
        return [1, best.correct === best.longer ? 1 : 0, best.longer, best.correct];
      };
    },
    scoreOf,
    report: (sum, signature) => {
      const [sequences, correctSequences, tokens, correctTokens] = sum as [number, number, number, number];
      const sequence = scoreOf(sum);
      const token = tokens === 0 ? 100 : (100 * correctTokens) / tokens;
      const counts = { sequences, correctSequences, tokens, correctTokens };
      return { metric: 'accuracy', score: sequence, signature, sequence, token, ...counts };
    },
  };
}

/** `accuracy|signature = 50.00 % of sequences (1 of 2), 75.00 % of tokens (6 of 8)`. */
export function formatAccuracy(score: AccuracyScore, options: FormatOptions = {}): string {
  const { correctSequences, sequences, correctTokens, tokens } = score;
  const token = fixed(score.token, options.width ?? 2);
  const more = `% of sequences (${correctSequences} of ${sequences}), ${token} % of tokens (${correctTokens} of ${tokens})`;
  return formatScore(score, options, more);
}

interface Agreement {
  readonly correct: number;
  readonly longer: number;
}

function agreement(hypothesis: readonly string[], reference: readonly string[]): Agreement {
  const correct = hypothesis.reduce((sum, token, at) => sum + (token === reference[at] ? 1 : 0), 0);
  return { correct, longer: Math.max(hypothesis.length, reference.length) };
}

/** Two empty lines agree wholly. */
function share({ correct, longer }: Agreement): number {
  return longer === 0 ? 1 : correct / longer;
}
