import * as tf from '@tensorflow/tfjs-core';
import { type Config, type ConfigInput, resolveConfig } from '../../src/config.js';
import { ParameterStore, type Weights } from '../../src/model/parameters.js';
import { Random } from '../../src/random.js';
import type { Batch } from '../../src/text/batch.js';
import { EncodedCorpus } from '../../src/text/encoded.js';
import { BOS } from '../../src/text/vocabulary.js';
import type { TrainableModel } from '../../src/train/trainable.js';

/** Size of the made-up vocabulary. */
export const SIZE = 12;

/**
 * The smallest thing that can be trained: ln P(y_t | y_{t-1}) is a table. With dropout on it, so that the seeds
 * matter. Everything a trainer does can be tested with it in milliseconds.
 */
export class Bigram implements TrainableModel {
  readonly parameters: ParameterStore;
  /** When set, the loss of that call of {@link gradients} (from 1) is NaN. */
  brokenCall = 0;
  #calls = 0;

  constructor(random: Random) {
    const initializer = { kind: 'normal', deviation: 0.1 } as const;
    this.parameters = new ParameterStore(
      [
        { name: 'table', shape: [SIZE, SIZE], initializer, trainable: true },
        { name: 'bias', shape: [SIZE], initializer: { kind: 'zeros' }, trainable: true },
        { name: 'fixed', shape: [2], initializer, trainable: false },
      ],
      random,
    );
  }

  gradients(
    batch: Batch,
    { labelSmoothing, seed }: { labelSmoothing: number; seed: number },
  ): { loss: tf.Scalar; logLikelihood: tf.Scalar; gradients: Weights } {
    const broken = ++this.#calls === this.brokenCall ? Number.NaN : 1;
    return tf.tidy(() => {
      const { table, bias } = this.parameters.weights();
      const { labels } = positions(batch);
      const smooth = tf.add(tf.mul(labels, 1 - labelSmoothing), labelSmoothing / SIZE);
      const loss = (table: tf.Tensor, bias: tf.Tensor): tf.Scalar => {
        const logP = this.#logP(table, bias, batch, seed);
        return tf.mul(tf.neg(tf.mean(tf.sum(tf.mul(logP, smooth), 1))), broken) as tf.Scalar;
      };
      const { value, grads } = tf.valueAndGrads(loss as (...args: tf.Tensor[]) => tf.Tensor)([table!, bias!]);
      const logLikelihood = tf.sum(tf.mul(this.#logP(table!, bias!, batch, seed), labels)) as tf.Scalar;
      return { loss: value as tf.Scalar, logLikelihood, gradients: { table: grads[0]!, bias: grads[1]! } };
    });
  }

  evaluate(batch: Batch): { logLikelihood: number; correct: number; tokens: number } {
    return tf.tidy(() => {
      const { table, bias } = this.parameters.weights();
      const { labels } = positions(batch);
      const logP = this.#logP(table!, bias!, batch, null);
      const hits = tf.sum(tf.cast(tf.equal(tf.argMax(logP, 1), tf.argMax(labels, 1)), 'float32'));
      return {
        logLikelihood: tf.sum(tf.mul(logP, labels)).dataSync()[0]!,
        correct: hits.dataSync()[0]!,
        tokens: batch.targetTokens,
      };
    });
  }

  /** ln P `[tokens, SIZE]` of the next token at every real target position. */
  #logP(table: tf.Tensor, bias: tf.Tensor, batch: Batch, seed: number | null): tf.Tensor2D {
    const { previous } = positions(batch);
    let logits = tf.add(tf.matMul(previous, table as tf.Tensor2D), bias);
    if (seed !== null) {
      const random = new Random(seed);
      const kept = Float32Array.from({ length: logits.size }, () => (random.next() < 0.1 ? 0 : 1 / 0.9));
      logits = tf.mul(logits, tf.tensor(kept, logits.shape));
    }
    return tf.logSoftmax(logits) as tf.Tensor2D;
  }
}

/** One-hot previous and wanted tokens `[tokens, SIZE]` of all real target positions. */
function positions({ target }: Batch): { previous: tf.Tensor2D; labels: tf.Tensor2D } {
  const previous: number[] = [];
  const labels: number[] = [];
  for (let row = 0; row < target.rows; row++) {
    for (let t = 0; t < target.lengths[row]!; t++) {
      previous.push(t === 0 ? BOS : target.ids[row * target.time + t - 1]!);
      labels.push(target.ids[row * target.time + t]!);
    }
  }
  const oneHot = (ids: number[]): tf.Tensor2D =>
    tf.cast(tf.oneHot(tf.tensor1d(ids, 'int32'), SIZE), 'float32') as tf.Tensor2D;
  return { previous: oneHot(previous), labels: oneHot(labels) };
}

/** Sentences in which each token is usually the one before plus one. */
export function countingCorpus(sentences: number, seed: number): EncodedCorpus {
  const random = new Random(seed);
  const corpus = new EncodedCorpus({ source: SIZE, target: SIZE });
  for (let i = 0; i < sentences; i++) {
    let token = 4 + random.integer(SIZE - 4);
    const target = Array.from({ length: 1 + random.integer(6) }, () => {
      token = random.next() < 0.1 ? 4 + random.integer(SIZE - 4) : 4 + ((token - 3) % (SIZE - 4));
      return token;
    });
    corpus.push([4], target);
  }
  return corpus;
}

/** A configuration for such a training; only its `train` section matters. */
export function bigramConfig(train: ConfigInput['train'] = {}): Config {
  const corpus = { source: 'x', target: 'y' };
  return resolveConfig({
    seed: 5,
    data: { train: corpus, validation: corpus },
    text: { source: { kind: 'word' }, target: { kind: 'word' } },
    train: { batch: { size: 8 }, earlyStopping: 0, ...train },
  });
}
