import { add, matMul, mul, type Tensor2D, tanh } from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { CellBase } from './base.js';
import { type BackwardStep, type Step, weight } from './cell.js';
import { throughTanh } from './derivative.js';
import { drawReservoir, drawUniform } from './reservoir.js';

/**
 * Echo state network (Jaeger 2001, "The 'echo state' approach to analysing and training recurrent neural networks"),
 * leaky as in Jaeger et al. 2007:
 *
 *     h_t = (1 - leak) h_{t-1} + leak tanh(x_t W + h_{t-1} U + b)
 *
 * W, U and b are drawn once and fixed: they get no gradient, no moments and no decay, and are saved with the model. U
 * is sparse and scaled to its spectral radius; `src/cell/reservoir.ts` draws it. What reads the states learns: the
 * layers above, by gradient descent (Jaeger's own read-out is a linear regression). Departures: what lies below, such
 * as the embeddings, learns too, by the gradient that passes through the reservoir; the output is not fed back other
 * than by the decoder's next input.
 */
export class EchoStateCell extends CellBase {
  static readonly options = z.strictObject({
    kind: z
      .literal('echo-state')
      .describe('Fixed random reservoir; only what reads it learns (Jaeger 2001).'),
    spectralRadius: z
      .number()
      .positive()
      .default(0.9)
      .describe('Largest modulus of an eigenvalue of the reservoir; below 1 the past fades.'),
    leak: z
      .number()
      .positive()
      .max(1)
      .default(1)
      .describe('Share of a unit that is new at each step; 1 is no leak (Jaeger et al. 2007).'),
    sparsity: z
      .number()
      .min(0)
      .lt(1)
      .default(0.9)
      .describe('Share of absent connections; every unit keeps at least one.'),
    inputScaling: z.number().positive().default(1).describe('Input weights are uniform between ± this.'),
    biasScaling: z.number().min(0).default(0).describe('Biases are uniform between ± this; 0 is none.'),
  });
  readonly kind = 'echo-state';
  readonly #leak: number;

  constructor(inputSize: number, hiddenSize: number, options: z.output<typeof EchoStateCell.options>) {
    const { spectralRadius, leak, sparsity, inputScaling, biasScaling } = options;
    super(inputSize, hiddenSize, { h: hiddenSize }, [
      {
        name: 'kernel',
        shape: [inputSize, hiddenSize],
        initializer: { kind: 'drawn', draw: drawUniform(inputScaling) },
        trainable: false,
      },
      {
        name: 'recurrent',
        shape: [hiddenSize, hiddenSize],
        initializer: { kind: 'drawn', draw: drawReservoir(spectralRadius, sparsity) },
        trainable: false,
      },
      {
        name: 'bias',
        shape: [hiddenSize],
        initializer: { kind: 'drawn', draw: drawUniform(biasScaling) },
        trainable: false,
      },
    ]);
    this.#leak = leak;
  }

  readonly step: Step = (w, xt, state) => {
    const h = state.h!;
    const fresh = tanh(add(xt, matMul(h, weight(w, 'recurrent')))) as Tensor2D;
    if (this.#leak === 1) return { state: { h: fresh } };
    return { state: { h: add(mul(h, 1 - this.#leak), mul(fresh, this.#leak)) }, trace: [fresh] };
  };

  readonly backwardStep: BackwardStep = (_w, transposed, { after, trace }, by, _weights) => {
    const dh = by.h!;
    if (this.#leak === 1) {
      const dz = throughTanh(dh, after.h!);
      return { xt: dz, state: { h: matMul(dz, weight(transposed, 'recurrent')) } };
    }
    const dz = throughTanh(mul(dh, this.#leak), trace[0]!);
    const through = matMul(dz, weight(transposed, 'recurrent'));
    return { xt: dz, state: { h: add(mul(dh, 1 - this.#leak), through) } };
  };
}
