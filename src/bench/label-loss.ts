import {
  logSoftmax,
  mul,
  neg,
  oneHot,
  reshape,
  type Scalar,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor3D,
} from '@tensorflow/tfjs-core';
import type { StepInputs, StepTensors } from '../engine/repeated-step.js';

/** Stands where there is nothing to predict. */
export const NO_LABEL = -1;

type Labels = 'labels' | 'shares';

/**
 * Labels as {@link labelLoss} wants them, of one shape however many there are.
 * @param labels `[time, batch]`, a class or {@link NO_LABEL}
 */
export function labelInputs(labels: Int32Array): StepInputs<Labels> {
  const labelled = labels.reduce((count, label) => count + (label === NO_LABEL ? 0 : 1), 0);
  const shares = Float32Array.from(labels, (label) => (label === NO_LABEL ? 0 : 1 / labelled));
  const classes = labels.map((label) => (label === NO_LABEL ? 0 : label));
  return {
    labels: { values: classes, shape: [labels.length] },
    shares: { values: shares, shape: [labels.length] },
  };
}

/**
 * Mean cross-entropy of the labelled steps.
 * @param logits `[time, batch, classes]`
 */
export function labelLoss(logits: Tensor3D, { labels, shares }: StepTensors<Labels>): Scalar {
  const [time, batch, classes] = logits.shape;
  const flat: Tensor = reshape(logits, [time * batch, classes]);
  const right = oneHot(labels as Tensor1D, classes); // [time * batch, classes]
  return neg(sum(mul(sum(mul(logSoftmax(flat), right), 1), shares))) as Scalar;
}
