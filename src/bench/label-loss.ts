import {
  gather,
  logSoftmax,
  mean,
  mul,
  neg,
  oneHot,
  reshape,
  type Scalar,
  sum,
  type Tensor2D,
  type Tensor3D,
  tensor1d,
} from '@tensorflow/tfjs-core';

/** Stands where there is nothing to predict. */
export const NO_LABEL = -1;

/**
 * Mean cross-entropy of the labelled steps.
 * @param logits `[time, batch, classes]`
 * @param labels `[time, batch]`, a class or {@link NO_LABEL}
 */
export function labelLoss(logits: Tensor3D, labels: Int32Array): Scalar {
  const [time, batch, classes] = logits.shape;
  const rows = Int32Array.from(labels.keys()).filter((row) => labels[row] !== NO_LABEL);
  const flat = reshape(logits, [time * batch, classes]) as Tensor2D;
  const chosen = gather(flat, tensor1d(rows, 'int32')); // [labelled, classes]
  const right = oneHot(
    tensor1d(
      rows.map((row) => labels[row]!),
      'int32',
    ),
    classes,
  );
  return neg(mean(sum(mul(logSoftmax(chosen), right), 1))) as Scalar;
}
