import { add, matMul, type Tensor2D, tanh } from '@tensorflow/tfjs-core';
import { GateCell } from './base.js';
import {
  type State,
  type StepGradients,
  type StepResult,
  type StepTaken,
  type WeightGradients,
  type Weights,
  weight,
} from './cell.js';
import { throughTanh } from './derivative.js';

/**
 * Simple recurrent network (Elman 1990, "Finding structure in time").
 *
 *     h_t = tanh(x_t W + h_{t-1} U + b)
 *
 * Elman's units are logistic; tanh is the form in use since, and keeps the state centred on zero.
 */
export class ElmanCell extends GateCell {
  readonly kind = 'elman';

  constructor(inputSize: number, hiddenSize: number) {
    super(inputSize, hiddenSize, 1);
  }

  step(w: Weights, xt: Tensor2D, state: State): StepResult {
    return { state: { h: tanh(add(xt, matMul(state.h!, weight(w, 'recurrent')))) } };
  }

  backwardStep(
    _w: Weights,
    transposed: Weights,
    { before, after }: StepTaken,
    by: State,
    weights: WeightGradients,
  ): StepGradients {
    const dz = throughTanh(by.h!, after.h!);
    weights.product('recurrent', before.h!, dz);
    return { xt: dz, state: { h: matMul(dz, weight(transposed, 'recurrent')) } };
  }
}
