import { z } from 'zod';
import { cellOptions, sizeProblem } from './cell/options.js';
import { subwordTrainingSchema } from './subword/training-options.js';

export { CELL_KINDS, type CellInput, type CellKind, type CellOptions } from './cell/options.js';

// Every default stands once, here, with its reason. The descriptions make docs/configuration.md.

const count = z.int().positive();
const rate = z.number().min(0).lt(1);
const path = z.string().min(1);

export const TOKENIZER_KINDS = ['character', 'word', 'sentencepiece'] as const;
export const SUMMARY_KINDS = ['last', 'mean', 'max', 'tanh'] as const;

type Kinds = z.ZodDiscriminatedUnion<readonly z.ZodObject<{ kind: z.ZodLiteral<string> }>[], 'kind'>;

/** A kind by its name alone, or a section with a kind and options; either way all options are filled in. */
function kindOrSection<S extends Kinds>(section: S) {
  const kinds = section.options.map(({ shape }) => shape.kind.value) as [z.output<S>['kind']];
  return z
    .union([z.enum(kinds), section])
    .transform((spec): z.output<S> => (typeof spec === 'string' ? section.parse({ kind: spec }) : spec));
}

const attentionOptions = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none').describe('The decoder sees the summary alone.') }),
  z.strictObject({ kind: z.literal('dot').describe('s · h (Luong et al. 2015).') }),
  z.strictObject({ kind: z.literal('general').describe('s · W h (Luong et al. 2015).') }),
  z.strictObject({ kind: z.literal('additive').describe('v · tanh(W s + U h) (Bahdanau et al. 2015).') }),
  z.strictObject({
    kind: z.literal('hopfield').describe('Retrieval from a modern Hopfield network (Ramsauer et al. 2020).'),
    steps: count
      .default(1)
      .describe('Updates of the query towards the keys; 1 is the attention of transformers.'),
    beta: z
      .number()
      .positive()
      .optional()
      .describe('Inverse temperature; 1/sqrt(`decoder.hidden`) if absent.'),
  }),
]);

export const ATTENTION_KINDS = attentionOptions.options.map(({ shape }) => shape.kind.value);

/** A file with named columns. */
export const tableShape = {
  file: path.describe('A TSV, CSV or JSONL file; `.gz` is unpacked; `-` is standard input.'),
  format: z
    .enum(['tsv', 'csv', 'jsonl'])
    .optional()
    .describe("The file's format; its name's ending decides if absent."),
};
const oneFile = z.strictObject({
  ...tableShape,
  source: z
    .string()
    .min(1)
    .default('source')
    .describe('Column (from the header line) or JSON key of the source.'),
  target: z.string().min(1).default('target').describe('Column or JSON key of the target.'),
});
const twoFiles = z.strictObject({
  source: path.describe('Source sentences, one a line; `.gz` is unpacked; `-` is standard input.'),
  target: path.describe('Target sentences, line by line beside the source.'),
});
/** Exactly one of the two shapes; the loader tells them apart by the key `file`. */
const corpus = z.union([oneFile, twoFiles]);

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

/** How much of the training corpus stays in memory. */
export const corpusMemory = count
  .default(1024)
  .describe(
    'MiB of the training corpus (2 bytes a token, 4 with more than 65,536 entries) that stay in memory; what is more goes to a temporary file (`TMPDIR`) and is read from there as it is needed. 1024 hold 20 million pairs of sentences. Beside it a pair takes 28 bytes. Changes nothing else.',
  );

const maxLength = count
  .default(100)
  .describe(
    'Tokens a side; a longer pair is dropped and counted, never cut. 100 keeps nearly all of any corpus.',
  );
const dataSection = z.strictObject({ train: corpus, validation: corpus, maxLength, memory: corpusMemory });

const textSection = z.strictObject({
  source: tokenizer,
  target: tokenizer,
  vocabulary: vocabulary.prefault({}),
  joint: z
    .boolean()
    .default(false)
    .describe('One vocabulary for both sides, needed for tied source and target embeddings.'),
});

