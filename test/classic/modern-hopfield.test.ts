import {
  div,
  matMul,
  memory,
  softmax,
  type Tensor3D,
  tensor2d,
  tensor3d,
  tidy,
  zeros,
} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ModernHopfield } from '../../src/classic/modern-hopfield.js';
import { Attention } from '../../src/model/attention.js';
import { Random } from '../../src/random.js';
import { describeOnEngines } from '../engines.js';

const normal = (units: number, random: Random, scale = 1): Float32Array =>
  Float32Array.from({ length: units }, () => scale * random.normal());
const several = (count: number, units: number, random: Random, scale = 1): Float32Array[] =>
  Array.from({ length: count }, () => normal(units, random, scale));
const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, value, i) => sum + value * b[i]!, 0);

/** Equation 2, in double precision. */
function energy(patterns: readonly Float32Array[], state: Float32Array, beta: number): number {
  const z = patterns.map((pattern) => beta * dot(pattern, state));
  const most = Math.max(...z);
  const lse = (most + Math.log(z.reduce((sum, value) => sum + Math.exp(value - most), 0))) / beta;
  const longest = Math.max(...patterns.map((pattern) => dot(pattern, pattern)));
  return -lse + dot(state, state) / 2 + Math.log(patterns.length) / beta + longest / 2;
}

/** Equation 3, in double precision. */
function update(patterns: readonly Float32Array[], state: ArrayLike<number>, beta: number): number[] {
  const z = patterns.map((pattern) => beta * dot(pattern, state));
  const most = Math.max(...z);
  const e = z.map((value) => Math.exp(value - most));
  const norm = e.reduce((a, b) => a + b, 0);
  return Array.from(state, (_, i) =>
    patterns.reduce((sum, pattern, k) => sum + (e[k]! / norm) * pattern[i]!, 0),
  );
}

describeOnEngines('the modern Hopfield network', () => {
  it('updates as equation 3 says, and has the energy of equation 2', () => {
    const random = new Random(1);
    const patterns = several(7, 5, random);
    const network = new ModernHopfield(patterns, { beta: 0.8 });
    const starts = several(3, 5, random);
    network.recall(starts, { updates: 2 }).forEach(({ state, updates }, k) => {
      const expected = update(patterns, update(patterns, starts[k]!, 0.8), 0.8);
      expect(updates).toBe(2);
      // Single precision, numbers of about 1.
      expected.forEach((value, i) => {
        expect(Math.abs(value - state[i]!)).toBeLessThan(2e-6);
      });
    });
    network.energy(starts).forEach((value, k) => {
      expect(Math.abs(value - energy(patterns, starts[k]!, 0.8))).toBeLessThan(2e-5);
    });
    network.dispose();
  });

  it('never raises its energy, which lies between 0 and 2 M²', () => {
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.integer({ min: 0, max: 1e6 }),
          units: fc.integer({ min: 1, max: 12 }),
          count: fc.integer({ min: 1, max: 20 }),
          beta: fc.double({ min: 0.01, max: 20, noNaN: true }),
          scale: fc.constantFrom(0.1, 1, 5),
        }),
        ({ seed, units, count, beta, scale }) => {
          const random = new Random(seed);
          const patterns = several(count, units, random, scale);
          const longest = Math.max(...patterns.map((pattern) => dot(pattern, pattern)));
          const network = new ModernHopfield(patterns, { beta });
          let state = normal(units, random, scale);
          let before = network.energy([state])[0]!;
          // Single precision knows seven digits of sums of this size.
          const slack = 2e-6 * (longest + dot(state, state) + Math.log(count) / beta);
          for (let n = 0; n < 6; n++) {
            state = network.recall([state], { updates: 1 })[0]!.state;
            const after = network.energy([state])[0]!;
            expect(after).toBeLessThan(before + slack);
            expect(after).toBeGreaterThan(-slack);
            expect(after).toBeLessThan(2 * longest + slack);
            before = after;
          }
          network.dispose();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is attention after one update with beta = 1/sqrt(d)', () => {
    const [size, random] = [6, new Random(3)];
    const [patterns, starts] = [several(5, size, random), several(4, size, random)];
    const network = new ModernHopfield(patterns);
    const once = network.recall(starts, { updates: 1 }).flatMap(({ state }) => [...state]);
    network.dispose();
    const [attention, product] = tidy(() => {
      const stacked = (rows: readonly Float32Array[]): Tensor3D => tensor3d([rows.map((row) => [...row])]);
      const [keys, queries] = [stacked(patterns), stacked(starts)];
      // The code of `attention: hopfield`, whose projection is the identity here.
      const layer = new Attention({ kind: 'hopfield', steps: 1 }, size, size);
      const one = Float32Array.from({ length: size * size }, (_, k) => (k % (size + 1) === 0 ? 1 : 0));
      const w = { 'attention.kernel': tensor2d(one, [size, size]) };
      const { context } = layer.attend(w, queries, layer.prepare(w, keys, zeros([1, 1, 5])));
      // And softmax(Q K^T / sqrt(d)) K as it is written.
      const weights = softmax(div(matMul(queries, keys, false, true), Math.sqrt(size)));
      return [context.dataSync(), matMul(weights, keys).dataSync()];
    });
    for (const other of [attention!, product!]) {
      expect(other).toHaveLength(once.length);
      other.forEach((value, i) => {
        expect(Math.abs(value - once[i]!)).toBeLessThan(2e-6);
      });
    }
  });

  it('when cold comes to the pattern that is nearest, when warm to the mean of all', () => {
    const random = new Random(4);
    // All of one length, that none is nearest to all.
    const patterns = several(20, 16, random).map((pattern) => {
      const length = Math.sqrt(dot(pattern, pattern));
      return pattern.map((value) => (4 * value) / length);
    });
    const cold = new ModernHopfield(patterns, { beta: 20 });
    patterns.forEach((pattern, k) => {
      const start = pattern.map((value) => value + 0.1 * random.normal());
      const { state, settled } = cold.recall([start])[0]!;
      expect(settled).toBe(true);
      state.forEach((value, i) => {
        expect(Math.abs(value - patterns[k]![i]!)).toBeLessThan(1e-3);
      });
    });
    cold.dispose();
    const warm = new ModernHopfield(patterns, { beta: 1e-6 });
    const { state } = warm.recall([patterns[0]!])[0]!;
    warm.dispose();
    state.forEach((value, i) => {
      const mean = patterns.reduce((sum, pattern) => sum + pattern[i]!, 0) / patterns.length;
      expect(Math.abs(value - mean)).toBeLessThan(1e-3);
    });
  });

  it('refuses what it cannot store, and leaves no tensors behind', () => {
    const before = memory().numTensors;
    expect(() => new ModernHopfield([])).toThrow('expected at least one pattern');
    expect(() => new ModernHopfield([new Float32Array(2), new Float32Array(3)])).toThrow(
      'expected a pattern of 2 units, got 3',
    );
    expect(() => new ModernHopfield([Float32Array.of(1, Number.NaN)])).toThrow(
      'expected a number in unit 2 of a pattern, got NaN',
    );
    expect(() => new ModernHopfield([new Float32Array(2)], { beta: 0 })).toThrow(
      'expected a beta above 0, got 0',
    );
    const network = new ModernHopfield([Float32Array.of(1, 2)]);
    expect(() => network.recall([new Float32Array(3)])).toThrow('expected a pattern of 2 units, got 3');
    expect(() => network.energy([new Float32Array(1)])).toThrow('expected a pattern of 2 units, got 1');
    network.recall([new Float32Array(2)]);
    network.dispose();
    expect(memory().numTensors).toBe(before);
  });
});
