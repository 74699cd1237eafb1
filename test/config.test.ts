import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import {
  ATTENTION_KINDS,
  CELL_KINDS,
  type Config,
  type ConfigInput,
  configSchema,
  configToYaml,
  loadConfig,
  parseConfig,
  resolveConfig,
  SUMMARY_KINDS,
} from '../src/config.js';
import { DragomanError } from '../src/errors.js';

const CELLS = CELL_KINDS.join(', ');

const BASE = `data:
  train: {source: a.en, target: a.de}
  validation:
    file: dev.tsv
text:
  source: {kind: word}
  target: {kind: character}
`;

function errorOf(work: () => unknown): DragomanError {
  try {
    work();
  } catch (error) {
    if (error instanceof DragomanError) return error;
    throw error;
  }
  throw new Error('expected an error');
}

const messageFor = (text: string, overrides: string[] = []): string => {
  const error = errorOf(() => parseConfig(text, 'train.yaml', overrides));
  expect(error.code).toBe('config');
  expect(error.exitCode).toBe(2);
  expect(error.message).not.toMatch(/\n/);
  expect(error.message.length).toBeLessThan(600);
  return error.message;
};

describe('what only some tokenizers can do', () => {
  const pieces = BASE.replace('{kind: word}', '{kind: sentencepiece, model: a.model}');

  it('cutting anew in every epoch needs SentencePiece, on the side that asks for it', () => {
    const train = (side: string) => `train:\n  segmentation:\n    ${side}: {kind: sampling, alpha: 0.2}\n`;
    expect(parseConfig(pieces + train('source'), 'train.yaml').train.segmentation).toEqual({
      source: { kind: 'sampling', alpha: 0.2 },
      target: { kind: 'best' },
    });
    expect(messageFor(pieces + train('target'))).toBe(
      'train.yaml:10:5: train.segmentation.target: sampling needs a sentencepiece tokenizer in text.target, got character',
    );
  });

  it('a vocabulary of counted tokens needs tokens that are counted', () => {
    const vocabulary = '  vocabulary:\n    maxSize: 100\n';
    expect(parseConfig(pieces + vocabulary, 'train.yaml').text.vocabulary.maxSize).toBe(100);
    const both = pieces.replace('{kind: character}', '{kind: sentencepiece, model: b.model}');
    expect(messageFor(both + vocabulary)).toBe(
      'train.yaml:9:5: text.vocabulary.maxSize: has no effect: a sentencepiece model is its own vocabulary',
    );
  });
});

