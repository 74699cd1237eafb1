import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scalar } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startEngine } from '../../src/engine/engine.js';
import { Random } from '../../src/random.js';
import { DataOrder } from '../../src/train/data-order.js';
import { History, type HistoryRow } from '../../src/train/history.js';
import { LateReading } from '../../src/train/late-reading.js';
import { fractionDone, limitReached, secondsLeft } from '../../src/train/limits.js';
import { Meter } from '../../src/train/meter.js';
import { EvenSample } from '../../src/train/sample.js';
import { countingCorpus } from './bigram.js';

beforeAll(async () => {
  await startEngine('cpu');
});

describe('EvenSample', () => {
  it('gives so many items, in order, about evenly spaced', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(300), (size, length) => {
        const sample = new EvenSample<number>(size);
        for (let i = 0; i < length; i++) sample.add(i);
        const items = sample.items();
        expect(items).toHaveLength(Math.min(size, length));
        expect(items).toEqual(items.toSorted((a, b) => a - b));
        const gaps = items.slice(1).map((item, i) => item - items[i]!);
        // Strides are powers of two and positions are rounded: never more than three times the ideal gap.
        for (const gap of gaps) expect(gap).toBeLessThanOrEqual(Math.ceil((3 * length) / size));
        for (const gap of gaps) expect(gap).toBeGreaterThan(0);
        if (length >= 4 * size)
          expect(items.at(-1)).toBeGreaterThanOrEqual((length * (size - 1)) / (4 * size));
      }),
    );
  });

  it('of size 0 is empty', () => {
    const sample = new EvenSample<number>(0);
    sample.add(1);
    expect(sample.items()).toEqual([]);
  });
});

describe('DataOrder', () => {
  const corpus = countingCorpus(50, 1);
  const spec = { by: 'sentences', size: 8 } as const;

  it('goes through all of the corpus once an epoch, each time differently', () => {
    const order = new DataOrder(corpus, spec, new Random(1));
    const epochs = [0, 1].map(() => Array.from({ length: order.epochSteps }, () => [...order.next()]));
    for (const epoch of epochs)
      expect(epoch.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(epochs[0]).not.toEqual(epochs[1]);
    expect(order.state).toMatchObject({ epoch: 2, epochStep: 0 });
  });

  it('goes on from any point, through JSON', () => {
    fc.assert(
      fc.property(fc.nat(30), (steps) => {
        const order = new DataOrder(corpus, spec, new Random(1));
        for (let i = 0; i < steps; i++) order.next();
        const resumed = new DataOrder(corpus, spec, JSON.parse(JSON.stringify(order.state)));
        for (let i = 0; i < 20; i++) expect(resumed.next()).toEqual(order.next());
      }),
      { numRuns: 20 },
    );
  });
});

describe('limits', () => {
  const at = { step: 50, epoch: 2, epochStep: 10, epochSteps: 20, seconds: 120 };

  it('the first one reached ends training', () => {
    expect(limitReached({ epochs: 3 }, at)).toBeNull();
    expect(limitReached({ epochs: 2 }, at)).toBe('epochs');
    expect(limitReached({ epochs: 3, steps: 50 }, at)).toBe('steps');
    expect(limitReached({ epochs: 3, steps: 51, minutes: 2 }, at)).toBe('minutes');
  });

  it('the nearest one counts for the time left and the share done', () => {
    expect(secondsLeft({ epochs: 3 }, at, 2)).toBe(20);
    expect(secondsLeft({ epochs: 3, steps: 52 }, at, 2)).toBe(4);
    expect(secondsLeft({ epochs: 3, minutes: 2.05 }, at, 2)).toBeCloseTo(3, 9);
    expect(secondsLeft({ epochs: 3 }, at, null)).toBeNull();
    expect(fractionDone({ epochs: 5 }, at)).toBe(0.5);
    expect(fractionDone({ epochs: 5, steps: 60 }, at)).toBe(50 / 60);
    expect(fractionDone({ epochs: 1 }, at)).toBe(1);
  });
});

describe('Meter', () => {
  const figures = { step: 1, learningRate: 0.1, gradientNorm: 2 };

  it('weighs each step by its tokens', () => {
    const meter = new Meter();
    meter.add({ ...figures, targetTokens: 10, loss: 1, logLikelihood: -10 }, 1);
    meter.add({ ...figures, targetTokens: 30, loss: 3, logLikelihood: -90 }, 3);
    const expected = {
      loss: 2.5,
      perplexity: Math.exp(2.5),
      learningRate: 0.1,
      gradientNorm: 2,
      tokensPerSecond: 10,
    };
    const resumed = new Meter();
    resumed.restore(JSON.parse(JSON.stringify(meter.state)));
    for (const one of [meter, resumed]) {
      expect(one.take()).toEqual(expected);
      expect(one.take()).toBeNull();
    }
  });
});

describe('LateReading', () => {
  const held = (step: number) => ({
    step,
    targetTokens: 1,
    learningRate: 1,
    loss: scalar(step),
    logLikelihood: scalar(-step),
    gradientNorm: scalar(1),
  });

  it('gives the figures of the step before, and the last when asked', async () => {
    const late = new LateReading();
    expect(await late.exchange(held(1))).toBeNull();
    expect(await late.exchange(held(2))).toMatchObject({ step: 1, loss: 1, logLikelihood: -1 });
    expect(await late.settle()).toMatchObject({ step: 2 });
    expect(await late.settle()).toBeNull();
  });

  it.each(['loss', 'logLikelihood', 'gradientNorm'])('refuses a %s that is not finite', async (key) => {
    const late = new LateReading();
    await late.exchange({ ...held(7), [key]: scalar(Number.POSITIVE_INFINITY) });
    await expect(late.settle()).rejects.toMatchObject({
      code: 'training',
      message: expect.stringMatching(/^step 7: expected a finite (loss|gradient norm), got Infinity$/),
    });
  });
});

describe('History', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dragoman-history-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const row = (step: number): HistoryRow => ({
    event: 'validation',
    step,
    epoch: 1,
    seconds: 1,
    perplexity: 2,
    accuracy: 0.5,
    bleu: null,
    learningRate: 0.1,
    best: true,
  });

  it('goes on after the rows it is told to keep, whatever a crash left behind them', async () => {
    const path = join(folder, 'history.jsonl');
    const first = await History.open(path, 0);
    for (const step of [1, 2, 3]) await first.add(row(step));
    appendFileSync(path, '{"event":"va');
    const second = await History.open(path, 2);
    expect(second.rows).toBe(2);
    await second.add(row(9));
    const steps = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as HistoryRow).step);
    expect(steps).toEqual([1, 2, 9]);
  });

  it('does without a file that is gone', async () => {
    const history = await History.open(join(folder, 'none.jsonl'), 5);
    expect(history.rows).toBe(0);
  });
});
