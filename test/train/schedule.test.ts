import { describe, expect, it } from 'vitest';
import { EarlyStopping } from '../../src/train/early-stopping.js';
import { Schedule } from '../../src/train/schedule.js';

describe('Schedule', () => {
  it('constant never changes', () => {
    const schedule = new Schedule({ kind: 'constant' }, 0.01);
    for (const perplexity of [5, 6, 7]) expect(schedule.validated(perplexity)).toBe(false);
    expect([1, 10, 100_000].map((step) => schedule.rate(step, 0))).toEqual([0.01, 0.01, 0.01]);
  });

  it('inverse square root is the formula of Vaswani et al. 2017 with its peak at the given rate', () => {
    const warmup = 400;
    const schedule = new Schedule({ kind: 'inverse-square-root', warmup }, 0.003);
    // lrate = d^-0.5 min(step^-0.5, step warmup^-1.5); its peak is d^-0.5 warmup^-0.5, so divide by that.
    const d = 512;
    const vaswani = (step: number): number => d ** -0.5 * Math.min(step ** -0.5, step * warmup ** -1.5);
    for (const step of [1, 2, 100, 399, 400, 401, 1600, 40_000]) {
      expect(schedule.rate(step, 0)).toBeCloseTo((0.003 * vaswani(step)) / vaswani(warmup), 12);
    }
    expect(schedule.rate(400, 0)).toBe(0.003);
    expect(schedule.rate(1600, 0)).toBeCloseTo(0.0015, 12);
  });

  it('linear rises to the given rate, falls to nothing at its last step, and stays there', () => {
    const schedule = new Schedule({ kind: 'linear', warmup: 100, steps: 1100 }, 0.01);
    const rates = [1, 50, 100, 600, 1000, 1100, 1200].map((step) => schedule.rate(step, 0));
    [0.0001, 0.005, 0.01, 0.005, 0.001, 0, 0].forEach((rate, k) => {
      expect(rates[k]).toBeCloseTo(rate, 12);
    });
    expect(new Schedule({ kind: 'linear', warmup: 0, steps: 10 }, 1).rate(1, 0)).toBeCloseTo(0.9, 12);
  });

  it('linear without a last step falls with the part of the training that is done', () => {
    const schedule = new Schedule({ kind: 'linear', warmup: 100 }, 0.01);
    expect(schedule.rate(50, 0.02)).toBeCloseTo(0.005, 12); // still warming up: 50/100
    expect(schedule.rate(100, 0.02)).toBeCloseTo(0.0098, 12);
    expect(schedule.rate(5000, 0.75)).toBeCloseTo(0.0025, 12);
    expect(schedule.rate(50, 0.75)).toBeCloseTo(0.0025, 12); // a training shorter than its warm-up ends low too
    expect(schedule.rate(9000, 1)).toBe(0);
  });

  const plateau = { kind: 'plateau', factor: 0.5, patience: 2, minimum: 0.002 } as const;

  it('plateau halves after two checks in a row without a better one, down to the minimum', () => {
    const schedule = new Schedule(plateau, 0.01);
    const rates = [9, 8, 8, 8, 8.5, 7, 7.5, 7, 9, 9, 9, 9].map((perplexity) => {
      schedule.validated(perplexity);
      return schedule.rate(1, 0);
    });
    const expected = [0.01, 0.01, 0.01, 0.005, 0.005, 0.005, 0.005, 0.0025, 0.0025, 0.002, 0.002, 0.002];
    rates.forEach((rate, i) => {
      expect(rate).toBeCloseTo(expected[i]!, 12);
    });
  });

  it('says when the rate fell, and never raises it to a minimum above it', () => {
    const schedule = new Schedule({ ...plateau, patience: 1 }, 0.003);
    expect([5, 6, 6].map((perplexity) => schedule.validated(perplexity))).toEqual([false, true, false]);
    const low = new Schedule({ ...plateau, patience: 1, minimum: 0.1 }, 0.003);
    expect([5, 6].map((perplexity) => low.validated(perplexity))).toEqual([false, false]);
    expect(low.rate(1, 0)).toBe(0.003);
  });

  it('goes on from its state, through JSON', () => {
    const one = new Schedule(plateau, 0.01);
    for (const perplexity of [9, 9]) one.validated(perplexity);
    const two = new Schedule(plateau, 0.01);
    two.restore(JSON.parse(JSON.stringify(one.state)));
    for (const schedule of [one, two]) schedule.validated(9);
    expect(two.rate(1, 0)).toBe(0.005);
    expect(two.state).toEqual(one.state);
  });
});

describe('EarlyStopping', () => {
  it('is due after that many checks in a row without a better one', () => {
    const stopping = new EarlyStopping(2);
    const due = [9, 9, 8, 8.5, 8].map((perplexity) => {
      stopping.validated(perplexity);
      return stopping.due;
    });
    expect(due).toEqual([false, false, false, false, true]);
  });

  it('with patience 0 is never due', () => {
    const stopping = new EarlyStopping(0);
    for (let i = 0; i < 50; i++) stopping.validated(9);
    expect(stopping.due).toBe(false);
  });

  it('goes on from its state, and heeds a raised patience', () => {
    const one = new EarlyStopping(1);
    for (const perplexity of [5, 6]) one.validated(perplexity);
    expect(one.due).toBe(true);
    const two = new EarlyStopping(2);
    two.restore(JSON.parse(JSON.stringify(one.state)));
    expect(two.due).toBe(false);
    two.validated(6);
    expect(two.due).toBe(true);
  });
});
