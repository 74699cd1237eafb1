import { z } from 'zod';
import { count, rate } from './values.js';

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
