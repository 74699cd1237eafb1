import { dirname, resolve } from 'node:path';
import { LineCounter, parseDocument, type Document, isNode, stringify } from 'yaml';
import { z } from 'zod';
import { DragomanError, excerpt } from './errors.js';

// Every default stands once, here, with its reason.

const count = z.int().positive();
const probability = z.number().min(0).max(1);
const rate = z.number().min(0).lt(1);

export const CELL_KINDS = ['elman', 'gru', 'lstm'] as const;
export const TOKENIZER_KINDS = ['character', 'word', 'sentencepiece'] as const;
export const ATTENTION_KINDS = ['none', 'dot', 'general', 'additive'] as const;
export const SUMMARY_KINDS = ['last', 'mean', 'max', 'tanh'] as const;

const twoFiles = z.strictObject({
  /** Line-aligned text, one sentence a line; `.gz` is unpacked; `-` is standard input. */
  source: z.string().min(1),
  target: z.string().min(1),
});
const oneFile = z.strictObject({
  /** A TSV, CSV or JSONL file, or `-`. The format follows the name's ending unless it is given. */
  file: z.string().min(1),
  format: z.enum(['tsv', 'csv', 'jsonl']).optional(),
  /** Names of the columns (TSV, CSV: from the header line) or keys (JSONL). */
  source: z.string().min(1).default('source'),
  target: z.string().min(1).default('target'),
});
const corpus = z.union([oneFile, twoFiles]);

const tokenizer = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('character'), lowercase: z.boolean().default(false) }),
  z.strictObject({ kind: z.literal('word'), lowercase: z.boolean().default(false) }),
  z.strictObject({ kind: z.literal('sentencepiece'), model: z.string().min(1) }),
]);

const vocabulary = z.strictObject({
  /** Tokens seen less often than this become the unknown token. 1 keeps all. */
  minFrequency: count.default(1),
  /** Most frequent tokens kept, specials not counted. 32,000 covers the usual word-level settings. */
  maxSize: count.default(32_000),
});

const dataSection = z.strictObject({
  train: corpus,
  validation: corpus,
  /** Tokens a side; a longer pair is dropped and counted, never cut. 100 keeps nearly all of any corpus. */
  maxLength: count.default(100),
});

const textSection = z.strictObject({
  source: tokenizer,
  target: tokenizer,
  vocabulary: vocabulary.prefault({}),
  /** One vocabulary for both sides, needed for tied source and target embeddings. */
  joint: z.boolean().default(false),
});

const modelSection = z.strictObject({
  /** LSTM: the strongest of the classic cells on translation (Sutskever et al. 2014). */
  cell: z.enum(CELL_KINDS).default('lstm'),
  /** Embedding size of both sides. */
  embedding: count.default(256),
  encoder: z
    .strictObject({
      hidden: count.default(256), // a direction
      layers: count.default(1),
      bidirectional: z.boolean().default(true),
    })
    .prefault({}),
  decoder: z
    .strictObject({
      hidden: count.default(512), // both directions of the default encoder together
      layers: count.default(1),
    })
    .prefault({}),
  /** Feed the source last word first (Sutskever et al. 2014, section 3.3). */
  reverseSource: z.boolean().default(false),
  /** c = q(h_1..h_S). */
  summary: z.enum(SUMMARY_KINDS).default('last'),
  /** c goes into every decoder step (Cho et al. 2014) or only into its first state. */
  context: z.enum(['every-step', 'initial']).default('initial'),
  attention: z.enum(ATTENTION_KINDS).default('general'),
  /** Feed a_{t-1} into the next step (Luong et al. 2015, section 3.3). Off: the whole target is one kernel. */
  inputFeeding: z.boolean().default(false),
  /** Size of o_t; the decoder's hidden size if absent. With a tied embedding it must equal `embedding`. */
  output: count.optional(),
  /** Target embedding and output layer share one matrix (Press & Wolf 2017). */
  tieTargetEmbedding: z.boolean().default(false),
  /** Source and target embeddings share one matrix; needs `text.joint`. */
  tieSourceEmbedding: z.boolean().default(false),
  dropout: z
    .strictObject({
      embedding: rate.default(0.3),
      /** Between stacked layers. */
      layers: rate.default(0.3),
      /** On o_t. */
      output: rate.default(0.3),
    })
    .prefault({}),
});