export const cell = kindOrSection(cellOptions)
  .prefault('lstm')
  .describe(
    'Recurrent cell: its kind, or a section with its kind and options. LSTM: the strongest of the classic cells on translation (Sutskever et al. 2014).',
  );
export const dropout = z
  .strictObject({
    embedding: rate.default(0.3).describe('On embeddings.'),
    layers: rate.default(0.3).describe('Between stacked layers.'),
    output: rate.default(0.3).describe('On o_t.'),
  })
  .prefault({});

const modelSection = z.strictObject({
  cell,
  embedding: count.default(256).describe('Embedding size of both sides.'),
  encoder: z
    .strictObject({
      cell: kindOrSection(cellOptions).optional().describe("The encoder's own cell; `model.cell` if absent."),
      hidden: count.default(256).describe('Units a direction.'),
      layers: count.default(1).describe('Stacked layers.'),
      bidirectional: z
        .boolean()
        .default(true)
        .describe('Read the source in both directions (Bahdanau et al. 2015).'),
    })
    .prefault({}),
  decoder: z
    .strictObject({
      cell: kindOrSection(cellOptions).optional().describe("The decoder's own cell; `model.cell` if absent."),
      hidden: count.default(512).describe('Units; 512 is both directions of the default encoder together.'),
      layers: count.default(1).describe('Stacked layers.'),
    })
    .prefault({}),
  reverseSource: z
    .boolean()
    .default(false)
    .describe('Feed the source last token first (Sutskever et al. 2014, section 3.3).'),
  summary: z
    .enum(SUMMARY_KINDS)
    .default('last')
    .describe('How the encoder states become c: c = q(h_1..h_S).'),
  context: z
    .enum(['every-step', 'initial'])
    .default('initial')
    .describe('c goes into every decoder step (Cho et al. 2014) or only into its first state.'),
  attention: kindOrSection(attentionOptions)
    .prefault('general')
    .describe('Attention score: its kind, or a section with its kind and options.'),
  inputFeeding: z
    .boolean()
    .default(false)
    .describe(
      'Feed the last attention output into the next step (Luong et al. 2015, section 3.3). Off: the whole target is one kernel.',
    ),
  output: count
    .optional()
    .describe(
      'Size of o_t; `decoder.hidden` if absent. With a tied target embedding it must equal `embedding`.',
    ),
  tieTargetEmbedding: z
    .boolean()
    .default(false)
    .describe('Target embedding and output layer share one matrix (Press & Wolf 2017).'),
  tieSourceEmbedding: z
    .boolean()
    .default(false)
    .describe('Source and target embeddings share one matrix; needs `text.joint`.'),
  dropout,
});

const scheduleOption = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant').describe('The same learning rate throughout.') }),
  z.strictObject({
    kind: z.literal('plateau').optional().default('plateau').describe('Lower it when validation stalls.'),
    factor: rate.default(0.5).describe('Multiplier when validation has not improved for `patience` checks.'),
    patience: count.default(1).describe('Checks in a row without improvement after which it falls.'),
    minimum: z.number().positive().default(1e-5).describe('The learning rate never falls below this.'),
  }),
  z.strictObject({
    kind: z
      .literal('inverse-square-root')
      .describe('Linear warm-up, then 1/sqrt(step) (Vaswani et al. 2017).'),
    warmup: count.default(4000).describe('Steps of warm-up; the highest rate is `optimizer.learningRate`.'),
  }),
  z.strictObject({
    kind: z
      .literal('linear')
      .describe('Linear warm-up, then linearly down to 0: for a fixed budget of steps, epochs or minutes.'),
    warmup: z
      .int()
      .min(0)
      .default(300)
      .describe('Steps of warm-up; the highest rate is `optimizer.learningRate`.'),
    steps: count
      .optional()
      .describe(
        'The step at which the rate reaches 0. Absent: it reaches 0 with the first of `train.steps`, `train.epochs` and `train.minutes`; by minutes no two runs are equal.',
      ),
  }),
]);

