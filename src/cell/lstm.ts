import { add, matMul, mul, sigmoid, split, type Tensor2D, type Tensor3D, tanh } from '@tensorflow/tfjs-core';
import { type Cell, gateParameters, type ParameterSpec, type State, type Weights, weight } from './cell.js';
import { projectInputs } from './project.js';

/** Keeps the memory open at the start of training (Gers, Schmidhuber & Cummins 2000; Jozefowicz et al. 2015). */
const FORGET_BIAS = 1;

/**
 * Long short-term memory (Hochreiter & Schmidhuber 1997) with forget gate (Gers et al. 2000), without peepholes.
 *
 *     [i g f o] = x_t W + h_{t-1} U + b          in this order of columns
 *     c_t = sigmoid(f) c_{t-1} + sigmoid(i) tanh(g)
 *     h_t = sigmoid(o) tanh(c_t)
 *
 * The forget gate's bias starts at 1 and is part of `bias`, not added at run time. The order i, g, f, o is that of
 * TensorFlow's BlockLSTM, so that the fused kernel takes the weights as they are.
 */
export class LstmCell implements Cell {
  readonly kind = 'lstm';
  readonly outputSize: number;
  readonly stateSizes: Readonly<Record<string, number>>;
  readonly parameters: readonly ParameterSpec[];

  constructor(
    readonly inputSize: number,
    hiddenSize: number,
  ) {
    this.outputSize = hiddenSize;
    this.stateSizes = { h: hiddenSize, c: hiddenSize };
    this.parameters = gateParameters(inputSize, hiddenSize, 4).map((spec) =>
      spec.name === 'bias'
        ? {
            ...spec,
            initializer: { kind: 'band', from: 2 * hiddenSize, to: 3 * hiddenSize, value: FORGET_BIAS },
          }
        : spec,
    );
  }

  project(w: Weights, x: Tensor3D): Tensor3D {
    return projectInputs(w, x);
  }

  step(w: Weights, xt: Tensor2D, state: State): { output: Tensor2D; state: State } {
    const z = add(xt, matMul(state.h!, weight<Tensor2D>(w, 'recurrent')));
    const [i, g, f, o] = split(z, 4, 1) as [Tensor2D, Tensor2D, Tensor2D, Tensor2D];
    const c = add(mul(sigmoid(f), state.c!), mul(sigmoid(i), tanh(g))) as Tensor2D;
    const h = mul(sigmoid(o), tanh(c)) as Tensor2D;
    return { output: h, state: { h, c } };
  }
}
