import * as tf from '@tensorflow/tfjs-core';
import { DragomanError } from '../errors.js';
import { type BestLogits, bestLogits } from '../kernel/best-logits.js';
import { BOS, EOS, PAD, UNK } from '../text/vocabulary.js';

/** The most probable next tokens of each row: ln P of a token is its logit less the row's normaliser. */
export type NextTokens = BestLogits;

/** Reads the k best of each row of `logits [rows, vocabulary]`. Does not dispose `logits`. */
export function nextTokens(logits: tf.Tensor2D, k: number): NextTokens {
  const best = bestLogits(logits, k);
  requireFinite(best.normalisers);
  return best;
}

/** [rows] logits of EOS. */
export function endLogits(logits: tf.Tensor2D): Float32Array {
  const column = tf.slice(logits, [0, EOS], [logits.shape[0], 1]);
  const values = column.dataSync<'float32'>();
  column.dispose();
  return values;
}

/** NaN and infinities would make every comparison of the search meaningless. */
export function requireFinite(values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i]!)) {
      throw new DragomanError(
        'model',
        `expected finite scores from the model, got ${values[i]}: are its weights damaged?`,
      );
    }
  }
}

/** Whether a token can never be produced (PAD, BOS), or not now. */
export function isBarred(token: number, mayEnd: boolean, forbidUnknown: boolean): boolean {
  return token === PAD || token === BOS || (token === EOS && !mayEnd) || (token === UNK && forbidUnknown);
}

/** How many tokens other than EOS can be barred at once. */
export function barredTokens(forbidUnknown: boolean): number {
  return forbidUnknown ? 3 : 2;
}

/** `[rows]` ln P of one token a row, from `logits [rows, vocabulary]`. */
export function tokenScores(logits: tf.Tensor2D, tokens: Int32Array): Float32Array {
  const scores = tf.tidy(() => {
    const [rows, size] = logits.shape;
    const places = tokens.map((token, row) => row * size + token);
    const chosen = tf.gather(tf.reshape(logits, [rows * size]), tf.tensor1d(places, 'int32'));
    return tf.sub(chosen, tf.logSumExp(logits, 1));
  });
  const values = scores.dataSync<'float32'>();
  scores.dispose();
  requireFinite(values);
  return values;
}
