import {
  add,
  matMul,
  mul,
  sigmoid,
  slice,
  split,
  sub,
  type Tensor2D,
  type Tensor3D,
  tanh,
} from '@tensorflow/tfjs-core';
import { type Cell, gateParameters, type ParameterSpec, type State, type Weights, weight } from './cell.js';
import { projectInputs } from './project.js';

/**
 * Gated recurrent unit (Cho et al. 2014, equations 5 to 8).
 *
 *     [r z n] = x_t W + b                        in this order of columns
 *     r = sigmoid(r + h_{t-1} U_r),  z = sigmoid(z + h_{t-1} U_z)
 *     n = tanh(n + (r h_{t-1}) U_n)
 *     h_t = z h_{t-1} + (1 - z) n
 *
 * The reset gate acts on the state before the product, as in the paper, not after it as in cuDNN.
 */
export class GruCell implements Cell {
  readonly kind = 'gru';
  readonly outputSize: number;
  readonly stateSizes: Readonly<Record<string, number>>;
  readonly parameters: readonly ParameterSpec[];

  constructor(
    readonly inputSize: number,
    hiddenSize: number,
  ) {
    this.outputSize = hiddenSize;
    this.stateSizes = { h: hiddenSize };
    this.parameters = gateParameters(inputSize, hiddenSize, 3);
  }

  project(w: Weights, x: Tensor3D): Tensor3D {
    return projectInputs(w, x);
  }

  step(w: Weights, xt: Tensor2D, state: State): { output: Tensor2D; state: State } {
    const size = this.outputSize;
    const recurrent = weight<Tensor2D>(w, 'recurrent');
    const h = state.h!;
    const gates = add(slice(xt, [0, 0], [-1, 2 * size]), matMul(h, slice(recurrent, [0, 0], [-1, 2 * size])));
    const [r, z] = split(sigmoid(gates), 2, 1) as [Tensor2D, Tensor2D];
    const n = tanh(
      add(
        slice(xt, [0, 2 * size], [-1, size]),
        matMul(mul(r, h) as Tensor2D, slice(recurrent, [0, 2 * size], [-1, size])),
      ),
    );
    const next = add(mul(z, h), mul(sub(1, z), n)) as Tensor2D;
    return { output: next, state: { h: next } };
  }
}
