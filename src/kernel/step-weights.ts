import type { Tensor } from '@tensorflow/tfjs-core';
import { type Handle, type NativeOps, nativeOps } from '../engine/native.js';
import type { StepLayer, StepParts } from './step-parts.js';

/** Columns added to a matrix whose rows are a multiple of 4 KiB long: they would all fall into the same places of the cache. */
const SPREAD = 16;

/** The weights of one layer, as a step of few or of many rows wants them. Handles belong to the {@link StepWeights}. */
export interface LayerWeights {
  readonly kind: StepLayer['kind'];
  readonly hidden: number;
  /** LSTM: kernel above recurrent, `[input + hidden, 4 * hidden]`. */
  readonly joint: Handle | null;
  /** Zeros `[hidden]`, for an LSTM without peepholes. */
  readonly peephole: Handle | null;
  /** LSTM: the same with columns i, f, o, g and {@link spread} empty ones. */
  readonly ordered: Handle | null;
  readonly spread: number;
  /** LSTM: bias of {@link ordered}; GRU: the bias. */
  readonly bias: Handle;
  /** LSTM: the bias of {@link joint}. */
  readonly jointBias: Handle;
  /** GRU: W, U_r and U_z side by side, U_n. */
  readonly kernel: Handle | null;
  readonly gates: Handle | null;
  readonly candidate: Handle | null;
}

/**
 * What the native decoder step derives from the parameters: made once, and again when a parameter has changed. Outside
 * tfjs's bookkeeping; {@link free} ends it.
 */
export class StepWeights {
  readonly #native: NativeOps = nativeOps();
  readonly #owned: Handle[] = [];
  readonly #made: readonly Tensor[];
  readonly layers: readonly LayerWeights[];
  /** The readout with one unit more, whose tanh is 1: `[any, output + 1]` and `[output + 1]`. */
  readonly readout: { readonly kernel: Handle; readonly bias: Handle };
  /** V with its bias as the row of that unit, `[output + 1, vocabulary]`. */
  readonly output: Handle;