describe('parseConfig', () => {
  it('fills in every default', () => {
    const config = parseConfig(BASE, 'train.yaml');
    expect(config.model.cell).toEqual({ kind: 'lstm' });
    expect(config.train.optimizer).toEqual({
      kind: 'adam',
      learningRate: 1e-3,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
    });
    expect(config.data.validation).toEqual({ file: 'dev.tsv', source: 'source', target: 'target' });
    expect(config.text.vocabulary).toEqual({ minFrequency: 1, maxSize: 32_000 });
  });

  it('takes optimizer settings without naming the default kind', () => {
    const config = parseConfig(`${BASE}train: {optimizer: {learningRate: 0.5}}\n`, 'train.yaml');
    expect(config.train.optimizer).toMatchObject({ kind: 'adam', learningRate: 0.5 });
  });

  const wrong: [what: string, yaml: string, message: string][] = [
    [
      'an unknown choice',
      'model:\n  cell: lstn\n',
      `train.yaml:9:3: model.cell: expected one of ${CELLS}, got "lstn", did you mean lstm?`,
    ],
    ['an unknown key', 'model:\n  cel: lstm\n', 'train.yaml:9:3: model.cel: unknown key, did you mean cell?'],
    [
      'a number out of range',
      'train:\n  batch: {size: 0}\n',
      'train.yaml:9:11: train.batch.size: expected a positive whole number, got 0',
    ],
    [
      'a broken number',
      'train:\n  steps: 1.5\n',
      'train.yaml:9:3: train.steps: expected a positive whole number, got 1.5',
    ],
    [
      'a text for a number',
      'train:\n  steps: many\n',
      'train.yaml:9:3: train.steps: expected a positive whole number, got "many"',
    ],
    [
      'a rate of 1',
      'train:\n  labelSmoothing: 1\n',
      'train.yaml:9:3: train.labelSmoothing: expected a number, at least 0 and below 1, got 1',
    ],
    [
      'not a number',
      'train:\n  clip: .nan\n',
      'train.yaml:9:3: train.clip: expected a number, at least 0, got NaN',
    ],
    [
      'a huge number',
      'seed: 99999999999999999999\n',
      'train.yaml:8:1: seed: expected a whole number below 2^53, got 100000000000000000000',
    ],
    ['an empty section', 'model:\n', 'train.yaml:8:1: model: expected a section, got nothing'],
    ['a list for a section', 'model: []\n', 'train.yaml:8:1: model: expected a section, got a list'],
    [
      'an unknown kind',
      'train:\n  optimizer:\n    kind: adm\n',
      'train.yaml:10:5: train.optimizer.kind: expected one of adam, sgd, got "adm", did you mean adam?',
    ],
    [
      'a key of another kind',
      'train:\n  optimizer:\n    kind: sgd\n    beta1: 0.9\n',
      'train.yaml:11:5: train.optimizer.beta1: unknown key, expected one of kind, learningRate, momentum',
    ],
    [
      'an option of another cell',
      'model:\n  cell:\n    kind: echo-state\n    decay: 0.5\n',
      'train.yaml:11:5: model.cell.decay: unknown key, expected one of kind, spectralRadius, leak, sparsity, inputScaling, biasScaling',
    ],
    [
      "an option's misspelling, in the encoder's own cell",
      'model:\n  encoder:\n    cell: {kind: echo-state, spectralRadios: 0.5}\n',
      'train.yaml:10:30: model.encoder.cell.spectralRadios: unknown key, did you mean spectralRadius?',
    ],
    [
      'a cell option out of range',
      'model:\n  cell: {kind: echo-state, leak: 2}\n',
      'train.yaml:9:28: model.cell.leak: expected a positive number, at most 1, got 2',
    ],
    [
      'an unknown kind of cell in a section',
      'model:\n  cell:\n    kind: lstn\n',
      `train.yaml:10:5: model.cell.kind: expected one of ${CELLS}, got "lstn", did you mean lstm?`,
    ],
    [
      'clock periods out of order',
      'model:\n  cell: {kind: hierarchical, periods: [2, 1]}\n',
      'train.yaml:9:30: model.cell.periods: expected clock periods in rising order',
    ],
    [
      'a broken clock period',
      'model:\n  cell: {kind: hierarchical, periods: [1, 0]}\n',
      'train.yaml:9:30: model.cell.periods.1: expected a positive whole number, got 0',
    ],
    [
      'more clock periods than units',
      'model:\n  cell: hierarchical\n  decoder: {hidden: 3}\n',
      'train.yaml:9:3: model.cell: expected at most as many clock periods as units, got 4 periods for 3 units (decoder.hidden)',
    ],
    [
      'an Euler step longer than the time constant',
      'model:\n  decoder:\n    cell: {kind: continuous-time, timeConstant: 0.5}\n',
      'train.yaml:10:35: model.decoder.cell.timeConstant: expected more than one Euler step, step / substeps = 0.5, got 0.5',
    ],
    [
      'a state wider than the units',
      'model:\n  encoder: {cell: {kind: sequential-cascaded, stateWidth: 300}}\n',
      'train.yaml:9:13: model.encoder.cell: expected a stateWidth of at most 256 units, got 300 (encoder.hidden)',
    ],
    [
      'an option of another attention',
      'model:\n  attention: {kind: additive, beta: 1}\n',
      'train.yaml:9:31: model.attention.beta: unknown key, expected one of kind',
    ],
    ['a doubled key', 'seed: 1\nseed: 2\n', 'train.yaml:9:1: the key "seed" stands twice in one section'],
    ['a tab', 'model:\n\tcell: gru\n', 'train.yaml:9:1: expected spaces before a key, got a tab'],
    ['an unknown tag', 'seed: !foo 1\n', 'train.yaml:8:7: not valid YAML: Unresolved tag: !foo'],
    ['two documents', '---\nseed: 1\n', 'train.yaml:8:1: expected one YAML document, got several'],
    [
      'a prototype',
      '__proto__: {a: 1}\n',
      'train.yaml:8:1: __proto__: unknown key, expected one of task, seed, data, text, model, train',
    ],
    [
      'settings that exclude each other',
      'model: {attention: dot, decoder: {hidden: 3}}\n',
      'train.yaml:8:9: model.attention: dot attention needs encoder output (512) and decoder.hidden (3) of one size',
    ],
  ];
  it.each(wrong)('says where and what for %s', (_, yaml, message) => {
    expect(messageFor(BASE + yaml)).toBe(message);
  });

  const wrongCorpora: [string, string][] = [
    ['{source: a}', 'train.yaml:2:3: data.train.target: missing, expected a text'],
    [
      'a.txt',
      'train.yaml:2:3: data.train: expected a section with file, or a section with source and target, got "a.txt"',
    ],
    [
      '{fil: a}',
      'train.yaml:2:3: data.train: expected a section with file, or a section with source and target, got a section',
    ],
    [
      '{file: a, format: xml}',
      'train.yaml:2:20: data.train.format: expected one of tsv, csv, jsonl, got "xml"',
    ],
    [
      '{file: a, tgt: x}',
      'train.yaml:2:20: data.train.tgt: unknown key, expected one of file, format, source, target',
    ],
    [
      '{source: "-", target: "-"}',
      'train.yaml:1:1: data: standard input (-) can be read only once, but stands in two places',
    ],
  ];
  it.each(wrongCorpora)('explains the corpus %s', (corpus, message) => {
    expect(messageFor(BASE.replace('{source: a.en, target: a.de}', corpus))).toBe(message);
  });

  it('tells what an empty file lacks', () => {
    expect(messageFor('')).toBe(
      'train.yaml:1:1: data: missing, expected a section with train and validation; ' +
        'train.yaml:1:1: text: missing, expected a section with source and target',
    );
  });

  it('shows three errors and counts the rest', () => {
    expect(messageFor(`${BASE}a: 1\nb: 1\nc: 1\nd: 1\n`)).toMatch(/; and 1 more$/);
  });

  it('refuses alias bombs and endless nesting', () => {
    const nine = (name: string): string => `[${Array.from({ length: 9 }, () => name).join(', ')}]`;
    const bomb = `a: &a ${nine('x')}\nb: &b ${nine('*a')}\nc: &c ${nine('*b')}\nd: &d ${nine('*c')}\ne: ${nine('*d')}\n`;
    expect(messageFor(bomb)).toMatch(/^train\.yaml:1:1: not a usable YAML file: Excessive alias count/);
    expect(messageFor(`a: ${'['.repeat(100_000)}`)).toMatch(/^train\.yaml:/);
  });

  it('bounds what it repeats of the file', () => {
    expect(messageFor(`${BASE}model: {cell: ${'x'.repeat(10_000)}}\n`).length).toBeLessThan(300);
  });

  it('never throws anything but a DragomanError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.json()), (text) => {
        const tries = [text, BASE + text, `model: ${text}`, `data:\n  train: ${text}`];
        for (const yaml of tries) {
          try {
            parseConfig(yaml, 'f');
          } catch (error) {
            expect(error).toBeInstanceOf(DragomanError);
          }
        }
      }),
    );
  });
});

