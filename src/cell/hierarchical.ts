import {
  add,
  cast,
  div,
  equal,
  floor,
  matMul,
  mul,
  sub,
  type Tensor1D,
  type Tensor2D,
  tanh,
  tensor1d,
  tensor2d,
} from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { CellBase, gateParameters } from './base.js';
import { type BackwardStep, type Step, type Weights, weight } from './cell.js';
import { throughTanh } from './derivative.js';

/**
 * Hierarchical network: modules of units with slower and slower clocks (El Hihi & Bengio 1995, "Hierarchical recurrent
 * neural networks for long-term dependencies"; the form is that of Koutník et al. 2014, "A clockwork RNN", equations 1
 * to 4).
 *
 *     h_t[m] = tanh(x_t W + h_{t-1} U + b)[m]   where t mod T_m = 0
 *     h_t[m] = h_{t-1}[m]                       elsewhere
 *
 * A module is fed by itself and by slower ones only: the blocks of U from faster to slower modules are zero, and stay
 * so, whatever the parameter holds there. Steps count from 0, so that every module reads the first step. The count is
 * part of the state (`clock`, `[batch, 1]`): each row counts its own steps, also where decoding goes on, reorders or
 * drops rows. In El Hihi & Bengio modules of one level feed each other's next level up; here, as in Koutník et al.,
 * information flows to all faster ones.
 */
export class HierarchicalCell extends CellBase {
  static readonly options = z.strictObject({
    kind: z
      .literal('hierarchical')
      .describe('Modules with slower and slower clocks (El Hihi & Bengio 1995, Koutník et al. 2014).'),
    periods: z
      .array(z.int().positive())
      .min(1)
      .refine((periods) => periods.every((period, k) => k === 0 || period > periods[k - 1]!), {
        message: 'expected clock periods in rising order',
        when: ({ issues }) => issues.length === 0,
      })
      .default([1, 2, 4, 8])
      .describe('Clock period of each module in steps, rising; the units are shared out evenly.'),
  });

  static sizeProblem({ periods }: z.output<typeof HierarchicalCell.options>, hidden: number): string | null {
    if (periods.length <= hidden) return null;
    return `expected at most as many clock periods as units, got ${periods.length} periods for ${hidden} units`;
  }

  readonly kind = 'hierarchical';
  override readonly ownStates = ['clock'];
  /** Clock period of each unit. */
  readonly #periods: readonly number[];

  constructor(inputSize: number, hiddenSize: number, { periods }: z.output<typeof HierarchicalCell.options>) {
    super(
      inputSize,
      hiddenSize,
      { h: hiddenSize, clock: 1 },
      gateParameters(inputSize, hiddenSize, hiddenSize),
    );
    this.#periods = Array.from(
      { length: hiddenSize },
      (_, unit) => periods[Math.floor((unit * periods.length) / hiddenSize)]!,
    );
  }

  /** The recurrent matrix without the connections from faster to slower modules, and the period of each unit. */
  override prepare(w: Weights): Weights {
    const periods = this.#periods;
    const size = periods.length;
    const allowed = Float32Array.from({ length: size * size }, (_, k) =>
      periods[Math.floor(k / size)]! >= periods[k % size]! ? 1 : 0,
    );
    const recurrent = mul(weight(w, 'recurrent'), tensor2d(allowed, [size, size]));
    return { recurrent, periods: tensor1d([...periods]) };
  }

  readonly step: Step = (w, xt, state) => {
    const h = state.h!;
    const clock = state.clock!;
    const periods = weight<Tensor1D>(w, 'periods');
    const passed = mul(floor(div(clock, periods)), periods); // the last time that each unit's clock ticked
    const ticks = cast(equal(passed, clock), 'float32') as Tensor2D; // [batch, hidden]
    const candidate = tanh(add(xt, matMul(h, weight(w, 'recurrent')))) as Tensor2D;
    const next = add(h, mul(ticks, sub(candidate, h))) as Tensor2D;
    return { state: { h: next, clock: add(clock, 1) }, trace: [ticks, candidate] };
  };

  readonly backwardStep: BackwardStep = (_w, transposed, { before, trace }, by, weights) => {
    const [ticks, candidate] = trace as [Tensor2D, Tensor2D];
    const dh = by.h!;
    const taken = mul(dh, ticks) as Tensor2D;
    const dz = throughTanh(taken, candidate);
    weights.product('recurrent', before.h!, dz);
    return { xt: dz, state: { h: add(sub(dh, taken), matMul(dz, weight(transposed, 'recurrent'))) } };
  };
}
