import { describe, expect, it } from 'vitest';
import { Random } from '../../src/random.js';
import { ADDING_BASELINE, addingProblem } from '../../src/task/adding-problem.js';
import { mackeyGlass } from '../../src/task/mackey-glass.js';
import { flipped, overlap, randomPattern } from '../../src/task/patterns.js';
import { transductionPair } from '../../src/task/transduction.js';

describe('the Mackey-Glass series', () => {
  it('agrees with a Runge-Kutta step ten times finer', () => {
    const coarse = mackeyGlass(100);
    const fine = mackeyGlass(100, { substeps: 100 });
    // What is left comes from the kink of the history at t = 0, across which the cubic of the delayed value is only of
    // second order, h² times the jump of the slope (0.1) times the share of a step: of the order of 1e-5, and chaos lets it grow.
    coarse.forEach((value, t) => {
      expect(Math.abs(value - fine[t]!)).toBeLessThan(1e-4);
    });
  });

  it('agrees with fine Euler steps, written as the equation reads', () => {
    const [substeps, length] = [2000, 40];
    const x = new Float64Array(length * substeps);
    x[0] = 1.2;
    for (let k = 0; k + 1 < x.length; k++) {
      const past = k < 17 * substeps ? 1.2 : x[k - 17 * substeps]!;
      x[k + 1] = x[k]! + ((0.2 * past) / (1 + past ** 10) - 0.1 * x[k]!) / substeps;
    }
    // Euler is of first order: step 5e-4.
    mackeyGlass(length).forEach((value, t) => {
      expect(Math.abs(value - x[t * substeps]!)).toBeLessThan(2e-3);
    });
  });

  it('rests where the equation has its fixed point', () => {
    // 0.2 x / (1 + x^10) = 0.1 x at x = 1.
    for (const value of mackeyGlass(50, { history: 1 })) expect(value).toBeCloseTo(1, 12);
  });

  it('is chaotic within the known bounds', () => {
    const series = mackeyGlass(5000).subarray(500);
    expect(Math.min(...series)).toBeGreaterThan(0.2);
    expect(Math.max(...series)).toBeLessThan(1.4);
    const [a, b] = [mackeyGlass(1500), mackeyGlass(1500, { history: 1.2 + 1e-9 })];
    const apart = (from: number): number =>
      Math.max(...a.subarray(from, from + 200).map((value, t) => Math.abs(value - b[from + t]!)));
    expect(apart(0)).toBeLessThan(1e-7);
    expect(apart(1300)).toBeGreaterThan(10 * apart(0));
  });
});

it('the adding problem marks one value in each half, and the mean error of 1 is the baseline', () => {
  const random = new Random(3);
  let squares = 0;
  const problems = 3000;
  for (let k = 0; k < problems; k++) {
    const length = 7 + (k % 5);
    const { inputs, target } = addingProblem(length, random);
    const marked = Array.from({ length }, (_, t) => t).filter((t) => inputs[2 * t + 1] === 1);
    expect(marked).toHaveLength(2);
    expect(marked[0]!).toBeLessThan(Math.floor(length / 2));
    expect(marked[1]!).toBeGreaterThanOrEqual(Math.floor(length / 2));
    expect(target).toBe(inputs[2 * marked[0]!]! + inputs[2 * marked[1]!]!);
    squares += (target - 1) ** 2;
  }
  // Standard error of the mean of 3000 squares: 0.0036.
  expect(Math.abs(squares / problems - ADDING_BASELINE)).toBeLessThan(0.018);
});

it('copies and reverses', () => {
  const random = new Random(4);
  const spec = { symbols: 5, shortest: 2, longest: 6 };
  for (let k = 0; k < 100; k++) {
    const copy = transductionPair('copy', spec, random);
    expect(copy.target).toEqual(copy.source);
    const { source, target } = transductionPair('reversal', spec, random);
    expect(source.length).toBeGreaterThanOrEqual(2);
    expect(source.length).toBeLessThanOrEqual(6);
    expect(target.map((_, t) => target.at(-1 - t))).toEqual(source);
  }
});

it('flips exactly the share of a pattern that was asked for', () => {
  const random = new Random(5);
  const pattern = randomPattern(200, random);
  // 50 of 200 flipped: the overlap is 1 - 2 · 0.25.
  expect(overlap(pattern, flipped(pattern, 0.25, random))).toBeCloseTo(0.5, 12);
  expect(overlap(pattern, flipped(pattern, 0, random))).toBe(1);
});