const scheduleOption = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant') }),
  z.strictObject({
    kind: z.literal('plateau'),
    /** Factor when validation has not improved for `patience` checks. */
    factor: rate.default(0.5),
    patience: count.default(1),
    minimum: z.number().positive().default(1e-5),
  }),
  z.strictObject({ kind: z.literal('inverse-square-root'), warmup: count.default(4000) }),
]);

const optimizerOption = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('adam'),
    learningRate: z.number().positive().default(1e-3),
    beta1: rate.default(0.9),
    beta2: rate.default(0.999),
    epsilon: z.number().positive().default(1e-8),
  }),
  z.strictObject({
    kind: z.literal('sgd'),
    learningRate: z.number().positive().default(0.1),
    momentum: rate.default(0.9),
  }),
]);

const trainSection = z.strictObject({
  /** Stop after this many epochs, steps or minutes, whichever comes first. */
  epochs: count.default(20),
  steps: count.optional(),
  minutes: z.number().positive().optional(),
  /** One batch holds `size` sentences, or at most `size` padded target tokens. */
  batch: z
    .strictObject({ by: z.enum(['sentences', 'tokens']).default('sentences'), size: count.default(64) })
    .prefault({}),
  optimizer: optimizerOption.prefault({ kind: 'adam' }),
  schedule: scheduleOption.prefault({ kind: 'plateau' }),
  /** Clip the gradient's global norm; 0 is off. */
  clip: z.number().min(0).default(1),
  labelSmoothing: rate.default(0.1),
  validation: z
    .strictObject({
      /** Check every so many steps; once an epoch if absent. */
      everySteps: count.optional(),
      /** Sentences translated greedily for BLEU; 0 is off. */
      bleuSentences: z.int().min(0).default(200),
      /** Sentence pairs used for perplexity and accuracy; all if absent. */
      sentences: count.optional(),
    })
    .prefault({}),
  /** Stop when this many checks in a row bring no better validation perplexity; 0 is off. */
  earlyStopping: z.int().min(0).default(5),
  /** Final weights are the mean of the last n checkpoints written at validation; 1 keeps the best one. */
  average: count.default(1),
  /** Also write a `last` checkpoint every so many steps, beside those at validation. */
  checkpointSteps: count.optional(),
  /** Write TensorBoard event files below the model folder. */
  tensorboard: z.boolean().default(false),
});

export const configSchema = z
  .strictObject({
    seed: z.int().default(1),
    data: dataSection,
    text: textSection,
    model: modelSection.prefault({}),
    train: trainSection.prefault({}),
  })
  .superRefine((config, context) => {
    const { model, text } = config;
    const issue = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    if (model.tieTargetEmbedding && (model.output ?? model.decoder.hidden) !== model.embedding) {
      issue(['model', 'tieTargetEmbedding'], 'a tied target embedding needs model.output equal to model.embedding');
    }
    if (model.tieSourceEmbedding && !text.joint) {
      issue(['model', 'tieSourceEmbedding'], 'tied source and target embeddings need text.joint: true');
    }
    if (model.attention === 'none' && model.inputFeeding) {
      issue(['model', 'inputFeeding'], 'input feeding needs an attention other than none');
    }
    if (model.attention === 'dot') {
      const memory = model.encoder.hidden * (model.encoder.bidirectional ? 2 : 1);
      if (memory !== model.decoder.hidden) {
        issue(
          ['model', 'attention'],
          `dot attention needs encoder output (${memory}) and decoder.hidden (${model.decoder.hidden}) of one size`,
        );
      }
    }
    if (text.joint && JSON.stringify(text.source) !== JSON.stringify(text.target)) {
      issue(['text', 'joint'], 'a joint vocabulary needs the same tokenizer on both sides');
    }
  });

/** A configuration with every default filled in. */
export type Config = z.output<typeof configSchema>;
/** A configuration as a user writes it. */
export type ConfigInput = z.input<typeof configSchema>;
export type CorpusSpec = Config['data']['train'];
export type TokenizerSpec = Config['text']['source'];
export type VocabularySpec = Config['text']['vocabulary'];
export type ModelConfig = Config['model'];
export type TrainConfig = Config['train'];
export type OptimizerSpec = TrainConfig['optimizer'];
export type ScheduleSpec = TrainConfig['schedule'];
export type CellKind = ModelConfig['cell'];
