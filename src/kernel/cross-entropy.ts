import {
  add,
  engine,
  getBackend,
  logSoftmax,
  matMul,
  mul,
  neg,
  oneHot,
  sum,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import { CROSS_ENTROPY } from './cross-entropy-native.js';
import { plainCrossEntropy } from './cross-entropy-plain.js';

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
 * @param transposed whether `matrix` is V', `[vocabulary, size]`, as an embedding table is
 */
export function crossEntropy(
  o: Tensor2D,
  matrix: Tensor2D,
  bias: Tensor1D,
  labels: Tensor1D,
  smoothing: number,
  transposed = false,
): CrossEntropy {
  if (getBackend() !== 'tensorflow') return plainCrossEntropy(o, matrix, bias, labels, smoothing, transposed);
  const [loss, negativeLogLikelihood] = engine().runKernel(
    CROSS_ENTROPY,
    { o, matrix, bias, labels },
    { smoothing, transposed },
  ) as unknown as Tensor1D[];
  return { loss: loss!, negativeLogLikelihood: negativeLogLikelihood! };
}

/** The same from single operations: the reference. */
export function composedCrossEntropy(
  o: Tensor2D,
  matrix: Tensor2D,
  bias: Tensor1D,
  labels: Tensor1D,
  smoothing: number,
  transposed = false,
): CrossEntropy {
  const [size] = bias.shape;
  const logP = logSoftmax(add(matMul(o, matrix, false, transposed), bias)); // [rows, vocabulary]
  const hit = oneHot(labels, size);
  const target = smoothing === 0 ? hit : add(mul(hit, 1 - smoothing), smoothing / size);
  return {
    loss: neg(sum(mul(target, logP), 1)),
    negativeLogLikelihood: neg(sum(mul(hit, logP), 1)),
  };
}
