import {
  registerGradient,
  registerKernel,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import type { Handle } from '../engine/native.js';
import { product, softmax } from '../engine/products.js';
import { operations } from './operations.js';

/** Name of the kernel, for tfjs. */
export const CROSS_ENTROPY = 'DragomanCrossEntropy';

const T = { type: 'float32' } as const;
const INDEX = { type: 'int32' } as const;

interface Inputs {
  readonly o: Tensor2D;
  /** V `[size, vocabulary]`, or transposed. */
  readonly matrix: Tensor2D;
  readonly bias: Tensor1D;
  readonly labels: Tensor1D;
}

interface Settings {
  readonly smoothing: number;
  /** Whether the matrix is V', as an embedding table is. */
  readonly transposed: boolean;
}

/**
 * With p = softmax(z): ln Σ exp z_j = max z - ln max p, so one softmax gives loss and gradient,
 *
 *     loss = (1 - s) (lse - z_y) + s (lse - mean z),  dloss/dz = p - s / vocabulary - (1 - s) onehot(y)
 *
 * TensorFlow's SoftmaxCrossEntropyWithLogits takes a dense target and twice the time.
 * @returns loss, negative log-likelihood, gradient by the logits `[rows, vocabulary]`
 */
function forward({ o, matrix, bias, labels }: Inputs, { smoothing, transposed }: Settings): Tensor[] {
  const { native, float, add, sub, mul, biasAdd, scalar } = operations();
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
    const normalizer = sub(largest, native.one('Log', float, [overRow('Max', p)]));
    const gather = native.attributes({ Tparams: T, Tindices: INDEX });
    const chosen = native.one('GatherNd', gather, [logits, position]);
    const negativeLogLikelihood = sub(normalizer, chosen);
    const hits = native.constant([rows], 'float32', new Array<number>(rows).fill(1 - smoothing));
    const scatter = native.attributes({ T, Tindices: INDEX });
    if (smoothing === 0) {
      const gradient = native.one('TensorScatterSub', scatter, [p, position, hits]);
      return [native.one('Identity', float, [negativeLogLikelihood]), negativeLogLikelihood, gradient];
    }
    const uniform = sub(normalizer, overRow('Mean', logits));
    const loss = add(mul(negativeLogLikelihood, real(1 - smoothing)), mul(uniform, real(smoothing)));
    const lowered = sub(p, real(smoothing / vocabulary));
    return [loss, negativeLogLikelihood, native.one('TensorScatterSub', scatter, [lowered, position, hits])];
  });
  return handles.map((handle) => native.toTensor(handle));
}

/**
 * Gradients of o, matrix and bias. Scaling the rows of the narrow factors saves a pass over `[rows, vocabulary]`.
 * @param gradient of each row's loss by its logits `[rows, vocabulary]`
 * @param scale the gradient of each row's loss `[rows]`
 */
function backward(
  o: Tensor2D,
  matrix: Tensor2D,
  gradient: Tensor2D,
  scale: Tensor1D,
  transposed: boolean,
): Tensor[] {
  const { native, mul, reshape, joiner, splitter } = operations();
  const [rows, size] = o.shape;
  const handles = native.scope((): Handle[] => {
    const g = native.from(gradient);
    const column = reshape(native.from(scale), [rows, 1]);
    const back = product(g, native.from(matrix), false, !transposed);
    const dO = mul(back, column);
    const scaled = mul(native.from(o), column);
    if (transposed) {
      const dBias = product(column, g, true); // [1, vocabulary]
      return [dO, product(g, scaled, true), reshape(dBias, [-1])];
    }
    // The bias is one more row of the matrix, for an o of 1: one product gives both gradients.
    const extended = joiner(2, 1)([scaled, column]);
    const both = product(extended, g, true); // [size + 1, vocabulary]
    const [dMatrix, dBias] = splitter([size, 1], 0)(both);
    return [dO, dMatrix!, reshape(dBias!, [-1])];
  });
  return handles.map((handle) => native.toTensor(handle));
}

registerKernel({
  kernelName: CROSS_ENTROPY,
  backendName: 'tensorflow',
  kernelFunc: ({ inputs, attrs }) => forward(inputs as unknown as Inputs, attrs as unknown as Settings),
});

registerGradient({
  kernelName: CROSS_ENTROPY,
  inputsToSave: ['o', 'matrix'],
  outputsToSave: [false, false, true],
  gradFunc: (dy, saved, attrs) => {
    const [o, matrix, gradient] = saved as [Tensor2D, Tensor2D, Tensor2D];
    const [scale] = dy as [Tensor1D];
    const gradients = backward(o, matrix, gradient, scale, (attrs as unknown as Settings).transposed);
    return Object.fromEntries(['o', 'matrix', 'bias'].map((name, k) => [name, () => gradients[k]!]));
  },
});
