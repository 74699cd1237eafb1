import { DragomanError } from '../errors.js';
import { nearestReference } from './edit-distance.js';
import { alignReferences, type References } from './references.js';
import { caseField, signature } from './signature.js';
import { type MetricUnit, unitSplitter } from './units.js';

export interface ErrorRateOptions {
  /** `word` (default) gives the word error rate, or the phone error rate of phones between blanks; `character` the CER. */
  readonly unit?: MetricUnit;
  /** Compare without case; default false. */
  readonly lowercase?: boolean;
}

export interface ErrorRateScore {
  readonly metric: 'WER' | 'CER';
  /** Edits in percent of the references' tokens; above 100 where the hypotheses are much too long. */
  readonly score: number;
  readonly signature: string;
  readonly edits: number;
  /** Tokens of the references, of each line the nearest one. */
  readonly referenceLength: number;
}

/**
 * Word (phone, character) error rate of a corpus: Levenshtein edits over reference tokens. With several
 * references a line counts against the nearest: fewest edits, then longest.
 *
 * @throws DragomanError `input` for an empty corpus, unequal lengths, or references without any token
 */
export function errorRate(
  hypotheses: readonly string[],
  references: References,
  options: ErrorRateOptions = {},
): ErrorRateScore {
  const { unit = 'word', lowercase = false } = options;
  const metric = unit === 'character' ? 'CER' : 'WER';
  const split = unitSplitter(unit);
  const aligned = alignReferences(metric, hypotheses, references);
  const tokens = (line: string) => split(lowercase ? line.toLowerCase() : line);
  let edits = 0;
  let referenceLength = 0;
  for (const [line, hypothesis] of hypotheses.entries()) {
    const nearest = nearestReference(tokens(hypothesis), aligned.lines[line]!.map(tokens));
    edits += nearest.edits;
    referenceLength += nearest.length;
  }
  if (referenceLength === 0) {
    throw new DragomanError(
      'input',
      `${metric}: expected references with at least one token, got empty lines only`,
    );
  }
  return {
    metric,
    score: (100 * edits) / referenceLength,
    signature: signature([
      ['nrefs', '#', aligned.count],
      caseField(lowercase),
      ['unit', 'u', unit],
    ]),
    edits,
    referenceLength,
  };
}

export interface G2pScore {
  readonly metric: 'G2P';
  /** Words whose pronunciation is none of their references, in percent of all words. */
  readonly wordErrorRate: number;
  /** Edits to the nearest reference in percent of its phones. */
  readonly phoneErrorRate: number;
  readonly signature: string;
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
 * @throws DragomanError `input` for an empty corpus, unequal lengths, or a word without any pronunciation
 */
export function g2pErrorRate(hypotheses: readonly string[], references: References): G2pScore {
  const { lines } = alignReferences('G2P', hypotheses, references);
  const split = unitSplitter('word');
  let wrongWords = 0;
  let edits = 0;
  let phones = 0;
  let most = 1;
  for (const [line, hypothesis] of hypotheses.entries()) {
    const pronunciations = lines[line]!.map(split).filter((tokens) => tokens.length > 0);
    if (pronunciations.length === 0) {
      throw new DragomanError('input', `G2P: line ${line + 1}: expected a pronunciation, got none`);
    }
    most = Math.max(most, pronunciations.length);
    const nearest = nearestReference(split(hypothesis), pronunciations);
    if (nearest.edits > 0) wrongWords++;
    edits += nearest.edits;
    phones += nearest.length;
  }
  return {
    metric: 'G2P',
    wordErrorRate: (100 * wrongWords) / hypotheses.length,
    phoneErrorRate: (100 * edits) / phones,
    signature: signature([
      ['nrefs', '#', most === 1 ? 1 : 'var'],
      ['unit', 'u', 'phone'],
    ]),
    words: hypotheses.length,
    wrongWords,
    edits,
    phones,
  };
}