describe('overrides', () => {
  it('wins over the file and makes sections on the way', () => {
    const config = parseConfig(`${BASE}seed: 3\n`, 'f', [
      'seed=4',
      'train.batch.size=32',
      'model.decoder.hidden=8',
      'seed=5',
    ]);
    expect(config.seed).toBe(5);
    expect(config.train.batch.size).toBe(32);
    expect(config.model).toMatchObject({ decoder: { hidden: 8, layers: 1 } });
  });

  const wrong: [string, string][] = [
    [
      'model.cell=lstn',
      `--set model.cell=lstn: model.cell: expected one of ${CELLS}, got "lstn", did you mean lstm?`,
    ],
    ['train.bach.size=1', '--set train.bach.size=1: train.bach: unknown key, did you mean batch?'],
    ['model.cell.x=1', '--set model.cell.x=1: model.cell: expected a section with kind, got a section'],
    ['train', '--set train: expected key=value, such as train.batch.size=32'],
    ['=1', '--set =1: expected key=value, such as train.batch.size=32'],
    ['train=', '--set train=: train: expected a section, got nothing'],
  ];
  it.each(wrong)('names the flag for %s', (flag, message) => {
    expect(messageFor(BASE, [flag])).toBe(message);
  });

  it('names the flag for a value that is not YAML, and for one that goes below a text', () => {
    expect(messageFor(BASE, ['seed=[1'])).toMatch(/^--set seed=\[1: not a YAML value: /);
    expect(messageFor(`${BASE}model: {cell: gru}\n`, ['model.cell.x=1'])).toBe(
      '--set model.cell.x=1: model.cell holds "gru", not a section',
    );
  });
});

describe('configToYaml', () => {
  it('is read back as the same configuration', () => {
    fc.assert(
      fc.property(configurations, (input) => {
        const result = configSchema.safeParse(input);
        if (!result.success) return; // settings that exclude each other
        expect(parseConfig(configToYaml(result.data), 'f')).toEqual(result.data);
        expect(resolveConfig(result.data)).toEqual(result.data);
      }),
      { numRuns: 300 },
    );
  });
});

describe('resolveConfig', () => {
  it('names the key', () => {
    const input = { ...parseConfig(BASE, 'f'), seed: 1.5 };
    expect(errorOf(() => resolveConfig(input)).message).toBe(
      'configuration: seed: expected a whole number, got 1.5',
    );
  });
});

describe('loadConfig', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dragoman-config-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('reads a file', async () => {
    const file = join(folder, 'train.yaml');
    await writeFile(file, BASE);
    expect((await loadConfig(file, ['seed=9'])).seed).toBe(9);
  });

  it('says what is wrong with the file itself', async () => {
    const missing = join(folder, 'none.yaml');
    await expect(loadConfig(missing)).rejects.toThrow(
      `${missing}: cannot read the configuration: no such file`,
    );
    await expect(loadConfig(folder)).rejects.toThrow('it is a folder');
    const binary = join(folder, 'binary.yaml');
    await writeFile(binary, Uint8Array.of(0x73, 0xff, 0xfe));
    await expect(loadConfig(binary)).rejects.toThrow('expected UTF-8 text, got other bytes');
    await writeFile(binary, new Uint8Array(2 * 1024 * 1024));
    await expect(loadConfig(binary)).rejects.toThrow('expected a configuration, got a file of 2097152 bytes');
  });
});

