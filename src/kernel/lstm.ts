import {
  concat,
  engine,
  getBackend,
  registerGradient,
  registerKernel,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
} from '@tensorflow/tfjs-core';
import { type Cell, type State, type Weights, weight } from '../cell/cell.js';
import { nativeLstmKernel } from './lstm-native.js';
import { plainLstmKernel } from './lstm-plain.js';
import type { SequenceMask } from './mask.js';
import type { Sequence } from './scan.js';

export interface LstmInput {
  /** `[time, batch, input]` */
  readonly x: Tensor3D;
  /** `[batch, hidden]` */
  readonly h0: Tensor2D;
  readonly c0: Tensor2D;
  /** Kernel above recurrent matrix, `[input + hidden, 4 * hidden]`, gates in the order i, g, f, o. */
  readonly matrix: Tensor2D;
  /** `[4 * hidden]` */
  readonly bias: Tensor1D;
}

/** Each `[time, batch, hidden]`: the gates after their sigmoids, the cell states, tanh(g), tanh(c) and h. */
export type LstmOutput<T> = readonly [i: T, cs: T, f: T, o: T, ci: T, co: T, h: T];

/** An LSTM layer over a whole sequence, and its gradient, on one engine. It knows nothing of padding. */
export interface LstmKernel {
  forward(input: LstmInput): LstmOutput<Tensor3D>;
  /** Gradients of x, h0, c0, matrix and bias, from those of all cell states and all outputs. */
  backward(input: LstmInput, output: LstmOutput<Tensor3D>, dcs: Tensor3D, dh: Tensor3D): Tensor[];
}

const KERNELS: Readonly<Record<'tensorflow' | 'cpu', LstmKernel>> = {
  tensorflow: nativeLstmKernel,
  cpu: plainLstmKernel,
};

const NAME = 'DragomanLstmSequence';
const INPUTS = ['x', 'h0', 'c0', 'matrix', 'bias'] as const;

/**
 * LSTM over a padded sequence in one kernel. Padding needs no care inside it: padded steps come last and their
 * outputs are not used, so no gradient enters there.
 */
export function fusedLstm(
  _cell: Cell,
  w: Weights,
  x: Tensor3D,
  initial: State,
  mask: SequenceMask,
): Sequence {
  const matrix = concat([weight<Tensor2D>(w, 'kernel'), weight<Tensor2D>(w, 'recurrent')], 0);
  const h0 = initial.h!;
  const c0 = initial.c!;
  const bias = weight<Tensor1D>(w, 'bias');
  const outputs = engine().runKernel(NAME, { x, h0, c0, matrix, bias }) as unknown as LstmOutput<Tensor3D>;
  const [, cs, , , , , h] = outputs;
  return { outputs: mask.apply(h), final: { h: mask.last(h0, h), c: mask.last(c0, cs) } };
}

for (const [backendName, kernel] of Object.entries(KERNELS)) {
  registerKernel({
    kernelName: NAME,
    backendName,
    kernelFunc: ({ inputs }) => [...kernel.forward(inputs as unknown as LstmInput)],
  });
}

registerGradient({
  kernelName: NAME,
  inputsToSave: [...INPUTS],
  outputsToSave: [true, true, true, true, true, true, true],
  gradFunc: (dy, saved) => {
    const [x, h0, c0, matrix, bias, ...output] = saved as unknown as [
      Tensor3D,
      Tensor2D,
      Tensor2D,
      Tensor2D,
      Tensor1D,
      ...LstmOutput<Tensor3D>,
    ];
    const [, dcs, , , , , dh] = dy as unknown as LstmOutput<Tensor3D>;
    const kernel = KERNELS[getBackend() as keyof typeof KERNELS];
    // Once, here: tfjs asks for each input's gradient separately, each in a tidy of its own.
    const gradients = kernel.backward({ x, h0, c0, matrix, bias }, output, dcs, dh);
    return Object.fromEntries(INPUTS.map((name, k) => [name, () => gradients[k]!]));
  },
});
