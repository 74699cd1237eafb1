import { compiledKernels } from '../engine/compiled-kernels.js';
import { packedGates } from './packed-gates.js';
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

  /** @param weights where they are packed already */
  constructor(
    track: LayerTrack,
    private readonly weights = packedGates(track),
  ) {
    this.#isGru = track.kind === 'gru';
    this.#backward = track.direction === 'backward';
    this.#input = track.kernel.shape[0];
    this.hidden = track.recurrent.shape[0];
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
      this.weights,
      outputs,
      last,
    );
  }
}
