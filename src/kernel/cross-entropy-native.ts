import {
  registerGradient,
  registerKernel,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import { type Attributes, type Handle, nativeOps } from '../engine/native.js';
import { product, softmax } from '../engine/products.js';

/** Name of the kernel, for tfjs. */
export const CROSS_ENTROPY = 'DragomanCrossEntropy';

const T = { type: 'float32' } as const;
const INDEX = { type: 'int32' } as const;
const FLOAT: Attributes = { T };

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
  const native = nativeOps();
  const [rows] = o.shape;
  const [vocabulary] = bias.shape;
  const handles = native.scope((): Handle[] => {
    const float = native.attributes(FLOAT);
    const reduction = native.attributes({ T, Tidx: INDEX, keep_dims: { bool: false } });
    const int = (value: number) => native.constant([], 'int32', [value]);
    const real = (value: number) => native.constant([], 'float32', [value]);
    const columns = native.constant([1], 'int32', [1]);
    const overRow = (name: string, x: Handle) => native.one(name, reduction, [x, columns]);

    const products = product(native.from(o), native.from(matrix), false, transposed);
    const logits = native.one('BiasAdd', float, [products, native.from(bias)]);
    const p = softmax(logits);
    const position = native.one('Pack', native.attributes({ T: INDEX, N: { int: 2 }, axis: { int: 1 } }), [
      native.one('Range', native.attributes({ Tidx: INDEX }), [int(0), int(rows), int(1)]),
      native.from(labels),
    ]); // [rows, 2]
    const largest = overRow('Max', logits);
    const normalizer = native.one('Sub', float, [largest, native.one('Log', float, [overRow('Max', p)])]);
    const gather = native.attributes({ Tparams: T, Tindices: INDEX });
    const chosen = native.one('GatherNd', gather, [logits, position]);
    const negativeLogLikelihood = native.one('Sub', float, [normalizer, chosen]);
    const hits = native.constant([rows], 'float32', new Array<number>(rows).fill(1 - smoothing));
    const scatter = native.attributes({ T, Tindices: INDEX });
    if (smoothing === 0) {
      const gradient = native.one('TensorScatterSub', scatter, [p, position, hits]);
      return [native.one('Identity', float, [negativeLogLikelihood]), negativeLogLikelihood, gradient];
    }
    const uniform = native.one('Sub', float, [normalizer, overRow('Mean', logits)]);
    const loss = native.one('AddV2', float, [
      native.one('Mul', float, [negativeLogLikelihood, real(1 - smoothing)]),
      native.one('Mul', float, [uniform, real(smoothing)]),
    ]);
    const lowered = native.one('Sub', float, [p, real(smoothing / vocabulary)]);
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
  const native = nativeOps();
  const [rows, size] = o.shape;
  const handles = native.scope((): Handle[] => {
    const float = native.attributes(FLOAT);
    const reshape = (x: Handle, shape: number[]) =>
      native.one('Reshape', native.attributes({ T, Tshape: INDEX }), [
        x,
        native.constant([shape.length], 'int32', shape),
      ]);
    const g = native.from(gradient);
    const column = reshape(native.from(scale), [rows, 1]);
    const back = product(g, native.from(matrix), false, !transposed);
    const dO = native.one('Mul', float, [back, column]);
    const scaled = native.one('Mul', float, [native.from(o), column]);
    if (transposed) {
      const dBias = product(column, g, true); // [1, vocabulary]
      return [dO, product(g, scaled, true), reshape(dBias, [-1])];
    }
    // The bias is one more row of the matrix, for an o of 1: one product gives both gradients.
    const joint = native.attributes({ T, N: { int: 2 }, Tidx: INDEX });
    const extended = native.one('ConcatV2', joint, [scaled, column, native.constant([], 'int32', [1])]);
    const both = product(extended, g, true); // [size + 1, vocabulary]
    const parts = native.attributes({ T, Tlen: INDEX, num_split: { int: 2 } });
    const sizes = native.constant([2], 'int32', [size, 1]);
    const [dMatrix, dBias] = native.run('SplitV', parts, [both, sizes, native.constant([], 'int32', [0])], 2);
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
