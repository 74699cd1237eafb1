import {
  add,
  matMul,
  mul,
  neg,
  sigmoid,
  sub,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tanh,
} from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { CellBase, gateParameters, parameter } from './base.js';
import { type BackwardStep, type Step, type Weights, weight } from './cell.js';
import { throughTanh } from './derivative.js';

/**
 * Continuous-time network (Funahashi & Nakamura 1993; Beer 1995)
 *
 *     tau dh/dt = -h + x_t W + tanh(h) U + b
 *
 * with a learned time constant tau for each unit, solved by Euler's method: `substeps` times
 *
 *     h <- h + (d / tau) (-h + x_t W + tanh(h) U + b)      d = step / substeps
 *
 * and tanh(h) is read out. The parameter `time` stands for tau = d (1 + e^time): positive, and longer than one Euler
 * step, so that d / tau = sigmoid(-time) is below 1 and the leak cannot overshoot. Beer's units are
 * logistic, with their thresholds inside, f(h + theta): with b = theta the same network, its h moved by theta.
 */
export class ContinuousTimeCell extends CellBase {
  static readonly options = z
    .strictObject({
      kind: z
        .literal('continuous-time')
        .describe(
          'tau dh/dt = -h + W x + U tanh(h) + b by Euler steps (Funahashi & Nakamura 1993, Beer 1995).',
        ),
      timeConstant: z.number().positive().default(2).describe('tau at the start of training; it is learned.'),
      step: z.number().positive().default(1).describe('Time between two inputs.'),
      substeps: z
        .int()
        .positive()
        .default(2)
        .describe('Euler steps between two inputs; each must be shorter than tau.'),
    })
    .superRefine(({ timeConstant, step, substeps }, context) => {
      if (timeConstant > step / substeps) return;
      const message = `expected more than one Euler step, step / substeps = ${step / substeps}, got ${timeConstant}`;
      context.addIssue({ code: 'custom', path: ['timeConstant'], message });
    });
  readonly kind = 'continuous-time';
  readonly #substeps: number;

  constructor(
    inputSize: number,
    hiddenSize: number,
    { timeConstant, step, substeps }: z.output<typeof ContinuousTimeCell.options>,
  ) {
    super(inputSize, hiddenSize, { h: hiddenSize }, [
      ...gateParameters(inputSize, hiddenSize, hiddenSize),
      parameter('time', [hiddenSize], {
        kind: 'constant',
        value: Math.log((timeConstant * substeps) / step - 1),
      }),
    ]);
    this.#substeps = substeps;
  }

  /** The recurrent matrix and d / tau. */
  override prepare(w: Weights): Weights {
    return { recurrent: weight(w, 'recurrent'), rate: sigmoid(neg(weight<Tensor1D>(w, 'time'))) };
  }

  readonly step: Step = (w, xt, state) => {
    const rate = weight<Tensor1D>(w, 'rate');
    let h = state.h!;
    const trace: Tensor2D[] = [];
    for (let n = 0; n < this.#substeps; n++) {
      const firing = tanh(h);
      const change = sub(add(xt, matMul(firing, weight(w, 'recurrent'))), h) as Tensor2D;
      trace.push(firing, change);
      h = add(h, mul(change, rate));
    }
    return { state: { h }, trace };
  };

  override read<T extends Tensor>(state: Readonly<Record<string, T>>): T {
    return tanh(state.h!);
  }

  readonly backwardStep: BackwardStep = (w, transposed, { trace }, by, weights) => {
    const rate = weight<Tensor1D>(w, 'rate');
    let dh = by.h!;
    let xt: Tensor2D | null = null;
    for (let n = this.#substeps - 1; n >= 0; n--) {
      const [firing, change] = [trace[2 * n]!, trace[2 * n + 1]!];
      const dChange = mul(dh, rate) as Tensor2D;
      weights.vector('rate', mul(dh, change) as Tensor2D);
      weights.product('recurrent', firing, dChange);
      const dFiring = matMul(dChange, weight(transposed, 'recurrent')) as Tensor2D;
      xt = xt === null ? dChange : add(xt, dChange);
      dh = add(sub(dh, dChange), throughTanh(dFiring, firing));
    }
    return { xt: xt!, state: { h: dh } };
  };
}
