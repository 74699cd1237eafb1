import type { Tensor2D } from '@tensorflow/tfjs-core';
import type { Handle } from '../engine/native.js';
import { product, softmax } from '../engine/products.js';
import type { CrossEntropyKernel } from './cross-entropy-kernel.js';
import { operations } from './operations.js';

const T = { type: 'float32' } as const;
const INDEX = { type: 'int32' } as const;

/**
 * From TensorFlow's operations. With p = softmax(z): ln Σ exp z_j = max z - ln max p, so one softmax gives loss and gradient,
 *
 *     loss = (1 - s) (lse - z_y) + s (lse - mean z),  dloss/dz = p - s / vocabulary - (1 - s) onehot(y)
 *
 * Their SoftmaxCrossEntropyWithLogits takes a dense target and twice the time.
 */
export const nativeCrossEntropy: CrossEntropyKernel = {
  forward({ o, matrix, bias, labels, smoothing, transposed }) {
    const { native, float, add, sub, mul, biasAdd, pack, scalar } = operations();
    const [rows] = o.shape;
    const [vocabulary] = bias.shape;
    const handles = native.scope((): Handle[] => {
      const reduction = native.attributes({ T, Tidx: INDEX, keep_dims: { bool: false } });
      const real = (value: number) => native.constant([], 'float32', [value]);
      const columns = native.constant([1], 'int32', [1]);
      const overRow = (name: string, x: Handle) => native.one(name, reduction, [x, columns]);

      const products = product(native.from(o), native.from(matrix), false, transposed);
      const logits = biasAdd(products, native.from(bias));
      const p = softmax(logits);
      const position = native.one('Pack', native.attributes({ T: INDEX, N: { int: 2 }, axis: { int: 1 } }), [
        native.one('Range', native.attributes({ Tidx: INDEX }), [scalar(0), scalar(rows), scalar(1)]),
        native.from(labels),
      ]); // [rows, 2]
      const largest = overRow('Max', logits);
      const normaliser = sub(largest, native.one('Log', float, [overRow('Max', p)]));
      const gather = native.attributes({ Tparams: T, Tindices: INDEX });
      const negativeLogLikelihood = sub(normaliser, native.one('GatherNd', gather, [logits, position]));
      const hits = native.constant([rows], 'float32', new Array<number>(rows).fill(1 - smoothing));
      const scatter = native.attributes({ T, Tindices: INDEX });
      if (smoothing === 0) {
        const gradient = native.one('TensorScatterSub', scatter, [p, position, hits]);
        return [pack([negativeLogLikelihood, negativeLogLikelihood]), gradient];
      }
      const uniform = sub(normaliser, overRow('Mean', logits));
      const loss = add(mul(negativeLogLikelihood, real(1 - smoothing)), mul(uniform, real(smoothing)));
      const lowered = sub(p, real(smoothing / vocabulary));
      const gradient = native.one('TensorScatterSub', scatter, [lowered, position, hits]);
      return [pack([loss, negativeLogLikelihood]), gradient];
    });
    const [values, gradient] = handles.map((handle) => native.toTensor<Tensor2D>(handle));
    return { values: values!, gradient: gradient! };
  },

  backward({ o, matrix, transposed }, gradient, scale) {
    const { native, mul, reshape, joiner, splitter } = operations();
    const handles = native.scope((): Handle[] => {
      const g = native.from(gradient);
      const column = reshape(native.from(scale), [-1, 1]);
      const dO = mul(product(g, native.from(matrix), false, !transposed), column);
      const scaled = mul(native.from(o), column);
      if (transposed) {
        const dBias = product(column, g, true); // [1, vocabulary]
        return [dO, product(g, scaled, true), reshape(dBias, [-1])];
      }
      // The bias is one more row of the matrix, for an o of 1: one product gives both gradients.
      const both = product(joiner(2, 1)([scaled, column]), g, true); // [size + 1, vocabulary]
      const [dMatrix, dBias] = splitter([o.shape[1], 1], 0)(both);
      return [dO, dMatrix!, reshape(dBias!, [-1])];
    });
    return handles.map((handle) => native.toTensor(handle)) as ReturnType<CrossEntropyKernel['backward']>;
  },
};
