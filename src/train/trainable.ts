import type { Scalar } from '@tensorflow/tfjs-core';
import type { ParameterStore, Weights } from '../model/parameters.js';
import type { Batch } from '../text/batch.js';

/** What the trainer needs of a model; `Seq2Seq` is one. */
export interface TrainableModel {
  readonly parameters: Pick<ParameterStore, 'specs' | 'read' | 'write'>;
  /** One forward and backward pass with dropout; the caller disposes what comes back. */
  gradients(
    batch: Batch,
    options: { labelSmoothing: number; seed: number },
  ): {
    /** Mean per target token in nats, smoothed. */
    loss: Scalar;
    /** Sum over the target tokens in nats, not smoothed. */
    logLikelihood: Scalar;
    gradients: Weights;
  };
  /** Teacher-forced and without dropout. */
  evaluate(batch: Batch): { logLikelihood: number; correct: number; tokens: number };
}
