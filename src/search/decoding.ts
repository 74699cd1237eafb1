import type { Tensor2D } from '@tensorflow/tfjs-core';
import type { PaddedIds } from '../text/batch.js';
import type { DecodeState, StepModel } from './step-model.js';

/**
 * A model and the one live state of its decoder. Every method of {@link StepModel} consumes the state it is
 * given; this keeps that rule in one place, so that a search that throws half-way still leaves no tensor behind.
 */
export class Decoding {
  readonly #model: StepModel;
  #state: DecodeState | null;

  constructor(model: StepModel, source: PaddedIds) {
    this.#model = model;
    this.#state = model.start(source);
  }

  /** `previous [rows]`. The caller disposes what comes back. */
  step(previous: Int32Array): { logits: Tensor2D; attention: Tensor2D | null } {
    const { state, logits, attention } = this.#model.step(this.#take(), previous);
    this.#state = state;
    return { logits, attention };
  }

  expand(width: number): void {
    if (width !== 1) this.#state = this.#model.expand(this.#take(), width);
  }

  /** Does nothing where every row keeps its place. */
  reorder(parents: Int32Array): void {
    if (parents.every((parent, row) => parent === row)) return;
    this.#state = this.#model.reorder(this.#take(), parents);
  }

  keep(sentences: Int32Array): void {
    this.#state = this.#model.keep(this.#take(), sentences);
  }

  release(): void {
    if (this.#state !== null) this.#model.release(this.#take());
  }

  #take(): DecodeState {
    const state = this.#state;
    if (state === null) throw new Error('the decoder state was used after its release');
    this.#state = null;
    return state;
  }
}
