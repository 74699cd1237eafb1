import { add, matMul, tanh } from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { GateCell } from './base.js';
import { type BackwardStep, type Step, weight } from './cell.js';
import { throughTanh } from './derivative.js';

/**
 * Simple recurrent network (Elman 1990, "Finding structure in time").
 *
 *     h_t = tanh(x_t W + h_{t-1} U + b)
 *
 * Elman's units are logistic, and his gradient stops after one step; tanh is the form in use since, and keeps the state
 * centred on zero.
 */
export class ElmanCell extends GateCell {
  static readonly options = z.strictObject({
    kind: z.literal('elman').describe('Simple recurrent network (Elman 1990).'),
  });
  readonly kind = 'elman';

  constructor(inputSize: number, hiddenSize: number) {
    super(inputSize, hiddenSize, 1);
  }

  readonly step: Step = (w, xt, state) => ({
    state: { h: tanh(add(xt, matMul(state.h!, weight(w, 'recurrent')))) },
  });

  readonly backwardStep: BackwardStep = (_w, transposed, { before, after }, by, weights) => {
    const dz = throughTanh(by.h!, after.h!);
    weights.product('recurrent', before.h!, dz);
    return { xt: dz, state: { h: matMul(dz, weight(transposed, 'recurrent')) } };
  };
}
