import * as tf from '@tensorflow/tfjs-core';
import { DragomanError } from '../errors.js';
import type { Batch, PaddedIds } from '../text/batch.js';
import { type ScoringModel, scoreBySteps } from './scorer.js';
import type { DecodeState, Step } from './step-model.js';

/**
 * How an ensemble's M models agree on P(y_t | y_<t, x):
 * `probability`: the mean of their probabilities, (1/M) sum_m P_m: any model can vote a token in;
 * `log-probability`: the mean of their log-probabilities, normalised again: any model can veto a token.
 */
export const ENSEMBLE_MEANS = ['probability', 'log-probability'] as const;
export type EnsembleMean = (typeof ENSEMBLE_MEANS)[number];

class EnsembleState implements DecodeState {
  constructor(readonly states: readonly DecodeState[]) {}

  get sentences(): number {
    return this.states[0]!.sentences;
  }

  get width(): number {
    return this.states[0]!.width;
  }
}

/** Several models that decode as one: search sees a {@link ScoringModel} and knows nothing of it. */
export class Ensemble implements ScoringModel {
  readonly targetSize: number;

  constructor(
    readonly models: readonly ScoringModel[],
    readonly mean: EnsembleMean = 'probability',
  ) {
    const sizes = models.map((model) => model.targetSize);
    if (sizes.length === 0)
      throw new DragomanError('usage', 'expected at least one model in an ensemble, got none');
    if (sizes.some((size) => size !== sizes[0])) {
      throw new DragomanError(
        'usage',
        `expected models of one target vocabulary, got sizes ${sizes.join(', ')}`,
      );
    }
    this.targetSize = sizes[0]!;
  }

  start(source: PaddedIds): DecodeState {
    const states: DecodeState[] = [];
    try {
      for (const model of this.models) states.push(model.start(source));
    } catch (error) {
      this.#releaseAll(states);
      throw error;
    }
    return new EnsembleState(states);
  }

  expand(state: DecodeState, width: number): DecodeState {
    return this.#each(state, (model, own) => model.expand(own, width));
  }

  reorder(state: DecodeState, parents: Int32Array): DecodeState {
    return this.#each(state, (model, own) => model.reorder(own, parents));
  }

  keep(state: DecodeState, sentences: Int32Array): DecodeState {
    return this.#each(state, (model, own) => model.keep(own, sentences));
  }

  /** Logits are the ensemble's log-probabilities; attention is the mean over the models that have one. */
  step(state: DecodeState, previous: Int32Array): Step {
    const logits: tf.Tensor2D[] = [];
    const attentions: tf.Tensor2D[] = [];
    try {
      const next = this.#each(state, (model, own) => {
        const step = model.step(own, previous);
        logits.push(step.logits);
        if (step.attention !== null) attentions.push(step.attention);
        return step.state;
      });
      return {
        state: next,
        logits: combine(logits, this.mean),
        attention:
          attentions.length === 0 ? null : tf.tidy(() => tf.mean(tf.stack(attentions), 0) as tf.Tensor2D),
      };
    } finally {
      tf.dispose([...logits, ...attentions]);
    }
  }

  /** Teacher forcing: the mean probability of each target token needs no more than each model's own score of it. */
  score(batch: Batch): Float32Array[] {
    if (this.mean === 'log-probability') return scoreBySteps(this, batch);
    const all = this.models.map((model) => model.score(batch));
    return all[0]!.map((first, row) => first.map((_, t) => logMeanExp(all.map((own) => own[row]![t]!))));
  }

  release(state: DecodeState): void {
    statesOf(state).forEach((own, i) => {
      this.models[i]!.release(own);
    });
  }

  /** Calls every model with its own state. If one throws, the states of the others are released. */
  #each(state: DecodeState, call: (model: ScoringModel, own: DecodeState) => DecodeState): DecodeState {
    const states = statesOf(state);
    const next: DecodeState[] = [];
    try {
      for (const [i, model] of this.models.entries()) next.push(call(model, states[i]!));
    } catch (error) {
      this.#releaseAll(next);
      for (let i = next.length + 1; i < states.length; i++) this.models[i]!.release(states[i]!);
      throw error;
    }
    return new EnsembleState(next);
  }

  #releaseAll(states: readonly DecodeState[]): void {
    states.forEach((state, i) => {
      this.models[i]!.release(state);
    });
  }
}

function statesOf(state: DecodeState): readonly DecodeState[] {
  if (!(state instanceof EnsembleState)) throw new Error('expected a state of this ensemble');
  return state.states;
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
