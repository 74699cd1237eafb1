import type { Tensor1D } from '@tensorflow/tfjs-core';
import { compiledKernels } from '../engine/compiled-kernels.js';
import { packed } from './packed-matrix.js';
import type { Direction } from './sequence.js';
import type { StepLayer } from './step-parts.js';

/** One direction of a layer. */
export interface LayerTrack extends StepLayer {
  readonly direction: Direction;
}

/** Sentences under one another: row b has `lengths[b]` real positions, and the padded ones come last. */
export interface SentenceRows {
  readonly batch: number;
  readonly time: number;
  readonly lengths: Int32Array;
}

/** Where a layer's outputs go: columns of a wider matrix, so that both directions stand side by side. */
export interface LayerOutputs {
  /** Columns of the matrix. */
  readonly stride: number;
  /** The layer's first. */
  readonly from: number;
  /** `[batch, time, stride]`; what stands at padded positions stays. */
  readonly outputs: Float32Array;
  /** `[batch, stride]` what is put out last: forward at the last position, backward at the first. */
  readonly last: Float32Array;
}

/** One direction of a recurrent layer over whole sentences, without a gradient (src/kernel/compiled/encoder-layer.h). */
export class PackedLayer {
  readonly #isGru: boolean;
  readonly #backward: boolean;
  readonly #input: number;
  readonly hidden: number;
  readonly #inputs: Float32Array;
  readonly #bias: Float32Array;
  readonly #gates: Float32Array;
  /** Empty for an LSTM. */
  readonly #candidate: Float32Array;

  constructor({ kind, direction, kernel, recurrent, bias }: LayerTrack) {
    const [input, stride] = kernel.shape;
    const columns = recurrent.shape[0];
    const states = recurrent.dataSync<'float32'>();
    this.#isGru = kind === 'gru';
    this.#backward = direction === 'backward';
    this.#input = input;
    this.hidden = columns;
    this.#inputs = packed(kernel.dataSync<'float32'>(), { depth: input, columns: stride });
    this.#bias = (bias as Tensor1D).dataSync<'float32'>() as Float32Array;
    this.#gates = packed(states, { depth: columns, groups: this.#isGru ? 2 : 4, columns, stride });
    this.#candidate = this.#isGru
      ? packed(states, { depth: columns, columns, from: 2 * columns, stride })
      : new Float32Array(0);
  }

  /**
   * @param x `[batch, time, input]`
   * @param initial h and, for an LSTM, c, each `[batch, hidden]`; empty for zeros
   */
  run(
    x: Float32Array,
    { batch, time, lengths }: SentenceRows,
    initial: readonly Float32Array[],
    { stride, from, outputs, last }: LayerOutputs,
  ): void {
    compiledKernels().encoderLayer(
      this.#isGru,
      this.#backward,
      batch,
      time,
      this.#input,
      this.hidden,
      stride,
      from,
      lengths,
      x,
      initial,
      this.#inputs,
      this.#bias,
      this.#gates,
      this.#candidate,
      outputs,
      last,
    );
  }
}
