import {
  add,
  getBackend,
  logSoftmax,
  matMul,
  mul,
  neg,
  oneHot,
  reshape,
  slice,
  sum,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import type { Prediction } from './cross-entropy-kernel.js';
import { nativeCrossEntropy } from './cross-entropy-native.js';
import { plainCrossEntropy } from './cross-entropy-plain.js';
import { customOperation } from './custom-operation.js';

export interface CrossEntropy {
  /** Cross-entropy with the smoothed target of each row, `[rows]`. */
  readonly loss: Tensor1D;
  /** -ln P(label) of each row, `[rows]`; a figure to report, no gradient flows through it. */
  readonly negativeLogLikelihood: Tensor1D;
}

/**
 * Output layer and loss in one: logits z = o V + b, then cross-entropy with the target
 * t = (1 - s) onehot(label) + s / vocabulary (label smoothing, Szegedy et al. 2016, section 7).
 */
export function crossEntropy({ o, matrix, bias, labels, smoothing, transposed }: Prediction): CrossEntropy {
  const kernel = getBackend() === 'tensorflow' ? nativeCrossEntropy : plainCrossEntropy;
  const rows = o.shape[0];
  // A custom gradient has one output: loss and -ln P are two rows of it.
  const both = customOperation<Tensor2D>(
    [o, matrix, bias],
    (inputs) => {
      const [given, factor, offset] = inputs as [Tensor2D, Tensor2D, Tensor1D];
      const prediction = { o: given, matrix: factor, bias: offset, labels, smoothing, transposed };
      const { values, gradient } = kernel.forward(prediction);
      return { value: values, kept: [gradient] };
    },
    (by, inputs, kept) => {
      const [given, factor] = inputs as [Tensor2D, Tensor2D];
      const [gradient] = kept as [Tensor2D];
      return kernel.backward({ o: given, matrix: factor, transposed }, gradient, rowOf(by, 0, rows));
    },
  );
  return { loss: rowOf(both, 0, rows), negativeLogLikelihood: rowOf(both, 1, rows) };
}

function rowOf(both: Tensor2D, row: number, rows: number): Tensor1D {
  return reshape(slice(both, [row, 0], [1, rows]), [rows]) as Tensor1D;
}

/** The same from single operations: the reference. */
export function composedCrossEntropy({
  o,
  matrix,
  bias,
  labels,
  smoothing,
  transposed,
}: Prediction): CrossEntropy {
  const [size] = bias.shape;
  const logP = logSoftmax(add(matMul(o, matrix, false, transposed), bias)); // [rows, vocabulary]
  const hit = oneHot(labels, size);
  const target = smoothing === 0 ? hit : add(mul(hit, 1 - smoothing), smoothing / size);
  return {
    loss: neg(sum(mul(target, logP), 1)),
    negativeLogLikelihood: neg(sum(mul(hit, logP), 1)),
  };
}