  constructor(parts: StepParts) {
    this.#made = tensorsOf(parts);
    this.layers = parts.layers.map((layer) => this.#layer(layer));
    this.readout = this.#keep(() => {
      const { kernel, bias } = parts.readout;
      const [kernelHandle, biasHandle] = this.#from(kernel, bias);
      const zeros = this.#constant([kernel.shape[0], 1], 0);
      return {
        kernel: this.#concat(1, [kernelHandle!, zeros]),
        // tanh(20) is 1 in 32-bit floats.
        bias: this.#concat(0, [biasHandle!, this.#constant([1], 20)]),
      };
    });
    this.output = this.#keep(() => {
      const { matrix, transposed, bias } = parts.output;
      const [matrixHandle, biasHandle] = this.#from(matrix, bias);
      return { output: this.#concat(0, [this.#upright(matrixHandle!, transposed), this.#row(biasHandle!)]) };
    }).output;
  }

  /** Whether these are the weights of these parameters, as they are now. */
  isOf(parts: StepParts): boolean {
    const now = tensorsOf(parts);
    return now.length === this.#made.length && now.every((tensor, i) => tensor === this.#made[i]);
  }

  free(): void {
    for (const handle of this.#owned) this.#native.free(handle);
    this.#owned.length = 0;
  }

  #layer(layer: StepLayer): LayerWeights {
    const hidden = layer.recurrent.shape[0];
    const nothing = {
      joint: null,
      peephole: null,
      ordered: null,
      kernel: null,
      gates: null,
      candidate: null,
    };
    if (layer.kind === 'gru') {
      const made = this.#keep(() => {
        const [kernel, recurrent, bias] = this.#from(layer.kernel, layer.recurrent, layer.bias);
        const [gates, candidate] = this.#split(recurrent!, [2 * hidden, hidden], 1);
        return { kernel: this.#copy(kernel!), gates: gates!, candidate: candidate!, bias: this.#copy(bias!) };
      });
      return { ...nothing, ...made, jointBias: made.bias, kind: 'gru', hidden, spread: 0 };
    }
    const spread = (4 * hidden) % 1024 === 0 ? SPREAD : 0;
    const made = this.#keep(() => {
      const [kernel, recurrent, bias] = this.#from(layer.kernel, layer.recurrent, layer.bias);
      const joint = this.#concat(0, [kernel!, recurrent!]);
      const inputs = layer.kernel.shape[0] + hidden;
      const [i, g, f, o] = this.#split(joint, [hidden, hidden, hidden, hidden], 1);
      const [bi, bg, bf, bo] = this.#split(bias!, [hidden, hidden, hidden, hidden], 0);
      const columns = [i!, f!, o!, g!];
      const biases = [bi!, bf!, bo!, bg!];
      if (spread > 0) {
        columns.push(this.#constant([inputs, spread], 0));
        biases.push(this.#constant([spread], 0));
      }
      return {
        joint,
        ordered: this.#concat(1, columns),
        bias: this.#concat(0, biases),
        jointBias: this.#copy(bias!),
        peephole: this.#constant([hidden], 0),
      };
    });
    return { ...nothing, ...made, kind: 'lstm', hidden, spread };
  }

  /** Runs `make` in a scope and keeps the handles that it returns. */
  #keep<T extends Readonly<Record<string, Handle>>>(make: () => T): T {
    let made: T | undefined;
    this.#native.scope(() => {
      made = make();
      const handles = Object.values(made);
      this.#owned.push(...handles);
      return handles;
    });
    return made!;
  }

  #from(...tensors: Tensor[]): Handle[] {
    return tensors.map((tensor) => this.#native.from(tensor));
  }

  #attributes = this.#native.attributes({ T: { type: 'float32' } });

  /** Parameters are variables: what is kept of them must be a copy, or their next update makes one. */
  #copy(handle: Handle): Handle {
    return this.#native.one('DeepCopy', this.#attributes, [handle]);
  }

  #constant(shape: number[], value: number): Handle {
    const size = shape.reduce((a, b) => a * b, 1);
    return this.#native.constant(shape, 'float32', new Array<number>(size).fill(value));
  }

  #concat(axis: number, parts: readonly Handle[]): Handle {
    const native = this.#native;
    const attributes = native.attributes({
      T: { type: 'float32' },
      N: { int: parts.length },
      Tidx: { type: 'int32' },
    });
    return native.one('ConcatV2', attributes, [...parts, native.constant([], 'int32', [axis])]);
  }

  #split(whole: Handle, sizes: number[], axis: number): Handle[] {
    const native = this.#native;
    const attributes = native.attributes({
      T: { type: 'float32' },
      num_split: { int: sizes.length },
      Tlen: { type: 'int32' },
    });
    const inputs = [
      whole,
      native.constant([sizes.length], 'int32', sizes),
      native.constant([], 'int32', [axis]),
    ];
    // The op may answer with views into its input, which would keep all of it alive.
    return native.run('SplitV', attributes, inputs, sizes.length).map((part) => this.#copy(part));
  }

  #upright(matrix: Handle, transposed: boolean): Handle {
    if (!transposed) return matrix;
    const native = this.#native;
    const attributes = native.attributes({ T: { type: 'float32' }, Tperm: { type: 'int32' } });
    return native.one('Transpose', attributes, [matrix, native.constant([2], 'int32', [1, 0])]);
  }

  #row(vector: Handle): Handle {
    const native = this.#native;
    const attributes = native.attributes({ T: { type: 'float32' }, Tdim: { type: 'int32' } });
    return native.one('ExpandDims', attributes, [vector, native.constant([], 'int32', [0])]);
  }
}

/** Everything that the derived weights depend on. */
export function tensorsOf({ layers, readout, output }: StepParts): Tensor[] {
  return [
    ...layers.flatMap(({ kernel, recurrent, bias }) => [kernel, recurrent, bias]),
    readout.kernel,
    readout.bias,
    output.matrix,
    output.bias,
  ];
}
