import type { Tensor2D } from '@tensorflow/tfjs-core';
import type { BestLogits } from '../kernel/best-logits.js';
import type { PaddedIds } from '../text/batch.js';
import type { StepAttention } from './attention.js';

/**
 * Everything a decoder carries from step to step: recurrent state, encoder memory, mask. Opaque to the search.
 * Its rows are `sentences * width`, row-major `[sentence, hypothesis]`.
 */
export interface DecodeState {
  readonly sentences: number;
  /** Hypotheses kept per sentence. */
  readonly width: number;
}

/** What one decoder step gives. The caller disposes `logits` and `attention`. */
export interface Step {
  readonly state: DecodeState;
  /** `[rows, targetSize]`, before the softmax. */
  readonly logits: Tensor2D;
  /**
   * `[rows, sourceTime]`, or null without attention. Columns follow the user's source tokens, also when the model
   * reads the source reversed; the column after the last token is EOS, those behind it padding (weight 0).
   */
  readonly attention: Tensor2D | null;
}

/** One step of which no more is wanted than the best tokens of each row. */
export interface BestStep {
  readonly state: DecodeState;
  readonly best: BestLogits;
  /** [rows] logits of EOS. */
  readonly ends: Float32Array;
  /** As that of a {@link Step}; null without attention. */
  readonly attention: StepAttention | null;
}

/**
 * What search needs of a model, one decoder step at a time. Every method that is given a state CONSUMES it: the
 * state is disposed, even when the call throws, and only the returned one may be used afterwards.
 */
export interface StepModel {
  /** Entries of the target vocabulary. */
  readonly targetSize: number;
  /** Encodes a batch of sources; the state has width 1. */
  start(source: PaddedIds): DecodeState;
  /** From width 1 to `width`: each row is repeated. */
  expand(state: DecodeState, width: number): DecodeState;
  /** `parents [rows]`: row i of the new state is row `parents[i]` of the old one, always of the same sentence. */
  reorder(state: DecodeState, parents: Int32Array): DecodeState;
  /** Only these sentences (ascending) go on; finished ones leave the batch. */
  keep(state: DecodeState, sentences: Int32Array): DecodeState;
  /** `previous [rows]`: the last token of each row, BOS at the first step. */
  step(state: DecodeState, previous: Int32Array): Step;
  /** The same where the k best tokens of each row are enough; null, with the state as it was, where {@link step} has to do. */
  stepBest?(state: DecodeState, previous: Int32Array, k: number): BestStep | null;
  /** Disposes a state that nobody will step again. */
  release(state: DecodeState): void;
}
