import { add, matMul, type Tensor2D, type Tensor3D, tanh } from '@tensorflow/tfjs-core';
import { type Cell, gateParameters, type ParameterSpec, type State, type Weights, weight } from './cell.js';
import { projectInputs } from './project.js';

/**
 * Simple recurrent network (Elman 1990, "Finding structure in time").
 *
 *     h_t = tanh(x_t W + h_{t-1} U + b)
 *
 * Elman's units are logistic; tanh is the form in use since, and keeps the state centred on zero.
 */
export class ElmanCell implements Cell {
  readonly kind = 'elman';
  readonly outputSize: number;
  readonly stateSizes: Readonly<Record<string, number>>;
  readonly parameters: readonly ParameterSpec[];

  constructor(
    readonly inputSize: number,
    hiddenSize: number,
  ) {
    this.outputSize = hiddenSize;
    this.stateSizes = { h: hiddenSize };
    this.parameters = gateParameters(inputSize, hiddenSize, 1);
  }

  project(w: Weights, x: Tensor3D): Tensor3D {
    return projectInputs(w, x);
  }

  step(w: Weights, xt: Tensor2D, state: State): { output: Tensor2D; state: State } {
    const h = tanh(add(xt, matMul(state.h!, weight<Tensor2D>(w, 'recurrent')))) as Tensor2D;
    return { output: h, state: { h } };
  }
}
