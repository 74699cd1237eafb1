import { alignReferences, type References } from './references.js';
import { caseField, signature } from './signature.js';
import { type MetricUnit, unitSplitter } from './units.js';

export interface AccuracyOptions {
  /** What a token is; default `word`. */
  readonly unit?: MetricUnit;
  /** Compare without case; default false. */
  readonly lowercase?: boolean;
}

export interface AccuracyScore {
  /** Lines equal to one of their references, in percent. Spacing between tokens does not matter. */
  readonly sequence: number;
  /**
   * Tokens equal to the reference's token at the same position, in percent of the longer of both lines, so that
   * 100 means equal. Of several references the one that agrees most. Unlike the error rate it does not forgive
   * a shift: use it where positions mean something, as in arithmetic.
   */
  readonly token: number;
  readonly signature: string;
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
  const { unit = 'word', lowercase = false } = options;
  const split = unitSplitter(unit);
  const aligned = alignReferences('accuracy', hypotheses, references);
  const tokensOf = (line: string) => split(lowercase ? line.toLowerCase() : line);
  let correctSequences = 0;
  let tokens = 0;
  let correctTokens = 0;
  for (const [line, text] of hypotheses.entries()) {
    const hypothesis = tokensOf(text);
    const agreements = aligned.lines[line]!.map((reference) => agreement(hypothesis, tokensOf(reference)));
    const best = agreements.reduce((a, b) => (share(b) > share(a) ? b : a));
    if (best.correct === best.longer) correctSequences++;
    tokens += best.longer;
    correctTokens += best.correct;
  }
  return {
    sequence: (100 * correctSequences) / hypotheses.length,
    token: tokens === 0 ? 100 : (100 * correctTokens) / tokens,
    signature: signature([
      ['nrefs', '#', aligned.count],
      caseField(lowercase),
      ['unit', 'u', unit],
    ]),
    sequences: hypotheses.length,
    correctSequences,
    tokens,
    correctTokens,
  };
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
