import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config.js';
import { loadModelFolder } from '../../src/model/folder.js';
import { decodeSafetensors, encodeSafetensors } from '../../src/model/safetensors.js';
import { collate, makeBatches } from '../../src/text/batch.js';
import { readPairs } from '../../src/text/corpus.js';
import { encodeCorpus } from '../../src/text/encoded.js';
import type { ValidationReport } from '../../src/train/events.js';
import { type TrainOptions, type TrainResult, train } from '../../src/train/train.js';
import { describeOnEngines } from '../engines.js';
import { toyConfig, writeToyCorpus } from './toy-corpus.js';

const pieces = fileURLToPath(new URL('../text/fixtures/unigram.model', import.meta.url));

let corpus: string;
let folder: string;
beforeAll(() => {
  corpus = mkdtempSync(join(tmpdir(), 'dragoman-corpus-'));
  writeToyCorpus(corpus);
});
afterAll(() => rmSync(corpus, { recursive: true }));
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'dragoman-train-')), 'model');
});
afterEach(() => rmSync(join(folder, '..'), { recursive: true }));

const run = (config: ConfigInput, options: Partial<TrainOptions> = {}): Promise<TrainResult> =>
  train(config, { folder, configFolder: corpus, ...options });
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const tensors = (path: string) => decodeSafetensors(readFileSync(path)).tensors;

describeOnEngines('train', (engine) => {
  it('leaves a folder that holds the whole model', async () => {
    const reports: ValidationReport[] = [];
    const messages: string[] = [];
    const result = await run(toyConfig({ epochs: 2 }), {
      onValidation: (report) => reports.push(report),
      onMessage: (message) => messages.push(message),
      command: 'dragoman train toy.yaml',
    });
    expect(result).toMatchObject({
      stopped: 'epochs',
      step: 40,
      epoch: 2,
      trainingPairs: 200,
      validationPairs: 20,
    });
    expect(readdirSync(folder).toSorted()).toEqual([
      'README.md',
      'checkpoint',
      'config.yaml',
      'history.jsonl',
      'vocab.src.txt',
      'vocab.tgt.txt',
      'weights.safetensors',
    ]);
    expect(messages[0]).toMatch(
      /^training data: train\.src and train\.tgt: 200 pairs, \d+ source and \d+ target tokens$/,
    );
    expect(reports).toHaveLength(2);
    expect(reports[1]!.perplexity).toBeLessThan(reports[0]!.perplexity);
    expect(reports[1]!.examples).toHaveLength(3);
    expect(reports[1]!.bleu).toBeGreaterThanOrEqual(0);
    const card = read('README.md');
    expect(card).toContain('dragoman train toy.yaml');
    expect(card).toContain(`${engine} (`);
    expect(card).toContain(result.final!.perplexity.toFixed(3));

    const loaded = await loadModelFolder(folder);
    const pairs = readPairs(loaded.config.data.validation, folder);
    const data = await encodeCorpus(pairs, loaded, { maxLength: 100 });
    const scores = makeBatches(data, { by: 'sentences', size: 7 }, null).map((indices) =>
      loaded.model.evaluate(collate(data, indices)),
    );
    const total = (key: 'logLikelihood' | 'tokens'): number =>
      scores.reduce((sum, score) => sum + score[key], 0);
    expect(Math.exp(-total('logLikelihood') / total('tokens'))).toBeCloseTo(result.final!.perplexity, 3);
    loaded.model.dispose();
  });

  it('is the same again with the same seed, and goes on bit for bit after an interruption', async () => {
    const config = toyConfig({ epochs: 2, checkpointSteps: 7 });
    await run(config);
    const controller = new AbortController();
    const again = join(folder, '..', 'again');
    const options = { folder: again, signal: controller.signal };
    const onProgress = ({ step }: { step: number }): void => {
      if (step === 23) controller.abort();
    };
    expect(await run(config, { ...options, onProgress })).toMatchObject({ stopped: 'interrupted', step: 23 });
    expect(await run(config, { folder: again, resume: true })).toMatchObject({ stopped: 'epochs', step: 40 });
    for (const name of ['checkpoint/last.safetensors', 'weights.safetensors']) {
      expect(tensors(join(again, name))).toEqual(tensors(join(folder, name)));
    }
  });

  it('leaves no tensor behind', async () => {
    const config = toyConfig({ epochs: 1 });
    await run(config); // the engine may keep something of its first use
    const before = tf.memory().numTensors;
    const during: number[] = [];
    await run(config, {
      overwrite: true,
      onProgress: ({ step }) => {
        if (step > 3) during.push(tf.memory().numTensors);
      },
    });
    expect(tf.memory().numTensors).toBe(before);
    expect(new Set(during).size).toBe(1);
  });
});

