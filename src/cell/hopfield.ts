import { add, matMul, mul, type Tensor2D, tanh, tensor2d, transpose } from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { GateCell } from './base.js';
import { type BackwardStep, type Step, type Weights, weight } from './cell.js';
import { throughTanh } from './derivative.js';

/**
 * Hopfield network (Hopfield 1982; with graded units, Hopfield 1984) as a recurrent cell. Between two inputs the units
 * settle under symmetric weights while the input stays clamped:
 *
 *     S = (U + U^T) / 2 with a zero diagonal
 *     s <- tanh(beta (s S + x_t W + b))          settlingSteps times, from the s of the step before
 *
 * All units move at once, where Hopfield's move one at a time: with the gain beta |S| below 1 both end in the same
 * state, and above it the synchronous network may also alternate between two (Marcus & Westervelt 1989). The energy
 * that settles is E(s) = -s S s^T / 2 - (x_t W + b) s^T + (1/beta) sum of the integrals of atanh. Here the weights are
 * learned by gradient descent through the settling, not by Hebb's rule.
 */
export class HopfieldCell extends GateCell {
  static readonly options = z.strictObject({
    kind: z
      .literal('hopfield')
      .describe('Symmetric weights, settled under a clamped input (Hopfield 1982, 1984).'),
    settlingSteps: z.int().positive().default(3).describe('Updates of all units between two inputs.'),
    inverseTemperature: z
      .number()
      .positive()
      .default(1)
      .describe('Steepness of the units; large values make them binary.'),
  });
  readonly kind = 'hopfield';
  readonly #steps: number;
  readonly #beta: number;

  constructor(
    inputSize: number,
    hiddenSize: number,
    { settlingSteps, inverseTemperature }: z.output<typeof HopfieldCell.options>,
  ) {
    super(inputSize, hiddenSize, 1, ['s']);
    this.#steps = settlingSteps;
    this.#beta = inverseTemperature;
  }

  /** The symmetric weights. */
  override prepare(w: Weights): Weights {
    const size = this.outputSize;
    const half = Float32Array.from({ length: size * size }, (_, k) => (k % (size + 1) === 0 ? 0 : 0.5));
    const recurrent = weight(w, 'recurrent');
    return { symmetric: mul(add(recurrent, transpose(recurrent)), tensor2d(half, [size, size])) };
  }

  readonly step: Step = (w, xt, state) => {
    const settled: Tensor2D[] = [];
    let s = state.s!;
    for (let n = 0; n < this.#steps; n++) {
      s = tanh(mul(add(xt, matMul(s, weight(w, 'symmetric'))), this.#beta));
      settled.push(s);
    }
    return { state: { s }, trace: settled };
  };

  readonly backwardStep: BackwardStep = (w, _transposed, { before, trace }, by, weights) => {
    let ds = by.s!;
    let xt: Tensor2D | null = null;
    for (let n = this.#steps - 1; n >= 0; n--) {
      const dz = mul(throughTanh(ds, trace[n]!), this.#beta) as Tensor2D;
      weights.product('symmetric', n === 0 ? before.s! : trace[n - 1]!, dz);
      ds = matMul(dz, weight(w, 'symmetric')); // its own transpose
      xt = xt === null ? dz : add(xt, dz);
    }
    return { xt: xt!, state: { s: ds } };
  };
}
