import * as tf from '@tensorflow/tfjs-core';
import type { Batch } from '../text/batch.js';
import { PAD } from '../text/vocabulary.js';
import { JointModel } from './joint-model.js';
import type { ScoringModel } from './scorer.js';

/** Of ln P_LM where the user gives none. */
export const DEFAULT_FUSION_WEIGHT = 0.1;

/**
 * Shallow fusion (Gülçehre et al. 2015, section 4.1): at each step every token scores
 *
 *     ln P_TM(y_t | y_<t, x) + λ ln P_LM(y_t | y_<t)
 *
 * These scores are no distribution: for λ > 0 their exponentials sum to less than 1. What is missing is given to PAD,
 * which no search ever chooses. So search, which takes the softmax of what it is given, finds the scores as they are,
 * not normalised again at each step: a hypothesis' score is ln P_TM + λ ln P_LM of the whole.
 */
export class ShallowFusion extends JointModel<ScoringModel> implements ScoringModel {
  /** @param weight λ, 0 or more; 0 is the translation model alone */
  constructor(
    translation: ScoringModel,
    language: ScoringModel,
    readonly weight: number,
  ) {
    super([translation, language]);
  }

  /** The fused score of each target token. */
  score(batch: Batch): Float32Array[] {
    const [translation, language] = this.models.map((model) => model.score(batch));
    return translation!.map((row, r) => row.map((value, t) => value + this.weight * language![r]![t]!));
  }

  /** ln P_TM + λ ln P_LM of every token but PAD, which gets the logarithm of what is missing to 1. */
  protected combine(logits: readonly tf.Tensor2D[]): tf.Tensor2D {
    return tf.tidy(() => {
      const [translation, language] = logits.map((own) => tf.logSoftmax(own));
      const fused = tf.add(translation!, tf.mul(language!, this.weight)) as tf.Tensor2D;
      const [rows, size] = fused.shape;
      const rest = tf.slice(fused, [0, PAD + 1], [rows, size - PAD - 1]);
      const missing = tf.maximum(tf.sub(1, tf.sum(tf.exp(rest), 1, true)), SMALLEST);
      return tf.concat([tf.log(missing), rest], 1) as tf.Tensor2D; // PAD is id 0
    });
  }
}

/** Keeps a logarithm finite, and is nothing beside 1 in 32 bits. */
const SMALLEST = 1e-30;
