import type { Config } from '../config.js';
import { createModel, loadCodecs, loadTranslationConfig, saveCodecs, saveConfig } from '../model/folder.js';
import type { Seq2Seq } from '../model/seq2seq.js';
import { buildCodecs, type Codecs } from '../text/codec.js';
import { SentencePieceTokenizer } from '../text/sentencepiece.js';
import { count, layers, type ModelDescription } from './model-card.js';
import { sampleTranslator } from './sample-translation.js';
import { requireSameModel, type TrainingTask } from './task.js';
import { readTrainingData, type TrainingData } from './training-data.js';

/** Trains a translation model. @param configFolder what paths in the configuration are relative to */
export function translationTask(config: Config, configFolder: string): TrainingTask<Codecs, Seq2Seq> {
  return {
    config,
    buildTexts: (events) => buildCodecs(config, configFolder, events),
    reopenTexts: async (folder) => {
      const codecs = await loadCodecs(folder, await loadTranslationConfig(folder));
      for (const side of ['source', 'target'] as const) {
        const spec = config.text[side];
        if (spec.kind !== 'sentencepiece' || spec.model === undefined) continue; // trained by the run itself, and saved
        const named = await SentencePieceTokenizer.load(spec.model, configFolder);
        requireSameModel(folder, `text.${side}.model`, spec.model, named, codecs[side].tokenizer);
      }
      return codecs;
    },
    tokenizers: ({ source, target }) => [source.tokenizer, target.tokenizer],
    readData: (codecs, options) => readTrainingData(config, configFolder, codecs, options),
    save: async (folder, codecs, isNew) => {
      const text = isNew
        ? await saveCodecs(folder, config, codecs)
        : (await loadTranslationConfig(folder)).text;
      return await saveConfig(folder, config, configFolder, text);
    },
    createModel: (codecs) => createModel(config, codecs),
    sampleTranslator: (model, codecs, sample) =>
      sample.length > 0 ? sampleTranslator(model, codecs, sample) : undefined,
    describe,
  };

  function describe(codecs: Codecs): ModelDescription {
    const { model, text } = config;
    const { encoder, decoder } = model;
    const attention = model.attention.kind === 'none' ? 'no' : model.attention.kind;
    const { source, target } = codecs;
    const pairs = ({ length, sourceTokens, targetTokens }: TrainingData['training']): string =>
      `${count(length)} pairs, ${count(sourceTokens)} source and ${count(targetTokens)} target tokens`;
    return {
      title: 'A sequence-to-sequence translation model',
      network: [
        [
          'encoder',
          `${(encoder.cell ?? model.cell).kind}, ${layers(encoder.layers)} of ${encoder.hidden}${encoder.bidirectional ? ' in each direction' : ''}${model.reverseSource ? ', source reversed' : ''}`,
        ],
        [
          'decoder',
          `${(decoder.cell ?? model.cell).kind}, ${layers(decoder.layers)} of ${decoder.hidden}, ${attention} attention${model.inputFeeding ? ' with input feeding' : ''}`,
        ],
      ],
      vocabulary: `source ${count(source.vocabulary.size)} (${text.source.kind}), target ${count(target.vocabulary.size)} (${text.target.kind})${text.joint ? ', joint' : ''}`,
      bleuSentences: config.train.validation.bleuSentences,
      use: (folder) => `dragoman translate ${folder} < source.txt > target.txt`,
      corpusSize: pairs,
    };
  }
}