describe('train', () => {
  // What follows is the same on every engine; the plain one starts fastest.
  const once = (config: ConfigInput, options: Partial<TrainOptions> = {}): Promise<TrainResult> =>
    run(
      { ...config, train: { ...config.train, steps: config.train?.steps ?? 2 } },
      { engine: 'cpu', ...options },
    );
  const tiny = toyConfig({ validation: { bleuSentences: 2, sentences: 4 } });

  it('copies SentencePiece models in, once when they are joint', async () => {
    const spec = { kind: 'sentencepiece', model: pieces } as const;
    await once({ ...tiny, text: { source: spec, target: spec, joint: true } });
    expect(existsSync(join(folder, 'source.model'))).toBe(true);
    expect(existsSync(join(folder, 'target.model'))).toBe(false);
    const joint = await loadModelFolder(folder);
    expect(joint.target.vocabulary.equals(joint.source.vocabulary)).toBe(true);
    joint.model.dispose();

    await once({ ...tiny, text: { source: spec, target: spec } }, { overwrite: true });
    expect(readFileSync(join(folder, 'target.model'))).toEqual(readFileSync(pieces));
    const apart = await loadModelFolder(folder);
    expect(apart.config.text.target).toEqual({ kind: 'sentencepiece', model: 'target.model' });
    apart.model.dispose();
  });

  it('cuts text anew in every epoch, and goes on bit for bit after an interruption', async () => {
    const spec = { kind: 'sentencepiece', model: pieces } as const;
    const text = { source: spec, target: spec };
    const sampled = { segmentation: { source: { kind: 'sampling' } } } as const;
    const trained = async (name: string, train: ConfigInput['train'], stopAt = 0) => {
      const at = join(folder, '..', name);
      const controller = new AbortController();
      const config = { ...toyConfig({ epochs: 2, steps: 26, checkpointSteps: 100, ...train }), text };
      const options = { folder: at, engine: 'cpu' } as const;
      const onProgress = ({ step }: { step: number }): void => {
        if (step === stopAt) controller.abort();
      };
      const first = await run(config, { ...options, signal: controller.signal, onProgress });
      if (stopAt > 0) {
        expect(first.step).toBe(stopAt);
        await run(config, { ...options, resume: true });
      }
      return tensors(join(at, 'checkpoint/last.safetensors'));
    };
    const straight = await trained('straight', sampled);
    expect(await trained('again', sampled, 23)).toEqual(straight);
    expect(await trained('best', {})).not.toEqual(straight);
  });

  it('can train anew from the models inside the folder that it overwrites', async () => {
    const spec = (model: string) => ({ kind: 'sentencepiece', model }) as const;
    await once({ ...tiny, text: { source: spec(pieces), target: spec(pieces) } });
    const [source, target] = ['source.model', 'target.model'].map((name) => spec(join(folder, name)));
    await once({ ...tiny, text: { source: source!, target: target! } }, { overwrite: true });
    expect(readFileSync(join(folder, 'source.model'))).toEqual(readFileSync(pieces));
  });

  it('does not overwrite a model unless told to', async () => {
    await once(tiny);
    const before = read('weights.safetensors');
    await expect(once(tiny)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(
        /model: expected no model here, got .*weights\.safetensors.*; resume it, overwrite it or name another folder$/,
      ),
    });
    expect(read('weights.safetensors')).toBe(before);
    writeFileSync(join(folder, 'notes.txt'), 'mine');
    await once({ ...tiny, seed: 99 }, { overwrite: true });
    expect(read('weights.safetensors')).not.toBe(before);
    expect(read('notes.txt')).toBe('mine');
    await expect(once(tiny, { overwrite: true, resume: true })).rejects.toMatchObject({ code: 'usage' });
  });

  it('is alone in its folder while it runs', async () => {
    const others: Promise<unknown>[] = [];
    const start = (options: Partial<TrainOptions>): void => {
      others.push(once({ ...tiny, seed: 99 }, options).catch((error: unknown) => error));
    };
    const onProgress = ({ step }: { step: number }): void => {
      if (step < 2 || others.length > 0) return;
      for (const options of [{}, { resume: true }, { overwrite: true }]) start(options);
    };
    await once({ ...tiny, train: { ...tiny.train, steps: 12, checkpointSteps: 1 } }, { onProgress });
    const refused = await Promise.all(others);
    expect(refused).toHaveLength(3);
    const inUse = { code: 'usage', message: expect.stringMatching(/in use \(process \d+ on /) };
    for (const error of refused) expect(error).toMatchObject(inUse);
    expect(read('config.yaml')).not.toContain('seed: 99');
    expect(existsSync(join(folder, 'training.lock'))).toBe(false);
  });

  it('never overwrites a folder that is no model', async () => {
    const other = join(folder, '..');
    writeFileSync(join(other, 'README.md'), 'a project of mine');
    for (const overwrite of [false, true]) {
      await expect(once(tiny, { folder: other, overwrite })).rejects.toMatchObject({ code: 'usage' });
    }
    expect(readFileSync(join(other, 'README.md'), 'utf8')).toBe('a project of mine');
    await expect(once(tiny, { folder: join(other, 'README.md') })).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('expected a folder for the model, got a file'),
    });
  });

  it('writes nothing when corpus or configuration are wrong', async () => {
    const broken: [ConfigInput, string][] = [
      [{ ...tiny, data: { ...tiny.data, train: { source: 'train.src', target: 'dev.tgt' } } }, 'input'],
      [{ ...tiny, data: { ...tiny.data, validation: { source: 'no.src', target: 'no.tgt' } } }, 'input'],
      [{ ...tiny, data: { ...tiny.data, maxLength: 0 } }, 'config'],
      [
        {
          ...tiny,
          text: { source: { kind: 'sentencepiece', model: 'train.src' }, target: { kind: 'word' } },
        },
        'input',
      ],
    ];
    for (const [config, code] of broken) {
      await expect(once(config)).rejects.toMatchObject({ code });
      expect(existsSync(folder)).toBe(false);
    }
  });

  it('reads nothing and writes nothing after an early interruption', async () => {
    await expect(once(tiny, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'training',
      message: expect.stringContaining('interrupted'),
    });
    expect(existsSync(folder)).toBe(false);
  });

  it('drops pairs that are empty or too long, and says so', async () => {
    const lines = (...texts: string[]): string => texts.map((text) => `${text}\n`).join('');
    writeFileSync(join(corpus, 'odd.src'), lines('a b c', '', 'a', 'b'));
    writeFileSync(join(corpus, 'odd.tgt'), lines('x', 'y', 'y', ''));
    const messages: string[] = [];
    const train = { source: 'odd.src', target: 'odd.tgt' };
    const result = await once(
      { ...tiny, data: { train, validation: train, maxLength: 2 } },
      { onMessage: (message) => messages.push(message) },
    );
    expect(result.trainingPairs).toBe(1);
    expect(messages[0]).toContain(
      '1 pairs, 1 source and 1 target tokens; left out 2 with an empty side and 1 longer than 2 tokens',
    );
    expect(read('README.md')).toContain('left out: 2 empty, 1 too long');
  });

  describe('with resume', () => {
    it('needs a checkpoint', async () => {
      await expect(once(tiny, { resume: true })).rejects.toMatchObject({
        code: 'input',
        message: expect.stringContaining('model: expected a checkpoint to resume from, got none'),
      });
    });

    it('says what to do when a run was killed before its first checkpoint', async () => {
      await once(tiny);
      rmSync(join(folder, 'checkpoint', 'last.safetensors'));
      await expect(once(tiny, { resume: true })).rejects.toMatchObject({
        code: 'input',
        message: expect.stringContaining('overwrite the folder to start anew'),
      });
    });

    it('refuses a configuration that differs in what is trained, and names the keys', async () => {
      await once(tiny);
      const other = toyConfig({ ...tiny.train, batch: { size: 11 } }, { decoder: { hidden: 15 } });
      await expect(once(other, { resume: true })).rejects.toMatchObject({
        code: 'config',
        message: expect.stringMatching(
          /last\.safetensors: cannot go on with another configuration: model\.decoder\.hidden \(16 in the checkpoint, 15 now\); train\.batch\.size \(10 in the checkpoint, 11 now\)$/,
        ),
      });
    });

    it('takes the checkpoint of a version that wrote cells and attention as words', async () => {
      await once(tiny);
      const last = join(folder, 'checkpoint', 'last.safetensors');
      const { tensors: stored, metadata } = decodeSafetensors(readFileSync(last));
      const config = JSON.parse(metadata.config!);
      expect(config.model.cell.kind).toBe('lstm');
      Object.assign(config.model, { cell: 'lstm', attention: config.model.attention.kind });
      delete config.task;
      writeFileSync(last, encodeSafetensors(stored, { ...metadata, config: JSON.stringify(config) }));
      const train = { ...tiny.train, steps: 3 };
      await expect(
        once({ ...tiny, train, model: { ...tiny.model, cell: 'gru' } }, { resume: true }),
      ).rejects.toThrow('model.cell.kind ("lstm" in the checkpoint, "gru" now)');
      expect(await once({ ...tiny, train }, { resume: true })).toMatchObject({ step: 3 });
    });

    it('takes other limits, and other places of the same data', async () => {
      await once(tiny);
      const train = { ...tiny.train, steps: 5, epochs: 9, minutes: 3, tensorboard: true, average: 2 };
      const moved = {
        train: { source: join(corpus, 'train.src'), target: join(corpus, 'train.tgt') },
        validation: tiny.data.validation,
      };
      expect(await once({ ...tiny, train, data: moved }, { resume: true })).toMatchObject({ step: 5 });
      expect(read('config.yaml')).toContain('minutes: 3');
    });

    it('refuses other data under the same name', async () => {
      await once(tiny);
      const before = readFileSync(join(corpus, 'dev.tgt'), 'utf8');
      try {
        writeFileSync(join(corpus, 'dev.tgt'), before.toLowerCase());
        await expect(once(tiny, { resume: true })).rejects.toMatchObject({
          code: 'config',
          message: expect.stringMatching(
            /cannot go on with other data: data\.validation held 4 pairs, checksum/,
          ),
        });
      } finally {
        writeFileSync(join(corpus, 'dev.tgt'), before);
      }
    });

    it('refuses another SentencePiece model', async () => {
      const text = (model: string): ConfigInput['text'] => ({
        source: { kind: 'word' },
        target: { kind: 'sentencepiece', model },
      });
      await once({ ...tiny, text: text(pieces) });
      const other = pieces.replace('unigram.model', 'bytes.model');
      await expect(once({ ...tiny, text: text(other) }, { resume: true })).rejects.toMatchObject({
        code: 'config',
        message: expect.stringContaining('text.target.model'),
      });
    });

    it('refuses a damaged checkpoint, and leaves it', async () => {
      await once(tiny);
      const last = join(folder, 'checkpoint', 'last.safetensors');
      const whole = readFileSync(last);
      const damaged: [Buffer, string][] = [
        [whole.subarray(0, whole.length - 10), 'truncated'],
        [Buffer.from('garbage garbage'), 'not a safetensors file'],
        [readFileSync(join(folder, 'weights.safetensors')), 'expected a dragoman-checkpoint-1 file'],
      ];
      for (const [bytes, message] of damaged) {
        writeFileSync(last, bytes);
        await expect(once(tiny, { resume: true })).rejects.toMatchObject({
          code: 'input',
          message: expect.stringContaining(message),
        });
        expect(statSync(last).size).toBe(bytes.length);
      }
    });

    it('of a run that early stopping ended stops at once, unless the patience is raised', async () => {
      const optimizer = { kind: 'sgd', learningRate: 1e-12 } as const;
      const base = {
        ...tiny.train,
        optimizer,
        steps: 1000,
        validation: { ...tiny.train?.validation, everySteps: 1 },
      };
      const stopped = await once({ ...tiny, train: { ...base, earlyStopping: 2 } });
      expect(stopped.stopped).toBe('early stopping');
      const same = await once({ ...tiny, train: { ...base, earlyStopping: 2 } }, { resume: true });
      expect(same).toMatchObject({ stopped: 'early stopping', step: stopped.step });
      const longer = await once({ ...tiny, train: { ...base, earlyStopping: 4 } }, { resume: true });
      expect(longer.step).toBeGreaterThan(stopped.step);
    });
  });
});
