import { add, concat, matMul, mul, sigmoid, split, type Tensor2D, tanh } from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { GateCell } from './base.js';
import { type BackwardStep, type Step, weight } from './cell.js';
import { throughSigmoid, throughTanh } from './derivative.js';

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
 * TensorFlow's BlockLSTM, so that the fused kernel takes the weights as they are. Departures: the papers squash g and
 * c_t by scaled logistic functions, here tanh, and cut the gradient where it would leave the memory through a gate.
 */
export class LstmCell extends GateCell {
  static readonly options = z.strictObject({
    kind: z
      .literal('lstm')
      .describe('Long short-term memory (Hochreiter & Schmidhuber 1997, Gers et al. 2000).'),
  });
  readonly kind = 'lstm';

  constructor(inputSize: number, hiddenSize: number) {
    super(inputSize, hiddenSize, 4, ['h', 'c'], {
      kind: 'band',
      from: 2 * hiddenSize,
      to: 3 * hiddenSize,
      value: FORGET_BIAS,
    });
  }

  readonly step: Step = (w, xt, state) => {
    const pre = add(xt, matMul(state.h!, weight(w, 'recurrent')));
    const [preI, preG, preF, preO] = split(pre, 4, 1) as [Tensor2D, Tensor2D, Tensor2D, Tensor2D];
    const [i, g, f, o] = [sigmoid(preI), tanh(preG), sigmoid(preF), sigmoid(preO)];
    const c = add(mul(f, state.c!), mul(i, g)) as Tensor2D;
    const squashed = tanh(c);
    return { state: { h: mul(o, squashed), c }, trace: [i, g, f, o, squashed] };
  };

  readonly backwardStep: BackwardStep = (_w, transposed, { before, trace }, by, weights) => {
    const [i, g, f, o, squashed] = trace as [Tensor2D, Tensor2D, Tensor2D, Tensor2D, Tensor2D];
    const dc = add(by.c!, throughTanh(mul(by.h!, o), squashed)) as Tensor2D;
    const dz = concat(
      [
        throughSigmoid(mul(dc, g), i),
        throughTanh(mul(dc, i), g),
        throughSigmoid(mul(dc, before.c!), f),
        throughSigmoid(mul(by.h!, squashed), o),
      ],
      1,
    ) as Tensor2D;
    weights.product('recurrent', before.h!, dz);
    return { xt: dz, state: { h: matMul(dz, weight(transposed, 'recurrent')), c: mul(dc, f) } };
  };
}
