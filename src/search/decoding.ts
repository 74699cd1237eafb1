import { dispose, type Tensor2D } from '@tensorflow/tfjs-core';
import type { PaddedIds } from '../text/batch.js';
import { readAttention, requireAttention, type StepAttention } from './attention.js';
import { endLogits, type NextTokens, nextTokens, requireFinite } from './next-tokens.js';
import type { DecodeState, StepModel } from './step-model.js';

/** What of a step is wanted beside the best tokens. */
export interface Wanted {
  /** The logits of EOS. */
  readonly ends: boolean;
  /** What wants attention, for the message where a model has none; null where nothing does. */
  readonly attention: string | null;
}

/** A step as search reads it. */
export interface SearchStep {
  readonly best: NextTokens;
  /** [rows]; null where they were not wanted */
  readonly ends: Float32Array | null;
  readonly attention: StepAttention | null;
}

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

  /** The k best tokens of each row, read back. @param previous `[rows]` */
  best(previous: Int32Array, k: number, wanted: Wanted): SearchStep {
    const own = this.#model.stepBest?.(this.#live(), previous, k) ?? null;
    if (own !== null) {
      this.#state = own.state;
      requireFinite(own.best.normalisers);
      const attention = wanted.attention === null ? null : requireAttention(own.attention, wanted.attention);
      return { best: own.best, ends: wanted.ends ? own.ends : null, attention };
    }
    const { logits, attention } = this.step(previous);
    try {
      return {
        best: nextTokens(logits, k),
        ends: wanted.ends ? endLogits(logits) : null,
        attention: wanted.attention === null ? null : readAttention(attention, wanted.attention),
      };
    } finally {
      dispose(attention === null ? [logits] : [logits, attention]);
    }
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
    const state = this.#live();
    this.#state = null;
    return state;
  }

  #live(): DecodeState {
    if (this.#state === null) throw new Error('the decoder state was used after its release');
    return this.#state;
  }
}
