import { add, matMul, type Tensor, tanh } from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { CellBase, columns, gateParameters } from './base.js';
import { type BackwardStep, type Step, weight } from './cell.js';
import { throughTanh } from './derivative.js';

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
  static readonly options = z.strictObject({
    kind: z
      .literal('fully-recurrent')
      .describe('One pool of units, each fed by all; some are the output (Williams & Zipser 1989).'),
    hiddenUnits: z
      .int()
      .positive()
      .optional()
      .describe('Units of the pool beside those that are read out; as many as are read out if absent.'),
  });
  readonly kind = 'fully-recurrent';

  constructor(
    inputSize: number,
    outputSize: number,
    { hiddenUnits = outputSize }: z.output<typeof FullyRecurrentCell.options>,
  ) {
    const pool = outputSize + hiddenUnits;
    super(inputSize, outputSize, { y: pool }, gateParameters(inputSize, pool, pool));
  }

  readonly step: Step = (w, xt, state) => ({
    state: { y: tanh(add(xt, matMul(state.y!, weight(w, 'recurrent')))) },
  });

  override read<T extends Tensor>(state: Readonly<Record<string, T>>): T {
    return columns(state.y!, 0, this.outputSize);
  }

  readonly backwardStep: BackwardStep = (_w, transposed, { before, after }, by, weights) => {
    const dz = throughTanh(by.y!, after.y!);
    weights.product('recurrent', before.y!, dz);
    return { xt: dz, state: { y: matMul(dz, weight(transposed, 'recurrent')) } };
  };
}
