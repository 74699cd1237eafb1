import * as tf from '@tensorflow/tfjs-core';
import type { Batch } from '../text/batch.js';
import { JointModel } from './joint-model.js';
import { type ScoringModel, scoreBySteps } from './scorer.js';

/**
 * How an ensemble's M models agree on P(y_t | y_<t, x):
 * `probability`: the mean of their probabilities, (1/M) sum_m P_m: any model can vote a token in;
 * `log-probability`: the mean of their log-probabilities, normalised again: any model can veto a token.
 */
export const ENSEMBLE_MEANS = ['probability', 'log-probability'] as const;
export type EnsembleMean = (typeof ENSEMBLE_MEANS)[number];

/** Several models that decode as one. */
export class Ensemble extends JointModel<ScoringModel> implements ScoringModel {
  constructor(
    models: readonly ScoringModel[],
    readonly mean: EnsembleMean = 'probability',
  ) {
    super(models);
  }

  /** Teacher forcing: the mean probability of each target token needs no more than each model's own score of it. */
  score(batch: Batch): Float32Array[] {
    if (this.mean === 'log-probability') return scoreBySteps(this, batch);
    const all = this.models.map((model) => model.score(batch));
    return all[0]!.map((first, row) => first.map((_, t) => logMeanExp(all.map((own) => own[row]![t]!))));
  }

  /** The ensemble's log-probabilities. */
  protected combine(logits: readonly tf.Tensor2D[]): tf.Tensor2D {
    return combine(logits, this.mean);
  }
}

/** `[rows, vocabulary]` of each model to log-probabilities `[rows, vocabulary]` of all. */
function combine(logits: readonly tf.Tensor2D[], mean: EnsembleMean): tf.Tensor2D {
  return tf.tidy(() => {
    const logProbabilities = tf.stack(logits.map((own) => tf.sub(own, tf.logSumExp(own, 1, true)))); // [models, rows, vocabulary]
    if (mean === 'probability') {
      return tf.sub(tf.logSumExp(logProbabilities, 0), Math.log(logits.length)) as tf.Tensor2D;
    }
    const averaged = tf.mean(logProbabilities, 0) as tf.Tensor2D;
    return tf.sub(averaged, tf.logSumExp(averaged, 1, true)) as tf.Tensor2D;
  });
}

/** ln of the mean of exp(values). */
function logMeanExp(values: readonly number[]): number {
  const max = Math.max(...values);
  return max + Math.log(values.reduce((sum, value) => sum + Math.exp(value - max), 0) / values.length);
}
