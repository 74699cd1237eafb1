import { resolve } from 'node:path';
import type { LanguageModelConfig } from '../config.js';
import { DragomanError } from '../errors.js';
import type { LanguageModel } from '../model/language-model.js';
import {
  createLanguageModel,
  type DescribedCodec,
  loadWrittenSide,
  saveLanguageModelText,
} from '../model/language-model-folder.js';
import { buildTextCodec } from '../text/codec.js';
import { SentencePieceTokenizer } from '../text/sentencepiece.js';
import { count, layers } from './model-card.js';
import { requireSameModel, type TrainingTask } from './task.js';
import { readTrainingTexts } from './training-data.js';

/** Trains a language model. @param configFolder what paths in the configuration are relative to */
export function languageModelTask(
  config: LanguageModelConfig,
  configFolder: string,
): TrainingTask<DescribedCodec, LanguageModel> {
  const { tokenizer: spec, from } = config.text;

  return {
    config,
    buildTexts: async (events) => {
      if (from !== undefined) return await loadWrittenSide(resolve(configFolder, from));
      return { codec: await buildTextCodec(config, spec!, configFolder, events), spec: spec! };
    },
    reopenTexts: async (folder) => {
      const text = await loadWrittenSide(folder);
      const { codec } = text;
      if (from !== undefined) {
        const now = (await loadWrittenSide(resolve(configFolder, from))).codec;
        requireSameModel(folder, 'text.from', from, now.tokenizer, codec.tokenizer);
        if (!now.vocabulary.equals(codec.vocabulary)) {
          throw new DragomanError(
            'config',
            `${folder}: cannot go on with another vocabulary: that of text.from, ${from}, is not the one it began with`,
          );
        }
      } else if (spec?.kind === 'sentencepiece' && spec.model !== undefined) {
        const named = await SentencePieceTokenizer.load(spec.model, configFolder);
        requireSameModel(folder, 'text.tokenizer.model', spec.model, named, codec.tokenizer);
      }
      return text;
    },
    tokenizers: ({ codec }) => [codec.tokenizer],
    readData: ({ codec }, options) => readTrainingTexts(config, configFolder, codec, options),
    save: (folder, text, isNew) => saveLanguageModelText(folder, config, configFolder, isNew ? text : null),
    createModel: ({ codec }) => createLanguageModel(config, codec),
    sampleTranslator: () => undefined,
    describe: ({ codec, spec: used }) => {
      const { cell, hidden, layers: number } = config.model;
      return {
        title: 'A language model',
        network: [['network', `${cell.kind}, ${layers(number)} of ${hidden}`]],
        vocabulary: `${count(codec.vocabulary.size)} (${used.kind})`,
        corpusSize: ({ length, targetTokens }) => `${count(length)} sentences, ${count(targetTokens)} tokens`,
        bleuSentences: 0,
        use: (folder) => `dragoman score ${folder} --target text.txt`,
      };
    },
  };
}
