import { z } from 'zod';
import { cellOptions } from '../cell/options.js';
import { count, kindOrSection, rate } from './values.js';

export const SUMMARY_KINDS = ['last', 'mean', 'max', 'tanh'] as const;

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

/** `model` of a translation model. */
export const modelSection = z.strictObject({
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
