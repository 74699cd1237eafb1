import { add, matMul, type Tensor, type Tensor1D, type Tensor2D, tanh } from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { CellBase, gateParameters } from './base.js';
import { type BackwardStep, type Step, weight } from './cell.js';
import { throughTanh } from './derivative.js';

/**
 * Recurrent multilayer perceptron (Puskorius & Feldkamp 1994, "Neurocontrol of nonlinear dynamical systems with Kalman
 * filter trained recurrent networks"; Fernandez, Parlos & Tsai 1990): several layers in one step, each with feedback
 * from its own last activity.
 *
 *     h1_t = tanh(x_t W_1 + h1_{t-1} U_1 + b_1)
 *     hl_t = tanh(h(l-1)_t W_l + hl_{t-1} U_l + b_l)      l = 2, 3, …; the last one is read out
 *
 * Their units are logistic or linear, and they train by Kalman filtering.
 */
export class RecurrentMlpCell extends CellBase {
  static readonly options = z.strictObject({
    kind: z
      .literal('recurrent-mlp')
      .describe('Several layers in a step, each with its own feedback (Puskorius & Feldkamp 1994).'),
    widths: z
      .array(z.int().positive())
      .min(1)
      .optional()
      .describe('Units of each layer below the one that is read out; one of equal width if absent.'),
  });
  readonly kind = 'recurrent-mlp';
  readonly #layers: readonly number[];

  constructor(
    inputSize: number,
    outputSize: number,
    { widths = [outputSize] }: z.output<typeof RecurrentMlpCell.options>,
  ) {
    const sizes = [...widths, outputSize];
    super(
      inputSize,
      outputSize,
      Object.fromEntries(sizes.map((size, k) => [`h${k + 1}`, size])),
      sizes.flatMap((size, k) =>
        gateParameters(k === 0 ? inputSize : sizes[k - 1]!, size, size).map((spec) => ({
          ...spec,
          name: k === 0 ? spec.name : `${spec.name}${k + 1}`,
        })),
      ),
    );
    this.#layers = sizes.map((_, k) => k + 1).slice(1);
  }

  readonly step: Step = (w, xt, state) => {
    let h = tanh(add(xt, matMul(state.h1!, weight(w, 'recurrent')))) as Tensor2D;
    const next: Record<string, Tensor2D> = { h1: h };
    for (const l of this.#layers) {
      const fed = add(matMul(h, weight(w, `kernel${l}`)), weight<Tensor1D>(w, `bias${l}`));
      h = tanh(add(fed, matMul(state[`h${l}`]!, weight(w, `recurrent${l}`))));
      next[`h${l}`] = h;
    }
    return { state: next };
  };

  override read<T extends Tensor>(state: Readonly<Record<string, T>>): T {
    return state[`h${this.#layers.length + 1}`]!;
  }

  readonly backwardStep: BackwardStep = (_w, transposed, { before, after }, by, weights) => {
    const state: Record<string, Tensor2D> = {};
    let fromAbove: Tensor2D | null = null;
    for (const l of this.#layers.toReversed()) {
      const dz = throughTanh(sumOf(by[`h${l}`]!, fromAbove), after[`h${l}`]!);
      weights.product(`kernel${l}`, after[`h${l - 1}`]!, dz);
      weights.product(`recurrent${l}`, before[`h${l}`]!, dz);
      weights.vector(`bias${l}`, dz);
      state[`h${l}`] = matMul(dz, weight(transposed, `recurrent${l}`));
      fromAbove = matMul(dz, weight(transposed, `kernel${l}`));
    }
    const dz = throughTanh(sumOf(by.h1!, fromAbove), after.h1!);
    weights.product('recurrent', before.h1!, dz);
    state.h1 = matMul(dz, weight(transposed, 'recurrent'));
    return { xt: dz, state };
  };
}

function sumOf(a: Tensor2D, b: Tensor2D | null): Tensor2D {
  return b === null ? a : add(a, b);
}
