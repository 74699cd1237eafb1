import {
  add,
  concat,
  matMul,
  mul,
  sigmoid,
  slice,
  split,
  sub,
  type Tensor2D,
  tanh,
} from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { columns, GateCell } from './base.js';
import { type BackwardStep, type Step, type Weights, weight } from './cell.js';
import { throughSigmoid, throughTanh } from './derivative.js';

/**
 * Gated recurrent unit (Cho et al. 2014, equations 5 to 8).
 *
 *     [r z n] = x_t W + b                        in this order of columns
 *     r = sigmoid(r + h_{t-1} U_r),  z = sigmoid(z + h_{t-1} U_z)
 *     n = tanh(n + (r h_{t-1}) U_n)
 *     h_t = z h_{t-1} + (1 - z) n
 *
 * The reset gate acts on the state before the product, as in the paper, not after it as in cuDNN. The paper leaves the
 * biases out.
 */
export class GruCell extends GateCell {
  static readonly options = z.strictObject({
    kind: z.literal('gru').describe('Gated recurrent unit (Cho et al. 2014).'),
  });
  readonly kind = 'gru';

  constructor(inputSize: number, hiddenSize: number) {
    super(inputSize, hiddenSize, 3);
  }

  /** The recurrent matrix in its two parts: `gates` [U_r U_z] and `candidate` U_n. */
  override prepare(w: Weights): Weights {
    const size = this.outputSize;
    const recurrent = weight(w, 'recurrent');
    return {
      gates: slice(recurrent, [0, 0], [size, 2 * size]),
      candidate: slice(recurrent, [0, 2 * size], [size, size]),
    };
  }

  readonly step: Step = (w, xt, state) => {
    const size = this.outputSize;
    const h = state.h!;
    const gates = add(columns(xt, 0, 2 * size), matMul(h, weight(w, 'gates')));
    const [r, z] = split(sigmoid(gates), 2, 1) as [Tensor2D, Tensor2D];
    const reset = mul(r, h) as Tensor2D;
    const n = tanh(add(columns(xt, 2 * size, size), matMul(reset, weight(w, 'candidate')))) as Tensor2D;
    return { state: { h: add(n, mul(z, sub(h, n))) }, trace: [r, z, n, reset] };
  };

  readonly backwardStep: BackwardStep = (_w, transposed, { before, trace }, by, weights) => {
    const [r, z, n, reset] = trace as [Tensor2D, Tensor2D, Tensor2D, Tensor2D];
    const h = before.h!;
    const dh = by.h!;
    const kept = mul(dh, z) as Tensor2D;
    const dn = throughTanh(sub(dh, kept), n);
    const dReset = matMul(dn, weight(transposed, 'candidate'));
    const dr = throughSigmoid(mul(dReset, h), r);
    const dz = throughSigmoid(mul(dh, sub(h, n)), z);
    const dGates = concat([dr, dz], 1) as Tensor2D;
    weights.product('gates', h, dGates);
    weights.product('candidate', reset, dn);
    const through = add(matMul(dGates, weight(transposed, 'gates')), mul(dReset, r));
    return { xt: concat([dGates, dn], 1), state: { h: add(kept, through) } };
  };
}
