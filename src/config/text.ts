import { z } from 'zod';
import { subwordTrainingSchema } from '../subword/training-options.js';
import { count, path } from './values.js';

export const TOKENIZER_KINDS = ['character', 'word', 'sentencepiece'] as const;

const lowercase = z.boolean().default(false).describe('Lower-case the text first. Not reversible, so off.');
export const tokenizer = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('character').describe('Grapheme clusters.'), lowercase }),
  z.strictObject({ kind: z.literal('word').describe('Words and punctuation, reversibly.'), lowercase }),
  z.strictObject({
    kind: z.literal('sentencepiece').describe('Pieces of a SentencePiece model.'),
    model: path.optional().describe('A SentencePiece `.model` file; or `train`.'),
    train: subwordTrainingSchema
      .optional()
      .describe('Train a model on the training corpus; with `text.joint` one on both sides.'),
  }),
]);

/** What is wrong with a tokenizer's section beyond its keys; null if nothing is. */
export function tokenizerProblem(spec: z.output<typeof tokenizer>): string | null {
  if (spec.kind !== 'sentencepiece' || (spec.model === undefined) !== (spec.train === undefined)) return null;
  return 'sentencepiece needs either model, a file, or train with a vocabSize';
}

export const DEFAULT_VOCABULARY = { minFrequency: 1, maxSize: 32_000 };
export const vocabulary = z.strictObject({
  minFrequency: count
    .default(DEFAULT_VOCABULARY.minFrequency)
    .describe(
      'Tokens seen less often become the unknown token. 1 keeps all. Not for sentencepiece sides, whose model is their vocabulary.',
    ),
  maxSize: count
    .default(DEFAULT_VOCABULARY.maxSize)
    .describe(
      'Most frequent tokens kept, specials not counted. 32,000 covers the usual word-level settings. Not for sentencepiece sides.',
    ),
});

/** `text` of a translation model. */
export const textSection = z.strictObject({
  source: tokenizer,
  target: tokenizer,
  vocabulary: vocabulary.prefault({}),
  joint: z
    .boolean()
    .default(false)
    .describe('One vocabulary for both sides, needed for tied source and target embeddings.'),
});
