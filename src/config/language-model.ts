import { z } from 'zod';
import { sizeProblem } from '../cell/options.js';
import { corpusMemory, tableShape } from './corpus.js';
import { cell, dropout } from './model.js';
import { seed, type Task } from './task.js';
import { DEFAULT_VOCABULARY, tokenizer, tokenizerProblem, vocabulary } from './text.js';
import { segmentation, trainSection, validationShape } from './train.js';
import { count, path } from './values.js';

// `task: language-model`. What means the same as in a translation model's configuration is the same schema.

/** Exactly one of the two shapes; the loader tells them apart by the key `file`. */
const corpus = z.union([
  z.strictObject({
    ...tableShape,
    text: z
      .string()
      .min(1)
      .default('text')
      .describe('Column (from the header line) or JSON key of the text.'),
  }),
  z.strictObject({ text: path.describe('Sentences, one a line; `.gz` is unpacked; `-` is standard input.') }),
]);

const dataSection = z.strictObject({
  train: corpus,
  validation: corpus,
  maxLength: count
    .default(100)
    .describe(
      'Tokens; a longer sentence is dropped and counted, never cut. 100 keeps nearly all of any text.',
    ),
  memory: corpusMemory,
});

const textSection = z.strictObject({
  tokenizer: tokenizer.optional(),
  from: path
    .optional()
    .describe(
      'Instead of `tokenizer`: a model folder, whose target tokenizer and vocabulary are taken, so that beam search can add this language model to that translation model.',
    ),
  vocabulary: vocabulary.prefault({}),
});

const modelSection = z.strictObject({
  cell,
  embedding: count.default(256).describe('Embedding size.'),
  hidden: count.default(512).describe('Units.'),
  layers: count.default(1).describe('Stacked layers.'),
  bidirectional: z
    .boolean()
    .default(false)
    .describe('Must be false: a backward direction reads the words that are to be predicted.'),
  output: count
    .optional()
    .describe('Size of o_t; `hidden` if absent. With a tied embedding it must equal `embedding`.'),
  tieEmbedding: z
    .boolean()
    .default(false)
    .describe('Embedding and output layer share one matrix (Press & Wolf 2017).'),
  dropout,
});

export const languageModelSchema = z
  .strictObject({
    task: z.literal('language-model' satisfies Task).describe('A language model of one-sided text.'),
    seed,
    data: dataSection,
    text: textSection,
    model: modelSection.prefault({}),
    train: z
      .strictObject({
        ...trainSection.shape,
        segmentation: segmentation.prefault({ kind: 'best' }),
        validation: z.strictObject(validationShape).prefault({}),
      })
      .prefault({}),
  })
  .superRefine(({ data, model, text, train }, context) => {
    const issue = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    if (model.bidirectional) {
      issue(
        ['model', 'bidirectional'],
        'a language model cannot be bidirectional: the backward direction reads the words it has to predict',
      );
    }
    if (model.tieEmbedding && (model.output ?? model.hidden) !== model.embedding) {
      issue(['model', 'tieEmbedding'], 'a tied embedding needs model.output equal to model.embedding');
    }
    const problem = sizeProblem(model.cell, model.hidden);
    if (problem !== null) issue(['model', 'cell'], `${problem} (model.hidden)`);
    const { tokenizer: spec, from } = text;
    if ((spec === undefined) === (from === undefined)) {
      const got = spec === undefined ? 'neither' : 'both';
      issue(['text'], `expected either tokenizer, or from with a model folder, got ${got}`);
    }
    const wrong = spec && tokenizerProblem(spec);
    if (wrong) issue(['text', 'tokenizer'], wrong);
    const { kind } = train.segmentation;
    // The tokenizer of another model is known when that is read; it is checked there.
    if (kind !== 'best' && spec && spec.kind !== 'sentencepiece') {
      issue(
        ['train', 'segmentation'],
        `${kind} needs a sentencepiece tokenizer in text.tokenizer, got ${spec.kind}`,
      );
    }
    for (const key of ['minFrequency', 'maxSize'] as const) {
      if (text.vocabulary[key] === DEFAULT_VOCABULARY[key]) continue;
      if (from !== undefined) {
        issue(['text', 'vocabulary', key], 'has no effect: text.from brings its vocabulary');
      } else if (spec?.kind === 'sentencepiece') {
        issue(['text', 'vocabulary', key], 'has no effect: a sentencepiece model is its own vocabulary');
      }
    }
    const inputs = [data.train, data.validation].map((one) => ('file' in one ? one.file : one.text));
    if (inputs.every((input) => input === '-')) {
      issue(['data'], 'standard input (-) can be read only once, but stands in two places');
    }
  });

/** A language model's configuration with every default filled in. */
export type LanguageModelConfig = z.output<typeof languageModelSchema>;
/** The same as a user writes it. */
export type LanguageModelConfigInput = z.input<typeof languageModelSchema>;
export type TextCorpusSpec = LanguageModelConfig['data']['train'];
