import {
  argMax,
  cast,
  engine,
  equal,
  gather,
  keep,
  reshape,
  type Scalar,
  sum,
  type Tensor2D,
  type Tensor3D,
  tensor1d,
  tidy,
} from '@tensorflow/tfjs-core';
import type { Batch } from '../text/batch.js';
import { Dropout } from './dropout.js';
import { realPositions } from './layout.js';
import type { OutputLayer } from './output-layer.js';
import type { ParameterStore, Weights } from './parameters.js';

/** What a model says at every target position of a batch: o `[time, batch, output]`. */
export type Run = (w: Weights, batch: Batch, dropout: Dropout) => Tensor3D;

/** Loss and gradients of one training step. */
export interface StepGradients {
  /** The mean over target tokens with smoothed labels. */
  readonly loss: Scalar;
  /** The sum of ln P over target tokens without smoothing (under dropout). */
  readonly logLikelihood: Scalar;
  /** Of `loss`, for every trainable parameter. */
  readonly gradients: Weights;
}

/** Figures of a batch. */
export interface Figures {
  /** Sum of ln P. */
  readonly logLikelihood: number;
  /** Tokens that are the model's first choice. */
  readonly correct: number;
  readonly tokens: number;
}

/** Real target positions of a batch, with what the model says there. */
interface Positions {
  /** o at each real target position, time-major, `[tokens, output]`. */
  readonly output: Tensor2D;
  /** The token that stands there, `[tokens]`. */
  readonly labels: Int32Array;
}

/**
 * Teacher forcing: every target token is predicted after the true ones before it. The output layer runs over the real
 * positions only.
 */
export class TeacherForcing {
  /** @param dropout rate on o */
  constructor(
    private readonly parameters: ParameterStore,
    private readonly layer: OutputLayer,
    private readonly dropout: number,
    private readonly run: Run,
  ) {}

  /** The caller disposes all that is returned. @param options.seed of this step's dropout */
  gradients(
    batch: Batch,
    { labelSmoothing, seed }: { readonly labelSmoothing: number; readonly seed: number },
  ): StepGradients {
    this.layer.forget();
    return tidy(() => {
      const w = this.parameters.weights();
      const names = this.parameters.specs.filter((spec) => spec.trainable).map((spec) => spec.name);
      let logLikelihood: Scalar | undefined;
      const { value, grads } = engine().gradients(
        () => {
          const { output, labels } = this.#positions(w, batch, new Dropout(seed));
          const result = this.layer.meanLoss(w, output, tensor1d(labels, 'int32'), labelSmoothing);
          logLikelihood = keep(result.logLikelihood);
          return result.loss;
        },
        names.map((name) => w[name]!),
      );
      const gradients = Object.fromEntries(names.map((name, k) => [name, grads[k]!]));
      return { loss: value, logLikelihood: logLikelihood!, gradients };
    });
  }

  /** Without dropout. */
  evaluate(batch: Batch): Figures {
    const [logLikelihood, correct] = tidy(() => {
      const w = this.parameters.weights();
      const { output, labels } = this.#positions(w, batch, new Dropout(null));
      const scores = this.layer.labelScores(w, output, labels);
      const best = argMax(this.layer.logits(w, output), 1);
      const hits = sum(cast(equal(best, tensor1d(labels, 'int32')), 'float32'));
      return [scores.reduce((total, score) => total + score, 0), hits.dataSync()[0]!] as const;
    });
    return { logLikelihood, correct, tokens: batch.targetTokens };
  }

  /** ln P of every target token given those before it, EOS last, for each sentence of the batch; without dropout. */
  score(batch: Batch): Float32Array[] {
    const values = tidy(() => {
      const w = this.parameters.weights();
      const { output, labels } = this.#positions(w, batch, new Dropout(null));
      return this.layer.labelScores(w, output, labels);
    });
    const scores = Array.from(batch.target.lengths, (length) => new Float32Array(length));
    let k = 0;
    for (let t = 0; t < batch.target.time; t++) {
      for (const row of scores) {
        if (t < row.length) row[t] = values[k++]!;
      }
    }
    return scores;
  }

  #positions(w: Weights, batch: Batch, dropout: Dropout): Positions {
    const { target } = batch;
    const output = this.run(w, batch, dropout);
    const [time, rows, size] = output.shape;
    const flat = reshape(output, [time * rows, size]) as Tensor2D;
    const real = realPositions(target);
    const full = real.rows.length === time * rows;
    const chosen = full ? flat : (gather(flat, tensor1d(real.rows, 'int32')) as Tensor2D);
    return { output: dropout.apply(chosen, this.dropout), labels: real.labels };
  }
}
