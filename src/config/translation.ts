import { z } from 'zod';
import { sizeProblem } from '../cell/options.js';
import { dataSection } from './corpus.js';
import { modelSection } from './model.js';
import { seed, type Task } from './task.js';
import { DEFAULT_VOCABULARY, textSection, tokenizerProblem } from './text.js';
import { trainSection } from './train.js';

/** A configuration of a translation model; language-model.ts has that of a language model. */
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
