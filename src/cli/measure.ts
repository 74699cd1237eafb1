import { accuracy } from '../metrics/accuracy.js';
import { bleu, formatBleu } from '../metrics/bleu.js';
import type { BleuTokenizer } from '../metrics/bleu-tokenizer.js';
import { chrf, formatChrf } from '../metrics/chrf.js';
import { errorRate, g2pErrorRate } from '../metrics/error-rate.js';
import type { References } from '../metrics/references.js';
import type { MetricUnit } from '../metrics/units.js';

/** How metrics count; from the command line. */
export interface MeasureOptions {
  readonly lowercase?: boolean;
  /** Of BLEU. */
  readonly tokenizer?: BleuTokenizer;
  /** Of accuracy and error rate. */
  readonly unit?: MetricUnit;
}

/** One measured figure, as a line for people and as figures for programs. */
export interface Measured {
  readonly line: string;
  readonly json: object;
}

interface Measure {
  /** The options that change this figure; all others would be ignored. */
  readonly uses: readonly (keyof MeasureOptions)[];
  run(hypotheses: readonly string[], references: References, options: MeasureOptions): Measured;
}

/** Every metric of the command line: one line here and its function in `src/metrics`. */
const MEASURES = {
  bleu: {
    uses: ['lowercase', 'tokenizer'],
    run(hypotheses, references, options) {
      const score = bleu(hypotheses, references, options);
      return { line: formatBleu(score), json: score };
    },
  },
  chrf: {
    uses: ['lowercase'],
    run(hypotheses, references, options) {
      const score = chrf(hypotheses, references, options);
      return { line: formatChrf(score), json: score };
    },
  },
  'chrf++': {
    uses: ['lowercase'],
    run(hypotheses, references, options) {
      const score = chrf(hypotheses, references, { ...options, wordOrder: 2 });
      return { line: formatChrf(score), json: score };
    },
  },
  accuracy: {
    uses: ['lowercase', 'unit'],
    run(hypotheses, references, options) {
      const score = accuracy(hypotheses, references, options);
      const { sequence, token, correctSequences, sequences, correctTokens, tokens } = score;
      const line =
        `accuracy|${score.signature} = ${sequence.toFixed(2)} % of sequences (${correctSequences} of ${sequences}), ` +
        `${token.toFixed(2)} % of tokens (${correctTokens} of ${tokens})`;
      return { line, json: { metric: 'accuracy', ...score } };
    },
  },
  'error-rate': {
    uses: ['lowercase', 'unit'],
    run(hypotheses, references, options) {
      const score = errorRate(hypotheses, references, options);
      const line =
        `${score.metric}|${score.signature} = ${score.score.toFixed(2)} % ` +
        `(${score.edits} edits, ${score.referenceLength} tokens)`;
      return { line, json: score };
    },
  },
  g2p: {
    uses: [],
    run(hypotheses, references) {
      const score = g2pErrorRate(hypotheses, references);
      const line =
        `G2P|${score.signature} = ${score.wordErrorRate.toFixed(2)} % of words wrong (${score.wrongWords} of ` +
        `${score.words}), ${score.phoneErrorRate.toFixed(2)} % of phones (${score.edits} edits, ${score.phones} phones)`;
      return { line, json: score };
    },
  },
} satisfies Record<string, Measure>;

export type MetricName = keyof typeof MEASURES;
export const METRIC_NAMES = Object.keys(MEASURES) as MetricName[];

/** Whether one of the named metrics heeds this option. */
export function heeds(names: readonly MetricName[], option: keyof MeasureOptions): boolean {
  return names.some((name) => (MEASURES[name] as Measure).uses.includes(option));
}

/** Measures translations against references by the named metrics, in the given order. */
export function measure(
  names: readonly MetricName[],
  hypotheses: readonly string[],
  references: References,
  options: MeasureOptions,
): Measured[] {
  return names.map((name) => (MEASURES[name] as Measure).run(hypotheses, references, options));
}