const optimizerOption = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('adam').optional().default('adam').describe('Kingma & Ba 2015.'),
    learningRate: z.number().positive().default(1e-3).describe('Step size.'),
    beta1: rate.default(0.9).describe('Decay of the first moment.'),
    beta2: rate.default(0.999).describe('Decay of the second moment.'),
    epsilon: z.number().positive().default(1e-8).describe('Keeps the division finite.'),
  }),
  z.strictObject({
    kind: z.literal('sgd').describe('Stochastic gradient descent.'),
    learningRate: z.number().positive().default(0.1).describe('Step size.'),
    momentum: rate.default(0.9).describe('Momentum; 0 is plain descent.'),
  }),
]);

/** How the training text of a side is cut into pieces. */
export const segmentation = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('best').describe('Always the same, best way.') }),
  z.strictObject({
    kind: z
      .literal('sampling')
      .describe(
        'Anew in every epoch, by the probability that a SentencePiece unigram model gives (Kudo 2018). The text stays in memory. Batches are made by the lengths of the best way, which is also taken where another would be longer than `data.maxLength`.',
      ),
    alpha: z
      .number()
      .min(0)
      .default(0.1)
      .describe(
        "Exponent of the probability: 0 draws all ways alike, large values the best one. 0.1 as in SentencePiece's own examples; larger for large corpora.",
      ),
  }),
  z.strictObject({
    kind: z
      .literal('bpe-dropout')
      .describe(
        'Anew in every epoch, leaving out merges of a SentencePiece BPE model (Provilkov et al. 2020). Memory and lengths as with sampling.',
      ),
    dropout: rate.default(0.1).describe('Probability of leaving a merge out. 0.1 as in the paper.'),
  }),
]);

/** Figures of a validation that every task has. */
export const validationShape = {
  everySteps: count.optional().describe('Check every so many steps; once an epoch if absent.'),
  sentences: count.optional().describe('Sentence pairs used for perplexity and accuracy; all if absent.'),
};

export const trainSection = z.strictObject({
  epochs: count.default(20).describe('Stop after this many epochs, steps or minutes, whichever comes first.'),
  steps: count.optional().describe('Stop after this many steps.'),
  minutes: z.number().positive().optional().describe('Stop after this many minutes of training.'),
  batch: z
    .strictObject({
      by: z.enum(['sentences', 'tokens']).default('sentences').describe('What `size` counts.'),
      size: count.default(64).describe('Sentences in a batch, or at most so many padded target tokens.'),
    })
    .prefault({}),
  optimizer: optimizerOption.prefault({}),
  schedule: scheduleOption.prefault({}),
  clip: z.number().min(0).default(1).describe("Clip the gradient's global norm; 0 is off."),
  segmentation: z
    .strictObject({
      source: segmentation.prefault({ kind: 'best' }),
      target: segmentation.prefault({ kind: 'best' }),
    })
    .prefault({}),
  labelSmoothing: rate.default(0.1).describe('Share of the target given to all other tokens; 0 is off.'),
  validation: z
    .strictObject({
      ...validationShape,
      bleuSentences: z
        .int()
        .min(0)
        .default(200)
        .describe('Sentences translated greedily for BLEU; 0 is off.'),
    })
    .prefault({}),
  earlyStopping: z
    .int()
    .min(0)
    .default(5)
    .describe('Stop when this many checks in a row bring no better validation perplexity; 0 is off.'),
  average: count
    .default(1)
    .describe(
      'Final weights are the mean of the last n checkpoints written at validation; 1 keeps the best one.',
    ),
  checkpointSteps: count
    .optional()
    .describe('Also write a `last` checkpoint every so many steps, beside those at validation.'),
  tensorboard: z.boolean().default(false).describe('Write TensorBoard event files below the model folder.'),
});

export const TASKS = ['translation', 'language-model'] as const;
export type Task = (typeof TASKS)[number];

