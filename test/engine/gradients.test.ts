import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { segmentSum } from '../../src/engine/segment-sum.js';
import { describeOnEngines } from '../engines.js';

type Operation = (x: tf.Tensor) => tf.Tensor;

/** Values without ties and away from 0, so that max, abs and relu are smooth there. */
function input(shape: number[]): tf.Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(1 + 1.7 * i) * 0.9 + (i % 2 ? 0.05 : -0.05)),
    shape,
  );
}

const ids = (...values: number[]) => tf.tensor1d(values, 'int32');
const other = (shape: number[]) => tf.add(tf.mul(input(shape), 0.5), 0.1);

/** Every operation that a sequence-to-sequence model may differentiate, as a function of its first input. */
const operations: Readonly<Record<string, { shape: number[]; f: Operation }>> = {
  'gather, repeated ids': { shape: [4, 3], f: (x) => tf.gather(x, ids(1, 1, 3, 0, 1)) },
  'gather, ids [batch, time]': {
    shape: [4, 3],
    f: (x) => tf.gather(x, tf.tensor2d([0, 1, 1, 3], [2, 2], 'int32')),
  },
  'gather on axis 1': { shape: [2, 4, 3], f: (x) => tf.gather(x, ids(3, 0, 3), 1) },
  'gather with batch dimension': {
    shape: [2, 4, 3],
    f: (x) =>
      tf.gather(
        x,
        tf.tensor2d(
          [
            [3, 0],
            [1, 1],
          ],
          [2, 2],
          'int32',
        ),
        1,
        1,
      ),
  },
  concat: { shape: [2, 3], f: (x) => tf.concat([x, tf.square(x), other([2, 2])], 1) },
  slice: { shape: [3, 4], f: (x) => tf.slice(x, [1, 1], [2, 2]) },
  stridedSlice: { shape: [6], f: (x) => tf.reverse(tf.slice(x, 1, 4)) },
  split: { shape: [2, 6], f: (x) => tf.mul(...(tf.split(x, 2, 1) as [tf.Tensor, tf.Tensor])) },
  stack: { shape: [2, 3], f: (x) => tf.stack([x, tf.square(x)], 1) },
  unstack: { shape: [3, 2], f: (x) => tf.mul(...(tf.unstack(x, 0).slice(1) as [tf.Tensor, tf.Tensor])) },
  tile: { shape: [2, 3], f: (x) => tf.tile(x, [2, 3]) },
  'tile of rank 3': { shape: [1, 2, 3], f: (x) => tf.tile(x, [2, 1, 2]) },
  pad: {
    shape: [2, 3],
    f: (x) =>
      tf.pad(x, [
        [1, 0],
        [0, 2],
      ]),
  },
  reverse: { shape: [2, 3, 2], f: (x) => tf.reverse(x, 1) },
  reshape: { shape: [2, 3], f: (x) => tf.square(tf.reshape(x, [3, 2])) },
  expandDims: { shape: [2, 3], f: (x) => tf.mul(tf.expandDims(x, 1), other([2, 4, 3])) },
  squeeze: { shape: [2, 1, 3], f: (x) => tf.square(tf.squeeze(x, [1])) },
  transpose: { shape: [2, 3, 4], f: (x) => tf.mul(tf.transpose(x, [1, 0, 2]), other([3, 2, 4])) },
  broadcastTo: { shape: [1, 3], f: (x) => tf.broadcastTo(x, [4, 3]) },
  matMul: { shape: [2, 3], f: (x) => tf.matMul(x, other([3, 4])) },
  'matMul, right side': { shape: [3, 4], f: (x) => tf.matMul(other([2, 3]), x) },
  'matMul, both transposed': { shape: [3, 2], f: (x) => tf.matMul(x, other([4, 3]), true, true) },
  'matMul in batches': { shape: [2, 3, 4], f: (x) => tf.matMul(x, other([2, 5, 4]), false, true) },
  'matMul in batches, right side': {
    shape: [2, 5, 4],
    f: (x) => tf.matMul(other([2, 3, 4]), x, false, true),
  },
  'matMul, one matrix for all batches': { shape: [1, 4, 5], f: (x) => tf.matMul(other([2, 3, 4]), x) },
  'matMul, left side transposed': { shape: [4, 3], f: (x) => tf.matMul(x, other([4, 2]), true, false) },
  'matMul, right side, left transposed': {
    shape: [4, 2],
    f: (x) => tf.matMul(other([4, 3]), x, true, false),
  },
  'matMul, right side, both transposed': { shape: [2, 4], f: (x) => tf.matMul(other([4, 3]), x, true, true) },
  add: { shape: [3], f: (x) => tf.add(x, other([2, 3])) },
  sub: { shape: [2, 1], f: (x) => tf.sub(other([2, 3]), x) },
  mul: { shape: [2, 1, 3], f: (x) => tf.mul(x, other([2, 4, 1])) },
  div: { shape: [2, 3], f: (x) => tf.div(other([2, 3]), tf.add(x, 3)) },
  addN: { shape: [2, 3], f: (x) => tf.addN([x, tf.square(x), other([2, 3])]) },
  squaredDifference: { shape: [2, 3], f: (x) => tf.squaredDifference(x, other([3])) },
  maximum: { shape: [2, 3], f: (x) => tf.maximum(x, other([2, 3])) },
  minimum: { shape: [2, 3], f: (x) => tf.minimum(x, other([3])) },
  clipByValue: { shape: [2, 3], f: (x) => tf.clipByValue(x, -0.5, 0.5) },
  neg: { shape: [3], f: (x) => tf.neg(x) },
  abs: { shape: [2, 3], f: (x) => tf.abs(x) },
  square: { shape: [2, 3], f: (x) => tf.square(x) },
  sqrt: { shape: [2, 3], f: (x) => tf.sqrt(tf.add(x, 2)) },
  rsqrt: { shape: [2, 3], f: (x) => tf.rsqrt(tf.add(x, 2)) },
  pow: { shape: [2, 3], f: (x) => tf.pow(tf.add(x, 2), 3) },
  'pow, the exponent': { shape: [2, 3], f: (x) => tf.pow(tf.add(other([2, 3]), 2), x) },
  reciprocal: { shape: [2, 3], f: (x) => tf.reciprocal(tf.add(x, 2)) },
  expm1: { shape: [2, 3], f: (x) => tf.expm1(x) },
  sin: { shape: [2, 3], f: (x) => tf.sin(x) },
  cos: { shape: [2, 3], f: (x) => tf.cos(x) },
  elu: { shape: [2, 3], f: (x) => tf.elu(x) },
  leakyRelu: { shape: [2, 3], f: (x) => tf.leakyRelu(x, 0.2) },
  exp: { shape: [2, 3], f: (x) => tf.exp(x) },
  log: { shape: [2, 3], f: (x) => tf.log(tf.add(x, 2)) },
  log1p: { shape: [2, 3], f: (x) => tf.log1p(tf.square(x)) },
  tanh: { shape: [2, 3], f: (x) => tf.tanh(x) },
  sigmoid: { shape: [2, 3], f: (x) => tf.sigmoid(x) },
  relu: { shape: [2, 3], f: (x) => tf.relu(x) },
  softplus: { shape: [2, 3], f: (x) => tf.softplus(x) },
  softmax: { shape: [2, 4], f: (x) => tf.softmax(x) },
  'softmax of rank 3': { shape: [2, 2, 3], f: (x) => tf.softmax(x) },
  logSoftmax: { shape: [2, 4], f: (x) => tf.logSoftmax(x) },
  logSumExp: { shape: [2, 4], f: (x) => tf.logSumExp(x, 1) },
  max: { shape: [2, 3, 2], f: (x) => tf.max(x, 1) },
  min: { shape: [2, 3], f: (x) => tf.min(x, 1, true) },
  mean: { shape: [2, 3, 2], f: (x) => tf.square(tf.mean(x, 1)) },
  sum: { shape: [2, 3, 2], f: (x) => tf.square(tf.sum(x, [0, 2])) },
  'max of all': { shape: [2, 3], f: (x) => tf.max(x) },
  'sum of all': { shape: [2, 3], f: (x) => tf.square(tf.sum(x)) },
  'mean of all': { shape: [2, 3], f: (x) => tf.square(tf.mean(x)) },
  unsortedSegmentSum: { shape: [4, 2], f: (x) => tf.unsortedSegmentSum(x, ids(1, 0, -1, 1), 3) },
  'concat on the last axis': { shape: [2, 3], f: (x) => tf.concat([other([2, 1]), x, x], -1) },
  'floor, which stands still': { shape: [2, 3], f: (x) => tf.mul(x, tf.floor(tf.add(other([2, 3]), 3))) },
  'cumsum, exclusive and reversed': { shape: [2, 4], f: (x) => tf.cumsum(x, 1, true, true) },
  cumsum: { shape: [2, 4], f: (x) => tf.cumsum(x, 1) },
  norm: { shape: [2, 3], f: (x) => tf.norm(x) },
  where: {
    shape: [2, 3],
    f: (x) => tf.where(tf.tensor2d([1, 0, 1, 0, 0, 1], [2, 3], 'bool'), x, tf.square(x)),
  },
  'where with a broadcast condition': {
    shape: [2, 3],
    f: (x) => tf.where(tf.tensor2d([1, 0], [2, 1], 'bool'), x, tf.zerosLike(x)),
  },
  'one-hot selection': { shape: [2, 3], f: (x) => tf.sum(tf.mul(x, tf.oneHot(ids(2, 0), 3)), 1) },
  'product with a mask': {
    shape: [2, 3],
    f: (x) => tf.mul(x, tf.cast(tf.greater(other([2, 3]), 0), 'float32')),
  },
};

