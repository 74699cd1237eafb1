import {
  add,
  engine,
  getBackend,
  logSoftmax,
  matMul,
  mul,
  neg,
  oneHot,
  registerGradient,
  registerKernel,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import { type Attributes, type Handle, nativeOps } from '../engine/native.js';
import { product } from '../engine/products.js';

export interface CrossEntropy {
  /** Cross-entropy with the smoothed target of each row, `[rows]`. */
  readonly loss: Tensor1D;
  /** -ln P(label) of each row, `[rows]`; a figure to report, no gradient flows through it. */
  readonly negativeLogLikelihood: Tensor1D;
}

/**
 * Output layer and loss in one: logits z = o V + b, then cross-entropy with the target
 * t = (1 - s) onehot(label) + s / vocabulary (label smoothing, Szegedy et al. 2016, section 7).
 *
 * @param o `[rows, size]`, one row a real target position
 * @param matrix V, `[size, vocabulary]`
 * @param bias b, `[vocabulary]`
 * @param labels int32 `[rows]`
 * @param smoothing s in [0, 1)
 */
export function crossEntropy(
  o: Tensor2D,
  matrix: Tensor2D,
  bias: Tensor1D,
  labels: Tensor1D,
  smoothing: number,
): CrossEntropy {
  if (getBackend() !== 'tensorflow') return composedCrossEntropy(o, matrix, bias, labels, smoothing);
  const [loss, negativeLogLikelihood] = engine().runKernel(
    KERNEL,
    { o, matrix, bias, labels },
    { smoothing },
  ) as unknown as Tensor1D[];
  return { loss: loss!, negativeLogLikelihood: negativeLogLikelihood! };
}

/** The same from single operations: the reference, and what runs where there is no fused one. */
export function composedCrossEntropy(
  o: Tensor2D,
  matrix: Tensor2D,
  bias: Tensor1D,
  labels: Tensor1D,
  smoothing: number,
): CrossEntropy {
  const size = matrix.shape[1];
  const logP = logSoftmax(add(matMul(o, matrix), bias)); // [rows, vocabulary]
  const hit = oneHot(labels, size);
  const target = smoothing === 0 ? hit : add(mul(hit, 1 - smoothing), smoothing / size);
  return {
    loss: neg(sum(mul(target, logP), 1)),
    negativeLogLikelihood: neg(sum(mul(hit, logP), 1)),
  };
}

const KERNEL = 'DragomanCrossEntropy';
const FLOAT: Attributes = { T: { type: 'float32' } };

/**
 * Loss and its gradient by the logits in one pass of TensorFlow's SoftmaxCrossEntropyWithLogits, whose dense target is
 * written by OneHot with the smoothed values as its "on" and "off".
 * @returns loss, negative log-likelihood, gradient by the logits `[rows, vocabulary]`
 */
function forward(
  o: Tensor2D,
  matrix: Tensor2D,
  bias: Tensor1D,
  labels: Tensor1D,
  smoothing: number,
): Tensor[] {
  const native = nativeOps();
  const [rows] = o.shape;
  const vocabulary = matrix.shape[1];
  const handles = native.scope((): Handle[] => {
    const float = native.attributes(FLOAT);
    const product0 = product(native.from(o), native.from(matrix));
    const logits = native.one('BiasAdd', float, [product0, native.from(bias)]);
    const label = native.from(labels);
    const off = smoothing / vocabulary;
    const target = native.one(
      'OneHot',
      native.attributes({ ...FLOAT, TI: { type: 'int32' }, axis: { int: -1 } }),
      [
        label,
        native.constant([], 'int32', [vocabulary]),
        native.constant([], 'float32', [1 - smoothing + off]),
        native.constant([], 'float32', [off]),
      ],
    );
    const [loss, gradient] = native.run('SoftmaxCrossEntropyWithLogits', float, [logits, target], 2);
    if (smoothing === 0) return [loss!, native.one('Identity', float, [loss!]), gradient!];
    // loss = lse - (1 - s) z_y - s mean(z), so -ln P(y) = lse - z_y = loss - s (z_y - mean(z)).
    const position = native.one(
      'Pack',
      native.attributes({ T: { type: 'int32' }, N: { int: 2 }, axis: { int: 1 } }),
      [
        native.one('Range', native.attributes({ Tidx: { type: 'int32' } }), [
          native.constant([], 'int32', [0]),
          native.constant([], 'int32', [rows]),
          native.constant([], 'int32', [1]),
        ]),
        label,
      ],
    ); // [rows, 2]
    const chosen = native.one(
      'GatherNd',
      native.attributes({ Tparams: { type: 'float32' }, Tindices: { type: 'int32' } }),
      [logits, position],
    );
    const mean = native.one(
      'Mean',
      native.attributes({ ...FLOAT, Tidx: { type: 'int32' }, keep_dims: { bool: false } }),
      [logits, native.constant([1], 'int32', [1])],
    );
    const excess = native.one('Sub', float, [chosen, mean]);
    const scaled = native.one('Mul', float, [excess, native.constant([], 'float32', [smoothing])]);
    return [loss!, native.one('Sub', float, [loss!, scaled]), gradient!];
  });
  return handles.map((handle) => native.toTensor(handle));
}

/** Gradients of o, matrix and bias, where `scale` `[rows]` is the gradient of each row's loss. */
function backward(o: Tensor2D, matrix: Tensor2D, gradient: Tensor2D, scale: Tensor1D): Tensor[] {
  const native = nativeOps();
  const [rows] = o.shape;
  const handles = native.scope((): Handle[] => {
    const float = native.attributes(FLOAT);
    const shape = native.attributes({ ...FLOAT, Tshape: { type: 'int32' } });
    const g = native.from(gradient);
    const column = native.one('Reshape', shape, [
      native.from(scale),
      native.constant([2], 'int32', [rows, 1]),
    ]);
    // Scaling the rows of the two narrow factors saves a pass over [rows, vocabulary].
    const back = product(g, native.from(matrix), false, true);
    const dO = native.one('Mul', float, [back, column]);
    const scaled = native.one('Mul', float, [native.from(o), column]);
    const dMatrix = product(scaled, g, true);
    const dBias = product(column, g, true); // [1, vocabulary]
    return [dO, dMatrix, native.one('Reshape', shape, [dBias, native.constant([1], 'int32', [-1])])];
  });
  return handles.map((handle) => native.toTensor(handle));
}

registerKernel({
  kernelName: KERNEL,
  backendName: 'tensorflow',
  kernelFunc: ({ inputs, attrs }) => {
    const { o, matrix, bias, labels } = inputs as Record<string, Tensor>;
    const { smoothing } = attrs as { smoothing: number };
    return forward(o as Tensor2D, matrix as Tensor2D, bias as Tensor1D, labels as Tensor1D, smoothing);
  },
});

registerGradient({
  kernelName: KERNEL,
  inputsToSave: ['o', 'matrix'],
  outputsToSave: [false, false, true],
  gradFunc: (dy, saved) => {
    const [o, matrix, gradient] = saved as [Tensor2D, Tensor2D, Tensor2D];
    const [scale] = dy as [Tensor1D];
    const gradients = backward(o, matrix, gradient, scale);
    return Object.fromEntries(['o', 'matrix', 'bias'].map((name, k) => [name, () => gradients[k]!]));
  },
});
