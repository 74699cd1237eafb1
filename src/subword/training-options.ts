import { z } from 'zod';
import { expectation } from '../config/fields.js';
import { DragomanError } from '../errors.js';
import { NORMALIZATION_NAMES } from './normalization-rules.js';

// Every default stands once, here; they are those of `spm_train`. The descriptions make the documentation.

const count = z.int().positive();
const id = z.int().min(-1);
const name = z.string().min(1);

export const SUBWORD_MODEL_TYPES = ['unigram', 'bpe', 'char', 'word'] as const;

/** Options of subword training, under the names that Google's `spm_train` gives them. */
export const subwordTrainingSchema = z.strictObject({
  vocabSize: count.describe('Pieces of the model, those with a special meaning included.'),
  modelType: z
    .enum(SUBWORD_MODEL_TYPES)
    .default('unigram')
    .describe('Unigram language model (Kudo 2018), byte-pair encoding (Sennrich et al. 2016), or none.'),
  characterCoverage: z
    .number()
    .min(0.98)
    .max(1)
    .default(0.9995)
    .describe('Share of the text whose characters become pieces; the rarest are left out.'),
  normalizationRuleName: z
    .enum(NORMALIZATION_NAMES)
    .default('nmt_nfkc')
    .describe('How text is normalized; `_cf` also folds case.'),
  addDummyPrefix: z
    .boolean()
    .default(true)
    .describe('Put a space before the text, so that its first word looks as inside a sentence.'),
  removeExtraWhitespaces: z
    .boolean()
    .default(true)
    .describe('Take off spaces at both ends and make several into one.'),
  splitByWhitespace: z.boolean().default(true).describe('No piece crosses a space.'),
  treatWhitespaceAsSuffix: z
    .boolean()
    .default(false)
    .describe('Spaces end pieces instead of beginning them.'),
  splitByUnicodeScript: z.boolean().default(true).describe('No piece mixes scripts.'),
  splitByNumber: z.boolean().default(true).describe('Digits count as a script of their own.'),
  splitDigits: z.boolean().default(false).describe('Every digit is a piece alone.'),
  byteFallback: z
    .boolean()
    .default(false)
    .describe('256 pieces for bytes, into which characters go that the model does not know.'),
  userDefinedSymbols: z
    .array(name)
    .default([])
    .describe('Pieces that text is always cut into, never split nor joined.'),
  controlSymbols: z.array(name).default([]).describe('Pieces with an id that no text produces.'),
  maxSentencepieceLength: z.int().min(1).max(512).default(16).describe('Characters of a piece at most.'),
  maxSentenceLength: z.int().min(10).default(4192).describe('Lines of more bytes are left out and counted.'),
  inputSentenceSize: z
    .int()
    .min(0)
    .default(0)
    .describe('Train on so many lines: drawn evenly from all, or the first. 0 is all.'),
  shuffleInputSentence: z
    .boolean()
    .default(true)
    .describe('Draw `inputSentenceSize` lines at random instead of taking the first.'),
  seed: z.int().default(1).describe('Fixes which lines are drawn.'),
  hardVocabLimit: z
    .boolean()
    .default(true)
    .describe('Refuse if the text has fewer pieces than `vocabSize`; off: a smaller model.'),
  seedSentencepieceSize: count.default(1_000_000).describe('Unigram: substrings that training starts from.'),
  shrinkingFactor: z
    .number()
    .min(0.5)
    .max(0.95)
    .default(0.75)
    .describe('Unigram: share of the pieces kept by each pruning.'),
  numSubIterations: z.int().min(1).max(10).default(2).describe('Unigram: EM iterations before each pruning.'),
  unkId: z.int().min(0).default(0).describe('Id of the unknown piece.'),
  bosId: id.default(1).describe('Id of the beginning of a sentence; -1 is none.'),
  eosId: id.default(2).describe('Id of the end of a sentence; -1 is none.'),
  padId: id.default(-1).describe('Id of padding; -1 is none.'),
  unkPiece: name.default('<unk>').describe('Name of the unknown piece.'),
  bosPiece: name.default('<s>').describe('Name of the beginning of a sentence.'),
  eosPiece: name.default('</s>').describe('Name of the end of a sentence.'),
  padPiece: name.default('<pad>').describe('Name of padding.'),
  unkSurface: z.string().default(' \u2047 ').describe('What an unknown piece is in decoded text.'),
});

/** Options of subword training with every default filled in. */
export type SubwordTrainingOptions = z.output<typeof subwordTrainingSchema>;
/** Options of subword training as given. */
export type SubwordTrainingInput = z.input<typeof subwordTrainingSchema>;

/**
 * Fills in the defaults.
 *
 * @throws DragomanError `usage`, naming the first option that does not fit
 */
export function resolveSubwordTraining(input: SubwordTrainingInput): SubwordTrainingOptions {
  const { data, error } = subwordTrainingSchema.safeParse(input);
  if (data !== undefined) return data;
  const [issue] = error.issues;
  const key = String(issue?.path[0] ?? '');
  const field = Object.entries(subwordTrainingSchema.shape).find(([name]) => name === key)?.[1];
  const got = JSON.stringify(Object.entries(input).find(([name]) => name === key)?.[1]);
  throw new DragomanError(
    'usage',
    field === undefined
      ? `subword training: ${issue?.message}`
      : `subword training: ${key}: expected ${expectation(field)}, got ${got ?? 'none'}`,
  );
}
