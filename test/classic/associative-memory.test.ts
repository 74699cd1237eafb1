import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AssociativeMemory, LEARNING_RULES } from '../../src/classic/associative-memory.js';
import { Random } from '../../src/random.js';
import { flipped, overlap, randomPattern } from '../../src/task/patterns.js';

function patterns(count: number, units: number, random: Random): Int8Array[] {
  return Array.from({ length: count }, () => randomPattern(units, random));
}

/** E(s) as the double sum that defines it. */
function energy(weights: Float64Array, state: Int8Array): number {
  let sum = 0;
  for (let i = 0; i < state.length; i++) {
    for (let j = 0; j < state.length; j++) sum += weights[i * state.length + j]! * state[i]! * state[j]!;
  }
  return -sum / 2;
}

describe('the associative memory', () => {
  it.each(LEARNING_RULES)('%s: weights are symmetric, and no unit feeds itself', (rule) => {
    const memory = new AssociativeMemory(30);
    memory.learn(patterns(5, 30, new Random(1)), rule);
    for (let i = 0; i < 30; i++) {
      expect(memory.weights[i * 30 + i]).toBe(0);
      for (let j = 0; j < i; j++) expect(memory.weights[i * 30 + j]).toBe(memory.weights[j * 30 + i]);
    }
  });

  it('learns by the sum of products, and by Storkey’s rule as it is written', () => {
    const random = new Random(2);
    const [n, own] = [9, patterns(4, 9, random)];
    const hebbian = new AssociativeMemory(n);
    hebbian.learn(own, 'hebbian');
    const storkey = new AssociativeMemory(n);
    storkey.learn(own, 'storkey');
    let w = new Float64Array(n * n);
    for (const p of own) {
      const h = (i: number, j: number): number => {
        let sum = 0;
        for (let k = 0; k < n; k++) if (k !== i && k !== j) sum += w[i * n + k]! * p[k]!;
        return sum;
      };
      const next = Float64Array.from(w);
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) {
          if (i !== j)
            next[i * n + j] = w[i * n + j]! + (p[i]! * p[j]! - p[i]! * h(j, i) - h(i, j) * p[j]!) / n;
        }
      }
      w = next;
    }
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        const sum = i === j ? 0 : own.reduce((total, p) => total + p[i]! * p[j]!, 0) / n;
        expect(hebbian.weights[i * n + j]).toBeCloseTo(sum, 12);
        expect(storkey.weights[i * n + j]).toBeCloseTo(w[i * n + j]!, 12);
      }
    }
  });

  it('never raises the energy when one unit is updated at a time, and settles', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 2, max: 40 }),
        fc.integer({ min: 1, max: 20 }),
        fc.constantFrom(...LEARNING_RULES),
        (seed, units, stored, rule) => {
          const random = new Random(seed);
          const memory = new AssociativeMemory(units);
          memory.learn(patterns(stored, units, random), rule);
          const start = randomPattern(units, random);
          let last = memory.energy(start);
          expect(last).toBeCloseTo(energy(memory.weights, start), 8);
          const { state, settled } = memory.recallAsynchronous(start, random, (now) => {
            const next = memory.energy(now);
            // Each change lowers it by 2 |field|; rounding may eat a very small one.
            expect(next).toBeLessThanOrEqual(last + 1e-9);
            last = next;
          });
          expect(settled).toBe(true);
          // Settled: no unit wants to change.
          for (let i = 0; i < units; i++) {
            let field = 0;
            for (let j = 0; j < units; j++) field += memory.weights[i * units + j]! * state[j]!;
            expect(field * state[i]!).toBeGreaterThan(-1e-9);
          }
        },
      ),
      { numRuns: 200, seed: 3 },
    );
  });

  it('ends a synchronous recall in one state or in two that follow each other', () => {
    // Two units that inhibit each other: from (+, +) both turn, and turn back, for ever.
    const memory = new AssociativeMemory(2);
    memory.learn([Int8Array.of(1, -1)], 'hebbian');
    expect(memory.recallSynchronous(Int8Array.of(1, 1)).settled).toBe(false);
    expect(memory.recallSynchronous(Int8Array.of(1, -1))).toMatchObject({ settled: true, sweeps: 1 });
    // One at a time it settles, in one of the two patterns.
    const { state } = memory.recallAsynchronous(Int8Array.of(1, 1), new Random(1));
    expect(state[0]! * state[1]!).toBe(-1);
  });

  it('brings patterns back from 25 % flipped units below the capacity, and loses them above', () => {
    const random = new Random(6);
    const units = 300;
    const recalled = (load: number, wrong: number): number => {
      const memory = new AssociativeMemory(units);
      const stored = patterns(Math.round(load * units), units, random);
      memory.learn(stored, 'hebbian');
      const right = stored.slice(0, 15).filter((pattern) => {
        const { state } = memory.recallAsynchronous(flipped(pattern, wrong, random), random);
        return overlap(state, pattern) > 0.9;
      });
      return right.length / Math.min(15, stored.length);
    };
    expect(recalled(0.05, 0.25)).toBe(1);
    expect(recalled(0.05, 0)).toBe(1);
    // Far above 0.138 the patterns themselves are no longer states that last.
    expect(recalled(0.3, 0)).toBeLessThan(0.2);
  });

  it('refuses what is no pattern', () => {
    const memory = new AssociativeMemory(3);
    expect(() => memory.learn([Int8Array.of(1, 1)], 'hebbian')).toThrow(
      'expected a pattern of 3 units, got 2',
    );
    expect(() => memory.energy(Int8Array.of(1, 0, 1))).toThrow(
      'expected +1 or -1 in unit 2 of a pattern, got 0',
    );
  });
});
