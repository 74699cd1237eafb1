import {
  concat,
  getBackend,
  split,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
} from '@tensorflow/tfjs-core';
import { type Cell, type State, type Weights, weight } from '../cell/cell.js';
import { customOperation } from './custom-operation.js';
import { nativeLstmKernel } from './lstm-native.js';
import { plainLstmKernel } from './lstm-plain.js';
import { steppedLstmKernel } from './lstm-stepped.js';
import type { SequenceMask } from './mask.js';
import type { Sequence } from './scan.js';
import type { Wanted } from './sequence.js';

export interface LstmInput {
  /** `[time, batch, input]` */
  readonly x: Tensor3D;
  /** `[batch, hidden]` */
  readonly h0: Tensor2D;
  readonly c0: Tensor2D;
  /** `[input, 4 * hidden]`, gates in the order i, g, f, o. */
  readonly kernel: Tensor2D;
  /** `[hidden, 4 * hidden]` */
  readonly recurrent: Tensor2D;
  /** `[4 * hidden]` */
  readonly bias: Tensor1D;
}

/** Each `[time, batch, hidden]`: the gates after their sigmoids, the cell states, tanh(g), tanh(c) and h. */
export type LstmOutput<T> = readonly [i: T, cs: T, f: T, o: T, ci: T, co: T, h: T];

/** An LSTM layer over a whole sequence, and its gradient, on one engine. It knows nothing of padding. */
export interface LstmKernel {
  forward(input: LstmInput): LstmOutput<Tensor3D>;
  /**
   * Gradients of x, h0, c0, kernel, recurrent and bias, from those of all outputs and, if anything used them, of all
   * cell states.
   */
  backward(input: LstmInput, output: LstmOutput<Tensor3D>, dh: Tensor3D, dcs: Tensor3D | null): Tensor[];
}

const KERNELS: Readonly<Record<'tensorflow' | 'wasm' | 'cpu', LstmKernel>> = {
  tensorflow: nativeLstmKernel,
  wasm: steppedLstmKernel,
  cpu: plainLstmKernel,
};

/**
 * LSTM over a padded sequence in one operation. Padding needs no care inside it: padded steps come last and their
 * outputs are not used, so no gradient enters there.
 */
export function fusedLstm(
  _cell: Cell,
  w: Weights,
  x: Tensor3D,
  initial: State,
  mask: SequenceMask,
  wanted: Wanted,
): Sequence {
  const [h0, c0] = [initial.h!, initial.c!];
  const [kernel, recurrent, bias] = [
    weight(w, 'kernel'),
    weight(w, 'recurrent'),
    weight<Tensor1D>(w, 'bias'),
  ];
  const [h, cs] = statesOf({ x, h0, c0, kernel, recurrent, bias }, wanted === 'states');
  const final: State = cs === null ? {} : { h: mask.last(h0, h), c: mask.last(c0, cs) };
  return { outputs: mask.apply(h), final };
}

/**
 * h, and where wanted c, after every step. A custom gradient has one output, so both come side by side; and to bring out
 * what nobody uses would have a gradient of zeros made for it.
 */
function statesOf(
  { x, h0, c0, kernel, recurrent, bias }: LstmInput,
  withCells: boolean,
): [h: Tensor3D, cs: Tensor3D | null] {
  const lstm = KERNELS[getBackend() as keyof typeof KERNELS];
  const value = customOperation<Tensor3D>(
    [x, h0, c0, kernel, recurrent, bias],
    (inputs) => {
      const output = lstm.forward(inputOf(inputs));
      const [, cs, , , , , h] = output;
      return { value: withCells ? concat([h, cs], 2) : h, kept: output };
    },
    (by, inputs, kept) => {
      const [dh, dcs] = withCells ? (split(by, 2, 2) as [Tensor3D, Tensor3D]) : [by, null];
      return lstm.backward(inputOf(inputs), kept as unknown as LstmOutput<Tensor3D>, dh, dcs);
    },
  );
  return withCells ? (split(value, 2, 2) as [Tensor3D, Tensor3D]) : [value, null];
}

function inputOf(tensors: readonly Tensor[]): LstmInput {
  const [x, h0, c0, kernel, recurrent, bias] = tensors as [
    Tensor3D,
    Tensor2D,
    Tensor2D,
    Tensor2D,
    Tensor2D,
    Tensor1D,
  ];
  return { x, h0, c0, kernel, recurrent, bias };
}
