import * as tf from '@tensorflow/tfjs-core';
import { DragomanError } from '../errors.js';
import type { PaddedIds } from '../text/batch.js';
import type { DecodeState, Step, StepModel } from './step-model.js';

class JointState implements DecodeState {
  constructor(readonly states: readonly DecodeState[]) {}

  get sentences(): number {
    return this.states[0]!.sentences;
  }

  get width(): number {
    return this.states[0]!.width;
  }
}

/** Several models of one target vocabulary that decode as one: search sees a {@link StepModel} and knows nothing of it. */
export abstract class JointModel<Model extends StepModel> implements StepModel {
  readonly targetSize: number;

  constructor(readonly models: readonly Model[]) {
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
    return new JointState(states);
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

  /** Each model's logits `[rows, vocabulary]`, in the order of the models, to those of all; disposes none. */
  protected abstract combine(logits: readonly tf.Tensor2D[]): tf.Tensor2D;

  /** Attention is the mean over the models that have one. */
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
        logits: this.combine(logits),
        attention:
          attentions.length === 0 ? null : tf.tidy(() => tf.mean(tf.stack(attentions), 0) as tf.Tensor2D),
      };
    } finally {
      tf.dispose([...logits, ...attentions]);
    }
  }

  release(state: DecodeState): void {
    statesOf(state).forEach((own, i) => {
      this.models[i]!.release(own);
    });
  }

  /** Calls every model with its own state. If one throws, the states of the others are released. */
  #each(state: DecodeState, call: (model: Model, own: DecodeState) => DecodeState): DecodeState {
    const states = statesOf(state);
    const next: DecodeState[] = [];
    try {
      for (const [i, model] of this.models.entries()) next.push(call(model, states[i]!));
    } catch (error) {
      this.#releaseAll(next);
      for (let i = next.length + 1; i < states.length; i++) this.models[i]!.release(states[i]!);
      throw error;
    }
    return new JointState(next);
  }

  #releaseAll(states: readonly DecodeState[]): void {
    states.forEach((state, i) => {
      this.models[i]!.release(state);
    });
  }
}

function statesOf(state: DecodeState): readonly DecodeState[] {
  if (!(state instanceof JointState)) throw new Error('expected a state of these models');
  return state.states;
}
