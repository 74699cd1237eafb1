import {
  engine,
  mul,
  sum,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  tensor,
  tidy,
} from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { createCell } from '../../src/cell/family.js';
import { SequenceMask } from '../../src/kernel/mask.js';
import { scanWithOneStepGradient } from '../../src/kernel/one-step.js';
import { scanCell } from '../../src/kernel/sequence.js';
import { Random } from '../../src/random.js';
import { describeOnEngines } from '../engines.js';

const [TIME, BATCH, INPUT, HIDDEN] = [4, 2, 3, 5];
const LENGTHS = Int32Array.of(4, 2);

describeOnEngines('a sequence with the gradient of one step', () => {
  const random = new Random(3);
  const draw = (...shape: number[]) => {
    const values = Float32Array.from(
      { length: shape.reduce((a, b) => a * b, 1) },
      () => random.normal() * 0.7,
    );
    return { shape, values };
  };
  const given = {
    x: draw(TIME, BATCH, INPUT),
    kernel: draw(INPUT, HIDDEN),
    recurrent: draw(HIDDEN, HIDDEN),
    bias: draw(HIDDEN),
    initial: draw(BATCH, HIDDEN),
  };
  const by = draw(TIME, BATCH, HIDDEN);
  const mask = new SequenceMask(LENGTHS, TIME);
  const cell = createCell('elman', INPUT, HIDDEN);
  type Name = keyof typeof given;

  const run = (t: Record<Name, Tensor>, through: 'one step' | 'time'): Tensor3D => {
    const x = t.x as Tensor3D;
    const h = t.initial as Tensor2D;
    return through === 'one step'
      ? scanWithOneStepGradient(cell, t, x, { h }, mask)
      : scanCell(cell, t, x, { h }, mask).outputs;
  };
  const opened = (): Record<Name, Tensor> =>
    Object.fromEntries(
      Object.entries(given).map(([name, { values, shape }]) => [name, tensor(values, shape)]),
    ) as Record<Name, Tensor>;
  const outputs = (through: 'one step' | 'time'): Float32Array =>
    tidy(() => Float32Array.from(run(opened(), through).dataSync()));

  it('has the outputs of scan', () => {
    expect(outputs('one step')).toEqual(outputs('time'));
  });

  it('has the gradient of each step for itself, and none for the initial state', () => {
    const gradients = tidy(() => {
      const tensors = opened();
      const { grads } = engine().gradients(
        () => sum(mul(run(tensors, 'one step'), tensor(by.values, by.shape))),
        Object.values(tensors),
      );
      return Object.fromEntries(
        Object.keys(tensors).map((name, k) => [name, Float32Array.from(grads[k]!.dataSync())]),
      ) as Record<Name, Float32Array>;
    });
    // With L = sum_t c_t h_t and h_{t-1} constant: dz_t = c_t (1 - h_t²), dW = sum x_t' dz_t, dU = sum h_{t-1}' dz_t,
    // db = sum dz_t, dx_t = dz_t W'.
    const h = outputs('time');
    const expected = Object.fromEntries(
      Object.entries(given).map(([name, { values }]) => [name, new Float64Array(values.length)]),
    ) as Record<Name, Float64Array>;
    for (let b = 0; b < BATCH; b++) {
      for (let t = 0; t < LENGTHS[b]!; t++) {
        for (let j = 0; j < HIDDEN; j++) {
          const at = (t * BATCH + b) * HIDDEN + j;
          const dz = by.values[at]! * (1 - h[at]! ** 2);
          expected.bias[j]! += dz;
          for (let i = 0; i < INPUT; i++) {
            const from = (t * BATCH + b) * INPUT + i;
            expected.kernel[i * HIDDEN + j]! += given.x.values[from]! * dz;
            expected.x[from]! += given.kernel.values[i * HIDDEN + j]! * dz;
          }
          for (let i = 0; i < HIDDEN; i++) {
            const before =
              t === 0 ? given.initial.values[b * HIDDEN + i]! : h[((t - 1) * BATCH + b) * HIDDEN + i]!;
            expected.recurrent[i * HIDDEN + j]! += before * dz;
          }
        }
      }
    }
    for (const [name, values] of Object.entries(expected) as [Name, Float64Array][]) {
      values.forEach((value, k) => {
        // Sums of at most six products of numbers near 1 in 32-bit floats.
        expect(Math.abs(gradients[name][k]! - value), `${name}[${k}]`).toBeLessThan(1e-5);
      });
    }
  });
});