export const seed = z.int().default(1).describe('Fixes initial weights, dropout and the order of the data.');

/** A configuration of a translation model; config-language-model.ts has that of a language model. */
export const configSchema = z
  .strictObject({
    task: z
      .literal('translation' satisfies Task)
      .default('translation')
      .describe('What is trained; `language-model` has keys of its own.'),
    seed,
    data: dataSection,
    text: textSection,
    model: modelSection.prefault({}),
    train: trainSection.prefault({}),
  })
  .superRefine((config, context) => {
    const { data, model, text, train } = config;
    const issue = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    if (model.tieTargetEmbedding && (model.output ?? model.decoder.hidden) !== model.embedding) {
      issue(
        ['model', 'tieTargetEmbedding'],
        'a tied target embedding needs model.output equal to model.embedding',
      );
    }
    if (model.tieSourceEmbedding && !text.joint) {
      issue(['model', 'tieSourceEmbedding'], 'tied source and target embeddings need text.joint: true');
    }
    if (model.attention.kind === 'none' && model.inputFeeding) {
      issue(['model', 'inputFeeding'], 'input feeding needs an attention other than none');
    }
    if (model.attention.kind === 'dot') {
      const memory = model.encoder.hidden * (model.encoder.bidirectional ? 2 : 1);
      if (memory !== model.decoder.hidden) {
        issue(
          ['model', 'attention'],
          `dot attention needs encoder output (${memory}) and decoder.hidden (${model.decoder.hidden}) of one size`,
        );
      }
    }
    for (const side of ['encoder', 'decoder'] as const) {
      const { cell = model.cell, hidden } = model[side];
      const problem = sizeProblem(cell, hidden);
      if (problem !== null) {
        const own = model[side].cell !== undefined;
        issue(own ? ['model', side, 'cell'] : ['model', 'cell'], `${problem} (${side}.hidden)`);
      }
    }
    for (const side of ['source', 'target'] as const) {
      const problem = tokenizerProblem(text[side]);
      if (problem !== null) issue(['text', side], problem);
    }
    if (text.joint && JSON.stringify(text.source) !== JSON.stringify(text.target)) {
      issue(['text', 'joint'], 'a joint vocabulary needs the same tokenizer on both sides');
    }
    for (const side of ['source', 'target'] as const) {
      const { kind } = train.segmentation[side];
      if (kind !== 'best' && text[side].kind !== 'sentencepiece') {
        issue(
          ['train', 'segmentation', side],
          `${kind} needs a sentencepiece tokenizer in text.${side}, got ${text[side].kind}`,
        );
      }
    }
    const counted = text.source.kind !== 'sentencepiece' || text.target.kind !== 'sentencepiece';
    for (const key of ['minFrequency', 'maxSize'] as const) {
      if (!counted && text.vocabulary[key] !== DEFAULT_VOCABULARY[key]) {
        issue(['text', 'vocabulary', key], 'has no effect: a sentencepiece model is its own vocabulary');
      }
    }
    const inputs = [data.train, data.validation].flatMap((corpus) =>
      'file' in corpus ? [corpus.file] : [corpus.source, corpus.target],
    );
    if (inputs.filter((input) => input === '-').length > 1) {
      issue(['data'], 'standard input (-) can be read only once, but stands in two places');
    }
  });

/** A configuration with every default filled in. */
export type Config = z.output<typeof configSchema>;
/** A configuration as a user writes it. */
export type ConfigInput = z.input<typeof configSchema>;
export type CorpusSpec = Config['data']['train'];
export type TokenizerSpec = Config['text']['source'];
export type TokenizerKind = TokenizerSpec['kind'];
export type VocabularySpec = Config['text']['vocabulary'];
export type ModelConfig = Config['model'];
export type TrainConfig = Config['train'];
export type SegmentationSpec = TrainConfig['segmentation']['source'];
export type OptimizerSpec = TrainConfig['optimizer'];
export type ScheduleSpec = TrainConfig['schedule'];
export type AttentionSpec = ModelConfig['attention'];