const size = fc.integer({ min: 1, max: 10_000 });
const share = fc.double({ min: 0, max: 0.999, noNaN: true });
const name = fc.string({ unit: 'grapheme', minLength: 1 });
const corpus = fc.oneof(
  fc.record({ source: name, target: name }),
  fc.record({
    file: name,
    source: name,
    target: name,
    format: fc.constantFrom('tsv', 'csv', 'jsonl', undefined),
  }),
);
const tokenizer = fc.oneof(
  fc.record({ kind: fc.constantFrom('character' as const, 'word' as const), lowercase: fc.boolean() }),
  fc.record({ kind: fc.constant('sentencepiece' as const), model: name }),
);
const configurations: fc.Arbitrary<ConfigInput> = fc.record(
  {
    seed: fc.integer(),
    data: fc.record({ train: corpus, validation: corpus, maxLength: size }),
    text: fc.record({ source: tokenizer, target: tokenizer, joint: fc.boolean() }),
    model: fc.record({
      cell: fc.constantFrom(...CELL_KINDS),
      embedding: size,
      encoder: fc.record({ hidden: size, layers: size, bidirectional: fc.boolean() }),
      summary: fc.constantFrom(...SUMMARY_KINDS),
      attention: fc.constantFrom(...ATTENTION_KINDS.filter((kind) => kind !== 'dot')),
      output: fc.option(size, { nil: undefined }),
      dropout: fc.record({ embedding: share, output: share }),
    }),
    train: fc.record({
      minutes: fc.option(fc.double({ min: 1e-3, max: 1e6, noNaN: true }), { nil: undefined }),
      optimizer: fc.oneof(
        fc.record({
          kind: fc.constant('adam' as const),
          epsilon: fc.double({ min: 1e-300, max: 1, noNaN: true }),
        }),
        fc.record({ kind: fc.constant('sgd' as const), momentum: share }),
      ),
      schedule: fc.constantFrom(
        { kind: 'constant' as const },
        { kind: 'plateau' as const, factor: 0.9 },
        { kind: 'inverse-square-root' as const },
        { kind: 'linear' as const, steps: 6000 },
      ),
    }),
  },
  { requiredKeys: ['data', 'text'] },
);

// Types: what the schema gives is what the library says it gives.
const typed: z.ZodType<Config> = configSchema;
void typed;
