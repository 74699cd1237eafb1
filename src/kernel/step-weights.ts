import type { Handle } from '../engine/native.js';
import { DerivedWeights } from './derived-weights.js';
import type { StepLayer, StepParts } from './step-parts.js';

/** Columns added to a matrix whose rows are a multiple of 4 KiB long: they would all fall into the same places of the cache. */
const SPREAD = 16;

/** A matrix and what is added to the product, if anything. */
export interface Affine {
  readonly matrix: Handle;
  readonly bias: Handle | null;
}

/** An LSTM layer, as a step of few or of many rows wants it. */
export interface LstmWeights {
  readonly hidden: number;
  /** Kernel above recurrent, `[input + hidden, 4 * hidden]`. */
  readonly joint: Handle;
  /** Zeros `[hidden]`, for an LSTM without peepholes. */
  readonly peephole: Handle;
  /** The bias of {@link joint}. */
  readonly jointBias: Handle;
  /** The same with columns i, f, o, g and {@link spread} empty ones. */
  readonly ordered: Handle;
  readonly spread: number;
  /** The bias of {@link ordered}. */
  readonly bias: Handle;
}

/** The weights of one recurrent layer. */
export type StepLayerWeights =
  | { readonly kind: 'lstm'; readonly weights: LstmWeights }
  | {
      readonly kind: 'gru';
      readonly hidden: number;
      /** W and the bias, U_r and U_z side by side, U_n. */
      readonly input: Affine;
      readonly gates: Affine;
      readonly candidate: Affine;
    };

/** What the decoder step from TensorFlow's single operations derives from the parameters. */
export class StepWeights extends DerivedWeights {
  readonly layers: readonly StepLayerWeights[];
  /** The readout with one unit more, whose tanh is 1: `[any, output + 1]` and `[output + 1]`. */
  readonly readout: Affine;
  /** V with its bias as the row of that unit, `[output + 1, vocabulary]`. */
  readonly output: Affine;

  constructor(parts: StepParts) {
    super(parts);
    this.layers = parts.layers.map((layer) => this.#layer(layer));
    this.readout = this.keep(() => {
      const { kernel, bias } = parts.readout;
      const [kernelHandle, biasHandle] = this.from(kernel, bias);
      const zeros = this.constant([kernel.shape[0], 1], 0);
      return {
        matrix: this.concat(1, [kernelHandle!, zeros]),
        // tanh(20) is 1 in 32-bit floats.
        bias: this.concat(0, [biasHandle!, this.constant([1], 20)]),
      };
    });
    const { matrix } = this.keep(() => {
      const [bias] = this.from(parts.output.bias);
      return { matrix: this.concat(0, [this.outputMatrix(parts), this.row(bias!)]) };
    });
    this.output = { matrix, bias: null };
  }

  #layer(layer: StepLayer): StepLayerWeights {
    const hidden = layer.recurrent.shape[0];
    if (layer.kind === 'gru') {
      const made = this.keep(() => {
        const [kernel, recurrent, bias] = this.from(layer.kernel, layer.recurrent, layer.bias);
        const [gates, candidate] = this.split(recurrent!, [2 * hidden, hidden], 1);
        return { kernel: this.copy(kernel!), gates: gates!, candidate: candidate!, bias: this.copy(bias!) };
      });
      return {
        kind: 'gru',
        hidden,
        input: { matrix: made.kernel, bias: made.bias },
        gates: { matrix: made.gates, bias: null },
        candidate: { matrix: made.candidate, bias: null },
      };
    }
    const spread = (4 * hidden) % 1024 === 0 ? SPREAD : 0;
    const made = this.keep(() => {
      const [kernel, recurrent, bias] = this.from(layer.kernel, layer.recurrent, layer.bias);
      const joint = this.concat(0, [kernel!, recurrent!]);
      const inputs = layer.kernel.shape[0] + hidden;
      const [i, g, f, o] = this.split(joint, [hidden, hidden, hidden, hidden], 1);
      const [bi, bg, bf, bo] = this.split(bias!, [hidden, hidden, hidden, hidden], 0);
      const columns = [i!, f!, o!, g!];
      const biases = [bi!, bf!, bo!, bg!];
      if (spread > 0) {
        columns.push(this.constant([inputs, spread], 0));
        biases.push(this.constant([spread], 0));
      }
      return {
        joint,
        ordered: this.concat(1, columns),
        bias: this.concat(0, biases),
        jointBias: this.copy(bias!),
        peephole: this.constant([hidden], 0),
      };
    });
    return { kind: 'lstm', weights: { ...made, hidden, spread } };
  }
}
