import {
  add,
  matMul,
  mul,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  tensor2d,
} from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { ACTIVATIONS, type Activation, activationOption } from './activation.js';
import { CellBase, parameter } from './base.js';
import { applyRows, applyRowsGradient, DEFAULT_RANK } from './bilinear.js';
import {
  type BackwardStep,
  type ParameterSpec,
  type State,
  type Step,
  type Weights,
  weight,
} from './cell.js';
import { projectInputs } from './project.js';

/** Keeps the variance of what a sum over `fan` inputs of unit variance gives. */
const spread = (fan: number) => ({ kind: 'uniform', limit: Math.sqrt(3 / fan) }) as const;

/**
 * Second-order network (Giles et al. 1992, "Learning and extracting finite state automata with second-order recurrent
 * neural networks", equation 1):
 *
 *     h_i <- g(sum_jk W_ijk h_j x_k + b_i)
 *
 * Each input symbol chooses a transition matrix of its own. The state starts at (1, 0, …, 0), as in the paper; from
 * zeros nothing could ever move it. With `rank: 0` the tensor is full: `kernel` is `[input, hidden * hidden]`, the
 * matrix that x chooses, by rows j. Else it is a sum of `rank` products (the factorisation of Sutskever et al. 2011),
 * W_ijk = sum_r R_ri P_jr Q_kr, which is what word embeddings can afford:
 *
 *     h <- g(((h P) ∘ (x Q)) R + b)              `recurrent` P, `kernel` Q, `mixing` R
 *
 * g is the logistic function in the paper (`activation: sigmoid`); tanh passes gradients better and is the default. The
 * bias is not in equation 1, where a constant input symbol can play its part.
 */
export class SecondOrderCell extends CellBase {
  static readonly options = z.strictObject({
    kind: z.literal('second-order').describe('Products of state and input (Giles et al. 1992).'),
    rank: z
      .int()
      .min(0)
      .default(DEFAULT_RANK)
      .describe('Rank of the weight tensor; 0 is the full one, hidden² × input numbers, for small networks.'),
    activation: activationOption,
  });
  readonly kind = 'second-order';
  readonly #full: boolean;
  readonly #activation: Activation;

  constructor(
    inputSize: number,
    hiddenSize: number,
    { rank, activation }: z.output<typeof SecondOrderCell.options>,
  ) {
    const bias = parameter('bias', [hiddenSize], { kind: 'zeros' });
    const full: ParameterSpec[] = [
      parameter('kernel', [inputSize, hiddenSize * hiddenSize], spread(hiddenSize)),
      bias,
    ];
    const factorised: ParameterSpec[] = [
      parameter('kernel', [inputSize, rank], spread(1)), // inputs are taken to be of length 1, like one-hot vectors
      parameter('recurrent', [hiddenSize, rank], spread(hiddenSize)),
      parameter('mixing', [rank, hiddenSize], spread(rank)),
      bias,
    ];
    super(inputSize, hiddenSize, { h: hiddenSize }, rank === 0 ? full : factorised);
    this.#full = rank === 0;
    this.#activation = ACTIVATIONS[activation];
  }

  override initial(batch: number): State {
    const size = this.outputSize;
    const values = Float32Array.from({ length: batch * size }, (_, k) => (k % size === 0 ? 1 : 0));
    return { h: tensor2d(values, [batch, size]) };
  }

  override project(w: Weights, x: Tensor3D): Tensor3D {
    return projectInputs({ kernel: weight(w, 'kernel') }, x); // the bias is not of this width
  }

  readonly step: Step = (w, xt, state) => {
    const h = state.h!;
    const bias = weight<Tensor1D>(w, 'bias');
    if (this.#full) return { state: { h: this.#activation.of(add(applyRows(h, xt), bias)) }, trace: [xt] };
    const a = matMul(h, weight(w, 'recurrent')) as Tensor2D; // [batch, rank]
    const both = mul(a, xt) as Tensor2D;
    const next = this.#activation.of(add(matMul(both, weight(w, 'mixing')), bias));
    return { state: { h: next }, trace: [xt, a, both] };
  };

  readonly backwardStep: BackwardStep = (_w, transposed, { before, after, trace }, by, weights) => {
    const [xt, a, both] = trace;
    const dz = this.#activation.through(by.h!, after.h!);
    weights.vector('bias', dz);
    if (this.#full) {
      const { dh, dv } = applyRowsGradient(dz, before.h!, xt!);
      return { xt: dv, state: { h: dh } };
    }
    weights.product('mixing', both!, dz);
    const dBoth = matMul(dz, weight(transposed, 'mixing'));
    const da = mul(dBoth, xt!) as Tensor2D;
    weights.product('recurrent', before.h!, da);
    return { xt: mul(dBoth, a!), state: { h: matMul(da, weight(transposed, 'recurrent')) } };
  };
}
