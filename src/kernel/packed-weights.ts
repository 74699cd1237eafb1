import type { Tensor } from '@tensorflow/tfjs-core';
import { type Handle, nativeOps } from '../engine/native.js';
import { DerivedWeights } from './derived-weights.js';
import type { StepLayerWeights } from './step-flow.js';
import type { StepLayer, StepParts } from './step-parts.js';

/** A matrix in the form that our own operations multiply with, and what is added to the product. */
export interface Packed {
  readonly panels: Handle;
  readonly bias: Handle;
}

/** What the decoder step from our own operations derives from the parameters: every matrix in panels. */
export class PackedWeights extends DerivedWeights {
  readonly layers: readonly StepLayerWeights<Packed, Packed>[];
  readonly readout: Packed;
  readonly output: Packed;
  /** What a product is followed by: the two choices of `DragomanLinearStep`. */
  readonly nothing: Handle;
  readonly tanh: Handle;

  constructor(parts: StepParts) {
    super(parts);
    this.layers = parts.layers.map((layer) => this.#layer(layer));
    this.readout = this.#pack(() => this.from(parts.readout.kernel)[0]!, parts.readout.bias);
    this.output = this.#pack(() => this.outputMatrix(parts), parts.output.bias);
    const native = nativeOps();
    const { nothing, tanh } = this.keep(() => ({
      nothing: native.constant([], 'int32', [0]),
      tanh: native.constant([], 'int32', [1]),
    }));
    this.nothing = nothing;
    this.tanh = tanh;
  }

  #layer({ kind, kernel, recurrent, bias }: StepLayer): StepLayerWeights<Packed, Packed> {
    const hidden = recurrent.shape[0];
    if (kind === 'lstm') {
      // The four gates of a unit are wanted together.
      return { kind, weights: this.#pack(() => this.concat(0, this.from(kernel, recurrent)), bias, 4) };
    }
    const part = (k: 0 | 1): Packed =>
      this.#pack(() => this.split(this.from(recurrent)[0]!, [2 * hidden, hidden], 1)[k]!, (2 - k) * hidden);
    return {
      kind,
      hidden,
      input: this.#pack(() => this.from(kernel)[0]!, bias),
      gates: part(0),
      candidate: part(1),
    };
  }

  /**
   * @param matrix the handle, made in the scope of the packing
   * @param bias or how many zeros
   * @param groups of columns that a step needs together
   */
  #pack(matrix: () => Handle, bias: Tensor | number, groups = 1): Packed {
    const native = nativeOps();
    return this.keep(() => ({
      panels: native.one('DragomanPack', [], [matrix(), native.constant([], 'int32', [groups])]),
      bias: typeof bias === 'number' ? this.constant([bias], 0) : this.copy(this.from(bias)[0]!),
    }));
  }
}
