import { memory, tensor } from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import type { OptimizerSpec } from '../../src/config/translation.js';
import { ParameterStore } from '../../src/model/parameters.js';
import { Random } from '../../src/random.js';
import { createOptimizer } from '../../src/train/optimizer.js';
import { describeOnKernels } from '../engines.js';

const ADAM: OptimizerSpec = { kind: 'adam', learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
const SGD: OptimizerSpec = { kind: 'sgd', learningRate: 0.1, momentum: 0.9 };

function storeOf(): ParameterStore {
  const start = { kind: 'constant', value: 1 } as const;
  return new ParameterStore(
    [
      { name: 'a', shape: [2], initializer: start, trainable: true },
      { name: 'fixed', shape: [2], initializer: start, trainable: false },
      { name: 'b', shape: [1, 2], initializer: start, trainable: true },
    ],
    new Random(1),
  );
}

/** Gradients of step n, `a` then `b`. */
function gradientsAt(n: number): number[] {
  return [Math.sin(n), 2 * Math.cos(n), 0.5, -1 / (n + 1)];
}

/** The papers' formulas, number by number, in 64-bit arithmetic. */
function slowTwin(
  spec: OptimizerSpec,
  steps: number,
  clip: number,
  at: (n: number) => number[] = gradientsAt,
): { x: number[]; norms: number[] } {
  const x = [1, 1, 1, 1];
  const first = [0, 0, 0, 0];
  const second = [0, 0, 0, 0];
  const norms: number[] = [];
  for (let n = 0; n < steps; n++) {
    const raw = at(n);
    const norm = Math.sqrt(raw.reduce((s, g) => s + g * g, 0));
    norms.push(norm);
    raw.forEach((value, k) => {
      const g = clip > 0 && norm > clip ? (value * clip) / norm : value;
      if (spec.kind === 'sgd') {
        first[k] = spec.momentum * first[k]! + g;
        x[k]! -= 0.1 * first[k]!;
        return;
      }
      first[k] = spec.beta1 * first[k]! + (1 - spec.beta1) * g;
      second[k] = spec.beta2 * second[k]! + (1 - spec.beta2) * g * g;
      const m = first[k]! / (1 - spec.beta1 ** (n + 1));
      const v = second[k]! / (1 - spec.beta2 ** (n + 1));
      x[k]! -= (0.1 * m) / (Math.sqrt(v) + spec.epsilon);
    });
  }
  return { x, norms };
}

describeOnKernels('optimizers', () => {
  for (const spec of [ADAM, SGD]) {
    for (const clip of [0, 1]) {
      it(`${spec.kind} follows its formula, clip ${clip}`, () => {
        const store = storeOf();
        const optimizer = createOptimizer(spec, store, clip);
        const expected = slowTwin(spec, 10, clip);
        const run = (from: number, to: number): void => {
          for (let n = from; n < to; n++) {
            const [a0, a1, b0, b1] = gradientsAt(n);
            const gradients = { a: tensor([a0!, a1!]), b: tensor([[b0!, b1!]]) };
            const norm = optimizer.apply(gradients, 0.1);
            expect(norm.dataSync()[0]).toBeCloseTo(expected.norms[n]!, 5);
            norm.dispose();
            gradients.a.dispose();
            gradients.b.dispose();
          }
        };
        run(0, 5);
        // Through a checkpoint and back in the middle: nothing changes.
        const saved = optimizer.state();
        run(5, 7);
        optimizer.restore(saved);
        const parameters = { a: store.read('a'), b: store.read('b') };
        expect(parameters.a[0]).not.toBe(1);
        optimizer.restore(saved);
        const fresh = storeOf();
        const resumed = createOptimizer(spec, fresh, clip);
        resumed.restore(saved);
        expect(Object.keys(resumed.state())).toEqual(Object.keys(saved));
        for (const [key, { data }] of Object.entries(saved)) expect(resumed.state()[key]!.data).toEqual(data);
        resumed.dispose();
        fresh.dispose();
        optimizer.dispose();
        store.dispose();

        const whole = storeOf();
        const other = createOptimizer(spec, whole, clip);
        const before = memory().numTensors;
        for (let n = 0; n < 10; n++) {
          const [a0, a1, b0, b1] = gradientsAt(n);
          const gradients = { a: tensor([a0!, a1!]), b: tensor([[b0!, b1!]]) };
          other.apply(gradients, 0.1).dispose();
          gradients.a.dispose();
          gradients.b.dispose();
        }
        // Reading caches one tensor a parameter on some engines; nothing else may remain.
        expect(memory().numTensors).toBeLessThanOrEqual(before);
        const x = [...whole.read('a'), ...whole.read('b')];
        // Ten steps of 32-bit arithmetic; Adam's epsilon stands beside the uncorrected root, a change below 1e-6 here.
        x.forEach((value, k) => {
          expect(value).toBeCloseTo(expected.x[k]!, 4);
        });
        expect(Array.from(whole.read('fixed'))).toEqual([1, 1]);
        other.dispose();
        whole.dispose();
      });
    }
  }

  it('adam follows its formula where clipping comes and goes by orders of magnitude', () => {
    // Clipping is folded into the decay rates, as far as 32-bit floats hold them: gradients that are clipped by a factor of
    // 1 to 10,000, from one step to the next and for many steps on end.
    const at = (n: number): number[] => {
      const size = n < 60 ? 10 ** ((n * 7) % 5) : n < 120 ? 300 : 0.1;
      return gradientsAt(n).map((g) => g * size);
    };
    const expected = slowTwin(ADAM, 180, 1, at);
    const store = storeOf();
    const optimizer = createOptimizer(ADAM, store, 1);
    for (let n = 0; n < 180; n++) {
      const [a0, a1, b0, b1] = at(n);
      const gradients = { a: tensor([a0!, a1!]), b: tensor([[b0!, b1!]]) };
      optimizer.apply(gradients, 0.1).dispose();
      gradients.a.dispose();
      gradients.b.dispose();
    }
    // A step has the size of the rate, 0.1; rounding of 180 of them may add up to a hundredth of one.
    [...store.read('a'), ...store.read('b')].forEach((value, k) => {
      expect(Math.abs(value - expected.x[k]!)).toBeLessThan(1e-3);
    });
    optimizer.dispose();
    store.dispose();
  });

  it('a parameter of many numbers is updated in all of them, and clipped by the norm of all', () => {
    const size = 50_021; // several pieces for several threads, and a last vector that is not full
    const random = new Random(4);
    const start = Float32Array.from({ length: size }, () => random.normal());
    const drawn = { kind: 'drawn', draw: () => start } as const;
    const store = new ParameterStore(
      [{ name: 'x', shape: [size], initializer: drawn, trainable: true }],
      new Random(1),
    );
    const optimizer = createOptimizer(ADAM, store, 1);
    const x = Float64Array.from(start);
    const [m, v] = [new Float64Array(size), new Float64Array(size)];
    for (let step = 1; step <= 3; step++) {
      const gradient = Float32Array.from({ length: size }, () => random.normal());
      const norm = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0));
      gradient.forEach((raw, k) => {
        const g = raw / norm;
        m[k] = 0.9 * m[k]! + 0.1 * g;
        v[k] = 0.999 * v[k]! + 0.001 * g * g;
        const rate = (0.1 * Math.sqrt(1 - 0.999 ** step)) / (1 - 0.9 ** step);
        x[k]! -= (rate * m[k]!) / (Math.sqrt(v[k]!) + 1e-8);
      });
      const given = tensor(gradient);
      const measured = optimizer.apply({ x: given }, 0.1);
      // Fifty thousand squares, summed in 32 bits where there is no better way.
      expect(measured.dataSync()[0]! / norm).toBeCloseTo(1, 4);
      measured.dispose();
      given.dispose();
    }
    // Steps of 0.1, in 32 bits.
    store.read('x').forEach((value, k) => {
      expect(Math.abs(value - x[k]!)).toBeLessThan(1e-5);
    });
    optimizer.dispose();
    store.dispose();
  });
});
