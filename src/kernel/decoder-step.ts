import { getBackend, type Tensor2D } from '@tensorflow/tfjs-core';
import { nativeOps } from '../engine/native.js';
import { StepOperations } from './step-operations.js';
import type { StepParts, StepSource } from './step-parts.js';
import { SingleOperationsStep } from './step-single.js';
import { StepWeights } from './step-weights.js';

/** What a step gives; the caller disposes all of it. */
export interface StepResult {
  /** The decoder's state after the step, in the order of {@link DecoderStepKernel.step}'s `state`. */
  readonly state: readonly Tensor2D[];
  /** `[rows, vocabulary]` */
  readonly logits: Tensor2D;
  /** Attention weights `[rows, source]`; null without attention. */
  readonly weights: Tensor2D | null;
}

/**
 * One whole decoder step on the tensorflow engine, from the tokens to the logits, without tfjs's bookkeeping, which costs
 * three times as much as a small operation: the composed form in `model/decoder.ts` from TensorFlow's own operations, for where
 * {@link CompiledDecoder} is not. What depends on the parameters alone is kept from step to step.
 */
export class DecoderStepKernel {
  #ops: StepOperations | null = null;
  #weights: StepWeights | null = null;

  /** Whether the running engine has this kernel. */
  static get isHere(): boolean {
    return getBackend() === 'tensorflow';
  }

  /**
   * @param parts the parameters now
   * @param state of each layer h and, for an LSTM, c, each `[rows before, hidden]`; then o with input feeding
   * @param rows row of `state` that each row continues; null where all keep their places
   * @param previous the last token of each row
   */
  step(
    parts: StepParts,
    state: readonly Tensor2D[],
    rows: Int32Array | null,
    previous: Int32Array,
    source: StepSource,
  ): StepResult {
    const native = nativeOps();
    if (this.#ops?.native !== native) {
      this.#ops?.free();
      this.#ops = new StepOperations(native);
    }
    if (this.#weights?.isOf(parts) !== true) {
      this.#weights?.free();
      this.#weights = new StepWeights(parts);
    }
    const ops = this.#ops;
    const weights = this.#weights;
    const handles = native.scope(() => {
      const before = ops.rowsOf(
        state.map((tensor) => native.from(tensor)),
        rows,
      );
      return new SingleOperationsStep(ops, parts, weights, source, previous).run(before);
    });
    const tensors = handles.map((handle) => native.toTensor<Tensor2D>(handle));
    return {
      state: tensors.slice(0, state.length),
      logits: tensors[state.length]!,
      weights: tensors[state.length + 1] ?? null,
    };
  }

  /** Frees what is kept. */
  forget(): void {
    this.#weights?.free();
    this.#weights = null;
    this.#ops?.free();
    this.#ops = null;
  }
}
