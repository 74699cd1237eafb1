import { add, matMul, type Tensor, type Tensor2D, tanh } from '@tensorflow/tfjs-core';
import { CellBase, columns, gateParameters } from './base.js';
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
import type { OptionsOf } from './options.js';

/**
 * Fully recurrent network (Williams & Zipser 1989, "A learning algorithm for continually running fully recurrent neural
 * networks"): one pool of units, each fed by the input and by every unit; some of them are the output.
 *
 *     y_t = tanh(x_t W + y_{t-1} U + b)          y [batch, output + hiddenUnits]; its first columns are read out
 *
 * Their units are logistic. They train by real-time recurrent learning with the targets forced into the output units;
 * here the gradient is that of the unfolded network, the same without the forcing.
 */
export class FullyRecurrentCell extends CellBase {
  readonly kind = 'fully-recurrent';

  constructor(
    inputSize: number,
    outputSize: number,
    { hiddenUnits = outputSize }: OptionsOf<'fully-recurrent'>,
  ) {
    const pool = outputSize + hiddenUnits;
    super(inputSize, outputSize, { y: pool }, gateParameters(inputSize, pool, pool));
  }

  step(w: Weights, xt: Tensor2D, state: State): StepResult {
    return { state: { y: tanh(add(xt, matMul(state.y!, weight(w, 'recurrent')))) } };
  }

  override read<T extends Tensor>(state: Readonly<Record<string, T>>): T {
    return columns(state.y!, 0, this.outputSize);
  }

  backwardStep(
    _w: Weights,
    transposed: Weights,
    { before, after }: StepTaken,
    by: State,
    weights: WeightGradients,
  ): StepGradients {
    const dz = throughTanh(by.y!, after.y!);
    weights.product('recurrent', before.y!, dz);
    return { xt: dz, state: { y: matMul(dz, weight(transposed, 'recurrent')) } };
  }
}
