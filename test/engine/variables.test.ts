import { memory, tensor } from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { uniform } from '../../src/engine/random.js';
import { createVariable } from '../../src/engine/variables.js';
import { ParameterStore } from '../../src/model/parameters.js';
import { Random } from '../../src/random.js';
import { createOptimizer } from '../../src/train/optimizer.js';
import { describeOnEngines } from '../engines.js';

describeOnEngines('variables', () => {
  it('hold what they are given, and give it back', () => {
    const before = memory().numTensors;
    const variable = createVariable([2, 2], Float32Array.of(1, 2, 3, 4));
    expect(Array.from(variable.value().dataSync())).toEqual([1, 2, 3, 4]);
    variable.assign(Float32Array.of(5, 6, 7, 8));
    expect(Array.from(variable.value().dataSync())).toEqual([5, 6, 7, 8]);
    expect(variable.value().shape).toEqual([2, 2]);
    variable.dispose();
    expect(memory().numTensors).toBe(before);
  });

  it('never change the array that they were set from, large or small, aligned or not', () => {
    for (const size of [1, 3, 1024, 100_000]) {
      const spec = { name: 'x', shape: [size], initializer: { kind: 'zeros' }, trainable: true } as const;
      const store = new ParameterStore([spec], new Random(1));
      const optimizer = createOptimizer({ kind: 'sgd', learningRate: 1, momentum: 0 }, store, 0);
      const values = new Float32Array(size).fill(1);
      store.write('x', values);
      const gradient = tensor(new Float32Array(size).fill(0.25));
      for (let n = 0; n < 2; n++) optimizer.apply({ x: gradient }, 1).dispose();
      gradient.dispose();
      expect(store.read('x').every((x) => x === 0.5)).toBe(true);
      expect(values.every((x) => x === 1)).toBe(true);
      optimizer.dispose();
      store.dispose();
    }
  });
});

describeOnEngines('uniform numbers', () => {
  it('depend on seed and stream alone and are uniform', () => {
    const draw = (seed: number, stream: number): Float32Array => {
      const t = uniform([100, 100], seed, stream);
      const values = Float32Array.from(t.dataSync());
      t.dispose();
      return values;
    };
    const first = draw(1, 0);
    expect(draw(1, 0)).toEqual(first);
    for (const other of [draw(2, 0), draw(1, 1)]) {
      const correlation = other.reduce((s, x, k) => s + (x - 0.5) * (first[k]! - 0.5), 0) / 10_000;
      // The product of two independent ones has deviation 1/12; its mean over 10,000 is within 5 deviations.
      expect(Math.abs(correlation)).toBeLessThan((5 * (1 / 12)) / 100);
    }
    expect(first.every((x) => x >= 0 && x < 1)).toBe(true);
    const counts = new Float64Array(10);
    for (const x of first) counts[Math.floor(10 * x)]!++;
    // Binomial: deviation 30 around 1000.
    for (const n of counts) expect(Math.abs(n - 1000)).toBeLessThan(150);
  });
});

describeOnEngines('given parameters', () => {
  it('are what the store begins with, each by its place', () => {
    const specs = ['a', 'b'].map((name, i) => ({
      name,
      shape: [i + 1],
      initializer: { kind: 'normal', deviation: 1 } as const,
      trainable: true,
    }));
    const store = new ParameterStore(specs, (given) =>
      given.map(({ shape }) => new Float32Array(shape[0]!).fill(shape[0]!)),
    );
    expect([...store.read('a')]).toEqual([1]);
    expect([...store.read('b')]).toEqual([2, 2]);
    store.dispose();
  });
});
