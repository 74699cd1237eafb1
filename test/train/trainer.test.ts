import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startEngine } from '../../src/engine/engine.js';
import { decodeSafetensors } from '../../src/model/safetensors.js';
import { Random } from '../../src/random.js';
import { collate } from '../../src/text/batch.js';
import { readCheckpoint } from '../../src/train/checkpoint.js';
import type { Progress, ValidationReport } from '../../src/train/events.js';
import type { HistoryRow } from '../../src/train/history.js';
import { createOptimizer } from '../../src/train/optimizer.js';
import { Trainer, type TrainerParts, type TrainOutcome } from '../../src/train/trainer.js';
import { Bigram, bigramConfig, countingCorpus } from './bigram.js';

let folder: string;
beforeAll(async () => {
  await startEngine('cpu');
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dragoman-trainer-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

// 80 sentences in batches of 8: ten steps an epoch.
const training = countingCorpus(80, 1);
const validation = countingCorpus(24, 2);

interface Run extends TrainOutcome {
  progress: Progress[];
  reports: ValidationReport[];
  messages: string[];
  history: HistoryRow[];
  model: Bigram;
}

async function run(
  train: Parameters<typeof bigramConfig>[0],
  options: Partial<TrainerParts> & { resume?: boolean; prepare?: (model: Bigram) => void } = {},
): Promise<Run> {
  const config = bigramConfig(train);
  const model = new Bigram(new Random(7));
  const optimizer = createOptimizer(config.train.optimizer, model.parameters, config.train.clip);
  options.prepare?.(model);
  const progress: Progress[] = [];
  const reports: ValidationReport[] = [];
  const messages: string[] = [];
  const { events } = options;
  const parts: TrainerParts = {
    folder,
    config,
    model,
    optimizer,
    training,
    validation,
    data: { training: 'a', validation: 'b' },
    engine: 'cpu',
    ...options,
    events: {
      onProgress(event) {
        progress.push(event);
        events?.onProgress?.(event);
      },
      onValidation: (event) => void reports.push(event),
      onMessage: (text) => void messages.push(text),
    },
  };
  const checkpoint = options.resume ? await readCheckpoint(last()) : null;
  const trainer = await Trainer.open(parts, checkpoint);
  const outcome = await trainer.run();
  optimizer.dispose();
  return { ...outcome, progress, reports, messages, history: history(), model };
}

const last = (at = folder): string => join(at, 'checkpoint', 'last.safetensors');
const tensors = (path: string) => decodeSafetensors(readFileSync(path)).tensors;
const history = (): HistoryRow[] =>
  readFileSync(join(folder, 'history.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as HistoryRow);
/** What does not depend on the clock. */
const timeless = (rows: readonly HistoryRow[]): unknown[] =>
  rows.map((row) => ({ ...row, seconds: 0, tokensPerSecond: 0 }));

describe('Trainer', () => {
  it('learns, validates once an epoch and leaves the best weights', async () => {
    const result = await run({ epochs: 12, optimizer: { kind: 'adam', learningRate: 0.05 } });
    expect(result).toMatchObject({ stopped: 'epochs', step: 120, epoch: 12, averaged: [] });
    expect(result.reports.map(({ step, epoch }) => [step, epoch])).toEqual(
      Array.from({ length: 12 }, (_, i) => [10 * (i + 1), i + 1]),
    );
    const best = Math.min(...result.reports.map(({ perplexity }) => perplexity));
    expect(best).toBeLessThan(4); // a uniform guess has 12
    expect(result.final?.perplexity).toBe(best);
    expect(tensors(join(folder, 'weights.safetensors'))).toEqual(
      tensors(join(folder, 'checkpoint', 'best.safetensors')),
    );
    // The model itself was left with them, too.
    expect(result.model.parameters.read('table')).toEqual(
      tensors(join(folder, 'weights.safetensors')).table!.data,
    );
    expect(result.targetTokens).toBe(12 * (training.targetTokens + training.length));
  });

  it('reports the perplexity and accuracy that the model has on the whole validation set', async () => {
    const { model, final } = await run({ epochs: 1 });
    const all = Int32Array.from({ length: validation.length }, (_, i) => i);
    const { logLikelihood, correct, tokens } = model.evaluate(collate(validation, all));
    expect(tokens).toBe(validation.targetTokens + validation.length);
    expect(final!.perplexity).toBeCloseTo(Math.exp(-logLikelihood / tokens), 4);
    expect(final!.accuracy).toBeCloseTo(correct / tokens, 6);
  });

  it('validates every so many steps, and at the end where that is not one of them', async () => {
    const { reports } = await run({ steps: 25, validation: { everySteps: 10 } });
    expect(reports.map(({ step }) => step)).toEqual([10, 20, 25]);
  });

  it('stops at the first limit', async () => {
    expect(await run({ epochs: 2 })).toMatchObject({ stopped: 'epochs', step: 20 });
    expect(await run({ steps: 13 })).toMatchObject({ stopped: 'steps', step: 13, epoch: 1 });
    const timed = await run({ epochs: 1_000_000, minutes: 0.01, validation: { everySteps: 1_000_000 } });
    expect(timed.stopped).toBe('minutes');
    expect(timed.seconds).toBeGreaterThan(0.6);
  });

  it('stops early, and lowers the rate, when validation does not improve', async () => {
    const result = await run({
      epochs: 100,
      earlyStopping: 3,
      optimizer: { kind: 'sgd', learningRate: 1e-12 },
      schedule: { kind: 'plateau', patience: 2, factor: 0.5, minimum: 1e-13 },
    });
    expect(result).toMatchObject({ stopped: 'early stopping', step: 40 });
    expect(result.reports.map(({ best }) => best)).toEqual([true, false, false, false]);
    expect(result.messages).toEqual([expect.stringContaining('the learning rate falls from 1e-12 to 5e-13')]);
  });

  it('writes a history: training every 100 steps and before each validation', async () => {
    const { history } = await run({ epochs: 25, validation: { everySteps: 120 } });
    expect(history.map(({ event, step }) => [event, step])).toEqual([
      ['train', 100],
      ['train', 120],
      ['validation', 120],
      ['train', 200],
      ['train', 240],
      ['validation', 240],
      ['train', 250],
      ['validation', 250],
    ]);
    const [row] = history;
    expect(Object.keys(row!).toSorted()).toEqual(
      [
        'event',
        'epoch',
        'gradientNorm',
        'learningRate',
        'loss',
        'perplexity',
        'seconds',
        'step',
        'tokensPerSecond',
      ].toSorted(),
    );
    for (const value of Object.values(row!)) if (typeof value === 'number') expect(value).toBeGreaterThan(0);
  });

  it('tells of every step how far it is', async () => {
    const { progress } = await run({ epochs: 3 });
    // Figures are one step late, so the first step has none.
    expect(progress.map(({ step }) => step)).toEqual(Array.from({ length: 29 }, (_, i) => i + 2));
    expect(progress.map(({ epoch }) => epoch)).toEqual(progress.map(({ step }) => Math.ceil(step / 10)));
    expect(progress.at(-1)).toMatchObject({ fraction: 1, epochStep: 10, epochSteps: 10, secondsLeft: 0 });
    expect(progress[13]).toMatchObject({ step: 15, fraction: 0.5, epochStep: 5 });
    expect(progress[13]!.secondsLeft).toBeGreaterThan(0);
    expect(progress[13]!.loss).toBeGreaterThan(0);
  });

  it('measures BLEU by the given function', async () => {
    const examples = [{ source: 'a', reference: 'b', translation: 'c' }];
    const { reports, history } = await run(
      { epochs: 2 },
      { translateSample: async () => ({ bleu: 12.5, examples }) },
    );
    expect(reports[1]).toMatchObject({ bleu: 12.5, examples });
    expect(history.filter((row) => 'bleu' in row && row.bleu === 12.5)).toHaveLength(2);
  });

  it('writes TensorBoard files on request only', async () => {
    await run({ epochs: 1 });
    expect(existsSync(join(folder, 'tensorboard'))).toBe(false);
    await run({ epochs: 1, tensorboard: true });
    expect(readdirSync(join(folder, 'tensorboard'))).toHaveLength(1);
  });

  it('averages the weights of the last n validations', async () => {
    const seen: Float32Array[] = [];
    const result = await run(
      { epochs: 5, average: 3, optimizer: { kind: 'adam', learningRate: 0.05 } },
      {
        prepare: (model) => {
          // The first evaluation of each validation sees the weights that are kept.
          const evaluate = model.evaluate.bind(model);
          model.evaluate = (batch) => {
            const table = model.parameters.read('table');
            if (seen.at(-1)?.join() !== table.join()) seen.push(table);
            return evaluate(batch);
          };
        },
      },
    );
    expect(result.averaged).toEqual([30, 40, 50]);
    const mean = seen[2]!.map((_, i) => (seen[2]![i]! + seen[3]![i]! + seen[4]![i]!) / 3);
    const final = tensors(join(folder, 'weights.safetensors')).table!.data;
    final.forEach((value, i) => {
      expect(value).toBeCloseTo(mean[i]!, 6);
    });
    expect(result.reports.at(-1)).toMatchObject({ event: 'final', perplexity: result.final!.perplexity });
    const files = readdirSync(join(folder, 'checkpoint')).filter((name) => name.startsWith('step-'));
    expect(files.toSorted()).toEqual(['step-30.safetensors', 'step-40.safetensors', 'step-50.safetensors']);
  });

  it('keeps the number of tensors constant over 500 steps', async () => {
    let after100 = 0;
    let after500 = 0;
    await run(
      { epochs: 1000, steps: 500, validation: { everySteps: 100 }, checkpointSteps: 50, average: 2 },
      {
        events: {
          onProgress({ step }) {
            if (step === 150) after100 = tf.memory().numTensors;
            if (step === 499) after500 = tf.memory().numTensors;
          },
        },
      },
    );
    expect(after100).toBeGreaterThan(0);
    expect(after500).toBe(after100);
  });
});

describe('a failing training', () => {
  it('stops at a loss that is not a number and keeps the last good checkpoint', async () => {
    const broken = run({ epochs: 5, checkpointSteps: 7 }, { prepare: (model) => (model.brokenCall = 32) });
    await expect(broken).rejects.toMatchObject({
      code: 'training',
      message: expect.stringMatching(
        /^step 32: expected a finite loss, got NaN; the last good checkpoint is kept in .*last\.safetensors; a lower train/,
      ),
    });
    const { state, weights, optimizer } = await readCheckpoint(last());
    expect(state.step).toBe(30); // of the validation at the end of the epoch
    for (const { data } of [...Object.values(weights), ...Object.values(optimizer)]) {
      expect(data.every((value) => Number.isFinite(value))).toBe(true);
    }
  });

  it('notices it before a checkpoint is written', async () => {
    // Step 10 ends the epoch; its figures would be read with step 11.
    const broken = run({ epochs: 5 }, { prepare: (model) => (model.brokenCall = 10) });
    await expect(broken).rejects.toThrow(
      /^step 10: expected a finite loss, got NaN; no checkpoint had been written/,
    );
    expect(existsSync(last())).toBe(false);
  });

  it('notices weights that are not finite although the loss was', async () => {
    const broken = run(
      { epochs: 5 },
      {
        prepare: (model) => {
          const read = model.parameters.read.bind(model.parameters);
          model.parameters.read = (name) =>
            name === 'bias' ? read(name).fill(Number.POSITIVE_INFINITY) : read(name);
        },
      },
    );
    await expect(broken).rejects.toMatchObject({
      code: 'training',
      message: expect.stringContaining('bias holds NaN or infinity'),
    });
    expect(existsSync(join(folder, 'weights.safetensors'))).toBe(false);
  });

  it('releases what it held', async () => {
    const before = tf.memory().numTensors;
    const broken: { model?: Bigram } = {};
    await run(
      { epochs: 5 },
      {
        prepare: (model) => {
          broken.model = model;
          model.brokenCall = 32;
        },
      },
    ).catch(() => {});
    broken.model!.parameters.dispose();
    // Two moments of two parameters remain: the optimizer belongs to the caller.
    expect(tf.memory().numTensors).toBe(before + 4);
  });
});

describe('going on', () => {
  const train = {
    epochs: 6,
    checkpointSteps: 4,
    average: 2,
    validation: { everySteps: 15 },
    optimizer: { kind: 'adam', learningRate: 0.02 },
    schedule: { kind: 'plateau', patience: 1 },
  } as const;

  it.each([1, 10, 15, 23, 30, 44, 59])(
    'after an interruption at step %i it is bit for bit as if there had been none',
    async (at) => {
      const straight = folder;
      const whole = await run(train);
      folder = mkdtempSync(join(tmpdir(), 'dragoman-trainer-'));
      try {
        const controller = new AbortController();
        const first = await run(train, {
          signal: controller.signal,
          prepare: (model) => {
            let calls = 0;
            const gradients = model.gradients.bind(model);
            model.gradients = (...args) => {
              if (++calls === at) controller.abort();
              return gradients(...args);
            };
          },
        });
        expect(first).toMatchObject({ stopped: 'interrupted', step: at });
        expect(first.messages.at(-1)).toContain(`interrupted at step ${at}, saved in ${last()}`);
        const second = await run(train, { resume: true });
        expect(second).toMatchObject({ stopped: 'epochs', step: 60, averaged: whole.averaged });
        for (const name of [
          'checkpoint/last.safetensors',
          'checkpoint/best.safetensors',
          'weights.safetensors',
        ]) {
          expect(tensors(join(folder, name))).toEqual(tensors(join(straight, name)));
        }
        expect(timeless(second.history)).toEqual(timeless(whole.history));
        expect(second.targetTokens).toBe(whole.targetTokens);
        // Time goes on from the checkpoint, which is older than the end of the first run by the time it took to write.
        const told = first.history.map(({ seconds }) => seconds);
        expect(second.seconds).toBeGreaterThan(Math.max(0, ...told));
      } finally {
        rmSync(straight, { recursive: true });
      }
    },
  );

  it('after a crash drops what was written behind the checkpoint', async () => {
    const straight = folder;
    const whole = await run(train);
    folder = mkdtempSync(join(tmpdir(), 'dragoman-trainer-'));
    try {
      // A failure leaves the same files as a crash: history and weights of later steps than the checkpoint.
      await run(
        { ...train, checkpointSteps: undefined },
        { prepare: (model) => (model.brokenCall = 50) },
      ).catch(() => {});
      writeFileSync(
        join(folder, 'history.jsonl'),
        `${readFileSync(join(folder, 'history.jsonl'), 'utf8')}{"event":"tra`,
      );
      writeFileSync(join(folder, 'checkpoint', 'step-99.safetensors'), 'half a file');
      const second = await run(train, { resume: true });
      expect(tensors(last())).toEqual(tensors(last(straight)));
      expect(timeless(second.history)).toEqual(timeless(whole.history));
      expect(readdirSync(join(folder, 'checkpoint')).toSorted()).toEqual(
        readdirSync(join(straight, 'checkpoint')).toSorted(),
      );
    } finally {
      rmSync(straight, { recursive: true });
    }
  });

  it('with higher limits it ends where one run with these limits ends', async () => {
    const straight = folder;
    await run(train);
    folder = mkdtempSync(join(tmpdir(), 'dragoman-trainer-'));
    try {
      await run({ ...train, steps: 37 });
      const second = await run(train, { resume: true });
      expect(second).toMatchObject({ stopped: 'epochs', step: 60 });
      expect(tensors(last())).toEqual(tensors(last(straight)));
    } finally {
      rmSync(straight, { recursive: true });
    }
  });

  it('of a finished training does nothing but end again', async () => {
    const first = await run(train);
    const second = await run(train, { resume: true });
    expect(second).toMatchObject({ stopped: 'epochs', step: 60, final: first.final });
    expect(second.progress).toEqual([]);
  });

  it('is possible after an interruption during validation', async () => {
    const straight = folder;
    const whole = await run(train);
    folder = mkdtempSync(join(tmpdir(), 'dragoman-trainer-'));
    try {
      const controller = new AbortController();
      const first = await run(train, {
        signal: controller.signal,
        prepare: (model) => {
          const evaluate = model.evaluate.bind(model);
          model.evaluate = (batch) => {
            controller.abort();
            return evaluate(batch);
          };
        },
      });
      expect(first).toMatchObject({ stopped: 'interrupted', step: 15, final: null });
      // Not validated yet, but a model all the same.
      expect(existsSync(join(folder, 'weights.safetensors'))).toBe(true);
      const second = await run(train, { resume: true });
      expect(tensors(last())).toEqual(tensors(last(straight)));
      expect(timeless(second.history)).toEqual(timeless(whole.history));
    } finally {
      rmSync(straight, { recursive: true });
    }
  });
});
