import {
  mean,
  mul,
  neg,
  reshape,
  type Scalar,
  slice,
  sum,
  type Tensor,
  type Tensor1D,
} from '@tensorflow/tfjs-core';
import { number, type OwnOperations, ownOperations } from '../engine/own-operations.js';
import { crossEntropy } from './cross-entropy.js';
import type { Prediction } from './cross-entropy-kernel.js';
import { customOperation } from './custom-operation.js';

export interface MeanLoss {
  /** Mean over the rows of the cross-entropy with their smoothed targets. */
  readonly loss: Scalar;
  /** Sum over the rows of ln P(label); a figure to report, no gradient flows through it. */
  readonly logLikelihood: Scalar;
}

/** Output layer and the mean of {@link crossEntropy} over its rows, of which there must be one: what training descends. */
export function meanLoss(prediction: Prediction): MeanLoss {
  const operations = ownOperations();
  return operations === null ? composedMeanLoss(prediction) : compiledMeanLoss(operations, prediction);
}

/** The same from the losses of all rows. */
export function composedMeanLoss(prediction: Prediction): MeanLoss {
  const { loss, negativeLogLikelihood } = crossEntropy(prediction);
  return { loss: mean(loss), logLikelihood: neg(sum(negativeLogLikelihood)) };
}

/**
 * By our own operation (src/kernel/compiled/loss.h), which makes loss and gradients at once: the logits of a few hundred
 * rows at a time are all that ever exists, and the gradient by the bias is summed where they are made.
 */
function compiledMeanLoss(
  operations: OwnOperations,
  { o, matrix, bias, labels, smoothing, transposed }: Prediction,
): MeanLoss {
  const both = customOperation<Tensor1D>(
    [o, matrix, bias],
    (inputs) => {
      const [losses, ...gradients] = operations.run(
        'DragomanMeanLoss',
        [...inputs, labels, number('float32', smoothing), number('int32', Number(transposed))],
        4,
      );
      return { value: losses as Tensor1D, kept: gradients };
    },
    (by, _inputs, gradients) => scaled(gradients, slice(by, [0], [1])),
  );
  const part = (k: number) => reshape(slice(both, [k], [1]), []) as Scalar;
  return { loss: part(0), logLikelihood: part(1) };
}

/** Where the mean loss is itself what is differentiated, that is by 1, and nothing of the size of the weights is written. */
function scaled(gradients: readonly Tensor[], by: Tensor): Tensor[] {
  return by.dataSync()[0] === 1 ? gradients.map((g) => g.clone()) : gradients.map((g) => mul(g, by));
}