describeOnEngines('gradients by finite differences', (engine) => {
  it.each(Object.entries(operations))('%s', (_, { shape, f }) => {
    // L = Σ w ∘ f(x), with weights that tell the outputs apart; float64 is not to be had, so a wide step.
    const before = tf.memory().numTensors;
    const x = input(shape);
    const loss = (values: tf.Tensor): tf.Scalar =>
      tf.tidy(() => {
        const y = f(values);
        return tf.sum(tf.mul(y, tf.sub(tf.reshape(input([y.size]), y.shape), 0.3)));
      });
    const gradient = tf.grad(loss)(x);
    expect(gradient.shape).toEqual(shape);
    const analytic = gradient.dataSync();
    const data = x.dataSync().slice();
    const step = 1e-2;
    for (let i = 0; i < data.length; i++) {
      const at = (value: number): number => {
        const moved = Float32Array.from(data);
        moved[i] = value;
        return tf.tidy(() => loss(tf.tensor(moved, shape)).dataSync()[0]!);
      };
      const numeric = (at(data[i]! + step) - at(data[i]! - step)) / (2 * step);
      expect(analytic[i]!, `element ${i} on ${engine}`).toBeCloseTo(numeric, 2);
    }
    gradient.dispose();
    x.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('runs the operations that have no gradient', () => {
    tf.tidy(() => {
      const x = tf.tensor2d([3, 1, 2, 5, 9, 7], [2, 3]);
      const { values, indices } = tf.topk(x, 2);
      expect([...values.dataSync()]).toEqual([3, 2, 9, 7]);
      expect([...indices.dataSync()]).toEqual([0, 2, 1, 2]);
      expect([...tf.argMax(x, 1).dataSync()]).toEqual([0, 1]);
      expect([...tf.oneHot(ids(1), 3).dataSync()]).toEqual([0, 1, 0]);
      const a = ids(1, 2, 3);
      expect([...tf.equal(a, 2).dataSync()]).toEqual([0, 1, 0]);
      expect([...tf.notEqual(a, ids(1, 2, 4)).dataSync()]).toEqual([0, 0, 1]);
      expect([...tf.less(tf.range(0, 3, 1, 'int32'), 2).dataSync()]).toEqual([1, 1, 0]);
      expect([...tf.logicalAnd(tf.less(a, 3), tf.greater(a, 1)).dataSync()]).toEqual([0, 1, 0]);
      expect([...tf.logicalNot(tf.equal(a, 2)).dataSync()]).toEqual([1, 0, 1]);
      expect([...tf.isNaN(tf.tensor1d([0, Number.NaN])).dataSync()]).toEqual([0, 1]);
      expect([...tf.isFinite(tf.tensor1d([0, Number.POSITIVE_INFINITY])).dataSync()]).toEqual([1, 0]);
      expect([...tf.sum(a).dataSync()]).toEqual([6]);
      expect([...tf.any(tf.equal(a, 2)).dataSync()]).toEqual([1]);
      expect([...tf.all(tf.equal(a, 2)).dataSync()]).toEqual([0]);
      expect([...tf.gather(a, ids(2, 0)).dataSync()]).toEqual([3, 1]);
      expect([...tf.mul(a, 2).dataSync()]).toEqual([2, 4, 6]);
      expect([...tf.cumsum(a).dataSync()]).toEqual([1, 3, 6]);
      expect([...tf.scatterND(tf.reshape(ids(2, 0), [2, 1]), ids(5, 6), [3]).dataSync()]).toEqual([6, 0, 5]);
      expect(tf.multinomial(tf.tensor2d([0, 0, 50], [1, 3]), 2, 1).dataSync()[0]).toBe(2);
    });
  });

  it('sums rows by segment, also for int32 and for ids that are out of range', () => {
    tf.tidy(() => {
      const x = tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]);
      expect([...tf.unsortedSegmentSum(x, ids(2, 0, 2), 4).dataSync()]).toEqual([3, 4, 0, 0, 6, 8, 0, 0]);
      expect([...tf.unsortedSegmentSum(ids(1, 2, 3), ids(1, 1, -1), 2).dataSync()]).toEqual([0, 3]);
      expect(tf.unsortedSegmentSum(tf.zeros([0, 2]), ids(), 3).shape).toEqual([3, 2]);
    });
  });
});

it('segmentSum equals the definition', () => {
  const sums = new Float32Array(6);
  segmentSum([1, 2, 3, 4, 5, 6, 7, 8], [1, 0, 1, 7], sums, 2);
  expect([...sums]).toEqual([3, 4, 6, 8, 0, 0]);
});
