import { describe, expect, it } from 'vitest';
import { configToYaml, type LanguageModelConfig, parseConfig, resolveConfig } from '../src/config.js';
import { requireSameConfig } from '../src/train/resume.js';

const BASE = `task: language-model
data: { train: { text: a.txt }, validation: { file: b.tsv, text: said } }
text: { tokenizer: { kind: word } }
`;

function messageFor(yaml: string): string {
  try {
    parseConfig(yaml, 'lm.yaml');
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('expected an error');
}

describe('the configuration of a language model', () => {
  it('fills in its defaults, and is the same when it is read again', () => {
    const config = parseConfig(BASE, 'lm.yaml') as LanguageModelConfig;
    expect(config.data.validation).toEqual({ file: 'b.tsv', text: 'said' });
    expect(config.model).toMatchObject({ hidden: 512, layers: 1, tieEmbedding: false });
    expect(config.train.segmentation).toEqual({ kind: 'best' });
    expect(config.train.validation).toEqual({});
    expect(parseConfig(configToYaml(config), 'again')).toEqual(config);
    expect(resolveConfig(config)).toEqual(config);
  });

  const wrong: [string, string, string][] = [
    [
      'another task',
      'task: language-modle\n',
      'lm.yaml:1:1: task: expected one of translation, language-model, got "language-modle", did you mean language-model?',
    ],
    [
      'a key of translation models',
      `${BASE}model: { encoder: { hidden: 3 } }\n`,
      'lm.yaml:4:10: model.encoder: unknown key, expected one of cell, embedding, hidden, layers, bidirectional, output, tieEmbedding, dropout',
    ],
    [
      'two directions',
      `${BASE}model: { bidirectional: true }\n`,
      'lm.yaml:4:10: model.bidirectional: a language model cannot be bidirectional: the backward direction reads the words it has to predict',
    ],
    [
      'a parallel corpus',
      BASE.replace('{ text: a.txt }', '{ source: a, target: b }'),
      'lm.yaml:2:9: data.train.text: missing, expected a text; lm.yaml:2:18: data.train.source: unknown key, expected one of file, format, text; lm.yaml:2:29: data.train.target: unknown key, expected one of file, format, text',
    ],
    [
      'tokens from two places',
      BASE.replace('word }', 'word }, from: models/mine'),
      'lm.yaml:3:1: text: expected either tokenizer, or from with a model folder, got both',
    ],
    [
      'a vocabulary beside one that is taken',
      BASE.replace('tokenizer: { kind: word }', 'from: models/mine, vocabulary: { maxSize: 5 }'),
      'lm.yaml:3:42: text.vocabulary.maxSize: has no effect: text.from brings its vocabulary',
    ],
    [
      'sampled words',
      `${BASE}train: { segmentation: { kind: sampling } }\n`,
      'lm.yaml:4:10: train.segmentation: sampling needs a sentencepiece tokenizer in text.tokenizer, got word',
    ],
    [
      'tied tables of two sizes',
      `${BASE}model: { tieEmbedding: true }\n`,
      'lm.yaml:4:10: model.tieEmbedding: a tied embedding needs model.output equal to model.embedding',
    ],
    [
      'BLEU',
      `${BASE}train: { validation: { bleuSentences: 3 } }\n`,
      'lm.yaml:4:24: train.validation.bleuSentences: unknown key, did you mean sentences?',
    ],
  ];
  it.each(wrong)('says where and what for %s', (_, yaml, message) => {
    expect(messageFor(yaml)).toBe(message);
  });
});

describe('a checkpoint that is older than there being two tasks', () => {
  it('is one of a translation model', () => {
    const side = { kind: 'word' } as const;
    const corpus = { source: 'a', target: 'b' };
    const config = resolveConfig({
      data: { train: corpus, validation: corpus },
      text: { source: side, target: side },
    });
    const { task: _, ...old } = config;
    expect(() => requireSameConfig(old as typeof config, config, 'x')).not.toThrow();
  });
});
