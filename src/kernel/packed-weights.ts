import { type Handle, nativeOps } from '../engine/native.js';
import { DerivedWeights } from './derived-weights.js';
import type { StepLayer, StepParts } from './step-parts.js';

/** What `DragomanDecoderStep` calls the ways to score. */
const SCORINGS = { none: 0, product: 1, additive: 2 } as const;

/** What the decoder step of our own derives from the parameters: every matrix in panels. */
export class PackedWeights extends DerivedWeights {
  /** What the decoder is made of, as the operation reads it. */
  readonly form: Handle;
  /** For the rows of the state: each in its place. */
  readonly inPlace: Handle;
  /** In the order of the operation, which begins with the table. */
  readonly all: readonly Handle[];

  constructor(parts: StepParts) {
    super(parts);
    const { layers, everyStep, inputFeeding, attention, readout, output } = parts;
    const native = nativeOps();
    const form = [
      SCORINGS[attention?.kind ?? 'none'],
      Number(everyStep),
      Number(inputFeeding),
      ...layers.map(({ kind }) => Number(kind === 'gru')),
    ];
    const { made, inPlace } = this.keep(() => ({
      made: native.constant([form.length], 'int32', form),
      inPlace: native.constant([0], 'int32', []),
    }));
    this.form = made;
    this.inPlace = inPlace;
    this.all = [
      ...layers.flatMap((layer) => this.#layer(layer)),
      ...(attention?.kind === 'additive'
        ? [
            ...this.#pack(
              () => this.from(attention.kernel)[0]!,
              () => this.from(attention.bias)[0]!,
            ),
            this.keep(() => ({ vector: this.copy(this.from(attention.vector)[0]!) })).vector,
          ]
        : []),
      ...this.#pack(
        () => this.from(readout.kernel)[0]!,
        () => this.from(readout.bias)[0]!,
      ),
      ...this.#pack(
        () => this.outputMatrix(parts),
        () => this.from(output.bias)[0]!,
      ),
    ];
  }

  /** W above U, and the bias: the gates of a unit are wanted together; but a GRU's candidate by itself, since it waits for r. */
  #layer({ kind, kernel, recurrent, bias }: StepLayer): Handle[] {
    const hidden = recurrent.shape[0];
    const joint = () => this.concat(0, this.from(kernel, recurrent));
    if (kind === 'lstm') return this.#pack(joint, () => this.from(bias)[0]!, 4);
    const part = (whole: Handle, k: 0 | 1, axis: number) => this.split(whole, [2 * hidden, hidden], axis)[k]!;
    return ([0, 1] as const).flatMap((k) =>
      this.#pack(
        () => part(joint(), k, 1),
        () => part(this.from(bias)[0]!, k, 0),
        2 - k,
      ),
    );
  }

  /**
   * The panels and the bias.
   * @param matrix the handle, made in the scope of the packing
   * @param groups of columns that a step needs together
   */
  #pack(matrix: () => Handle, bias: () => Handle, groups = 1): Handle[] {
    const native = nativeOps();
    const made = this.keep(() => ({
      panels: native.one('DragomanPack', [], [matrix(), native.constant([], 'int32', [groups])]),
      bias: this.copy(bias()),
    }));
    return [made.panels, made.bias];
  }
}
