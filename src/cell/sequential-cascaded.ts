import { add, concat, matMul, mul, pad, type Tensor2D } from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { ACTIVATIONS, type Activation, activationOption } from './activation.js';
import { CellBase, columns, parameter } from './base.js';
import { applyRows, applyRowsGradient, DEFAULT_RANK } from './bilinear.js';
import { type BackwardStep, type ParameterSpec, type Step, weight } from './cell.js';

/**
 * Sequential cascaded network (Pollack 1987, "Cascaded back-propagation on dynamic connectionist networks"; 1991, "The
 * induction of dynamical recognizers"). A context network turns the state into the weights with which
 * a function network reads the next input:
 *
 *     w_ij = sum_k W_ijk s_k + W_ij0             j runs over the inputs and a constant 1, k over the state
 *     h_i <- g(sum_j w_ij x_j)                   s is the first `stateWidth` columns of h; h is read out
 *
 * Summed over j first, which needs no state and is done for all steps at once, this is h <- g(s V + a) with V and a
 * linear in x: `kernel` is `[input, (stateWidth + 1) * hidden]`, V by rows k and then a, and `bias` the part of the
 * constant. That is `rank: 0`. Else the generated weights are of limited rank, which is what word embeddings can afford:
 *
 *     [a q] = x_t W + b,   h <- g(a + ((s C) ∘ q) R)     `recurrent` C, `mixing` R
 *
 * Pollack's g is logistic (`activation: sigmoid`); tanh passes gradients better and is the default. He trains on the
 * last step only, by one step of back-propagation; here the gradient goes through all steps. His state starts at a
 * chosen point, here at zeros, where W_ij0 alone makes the first weights.
 */
export class SequentialCascadedCell extends CellBase {
  static readonly options = z.strictObject({
    kind: z
      .literal('sequential-cascaded')
      .describe('The state generates the weights of the next step (Pollack 1987, 1991).'),
    stateWidth: z
      .int()
      .positive()
      .optional()
      .describe('Units, of those that are read out, that generate the weights; all if absent.'),
    rank: z
      .int()
      .min(0)
      .default(DEFAULT_RANK)
      .describe('Rank of the generated weights; 0 is the full tensor, for small networks.'),
    activation: activationOption,
  });

  static sizeProblem(
    { stateWidth = 1 }: z.output<typeof SequentialCascadedCell.options>,
    hidden: number,
  ): string | null {
    if (stateWidth <= hidden) return null;
    return `expected a stateWidth of at most ${hidden} units, got ${stateWidth}`;
  }

  readonly kind = 'sequential-cascaded';
  readonly #rank: number;
  readonly #width: number;
  readonly #activation: Activation;

  constructor(
    inputSize: number,
    hiddenSize: number,
    options: z.output<typeof SequentialCascadedCell.options>,
  ) {
    const { rank, stateWidth = hiddenSize, activation } = options;
    const wide = rank === 0 ? (stateWidth + 1) * hiddenSize : hiddenSize + rank;
    const uniform = (fan: number) => ({ kind: 'uniform', limit: Math.sqrt(3 / fan) }) as const;
    const generated: ParameterSpec[] = [
      parameter('recurrent', [stateWidth, rank], uniform(stateWidth)),
      parameter('mixing', [rank, hiddenSize], uniform(rank)),
    ];
    super(inputSize, hiddenSize, { h: hiddenSize }, [
      parameter('kernel', [inputSize, wide], uniform(rank === 0 ? stateWidth + 1 : 3)),
      parameter('bias', [wide], { kind: 'zeros' }),
      ...(rank === 0 ? [] : generated),
    ]);
    this.#rank = rank;
    this.#width = stateWidth;
    this.#activation = ACTIVATIONS[activation];
  }

  readonly step: Step = (w, xt, state) => {
    const size = this.outputSize;
    const s = this.#state(state.h!);
    if (this.#rank === 0) {
      const v = columns(xt, 0, this.#width * size);
      const z = add(applyRows(s, v), columns(xt, this.#width * size, size)) as Tensor2D;
      return { state: { h: this.#activation.of(z) }, trace: [s, v] };
    }
    const q = columns(xt, size, this.#rank);
    const c = matMul(s, weight(w, 'recurrent')) as Tensor2D; // [batch, rank]
    const both = mul(c, q) as Tensor2D;
    const z = add(columns(xt, 0, size), matMul(both, weight(w, 'mixing'))) as Tensor2D;
    return { state: { h: this.#activation.of(z) }, trace: [s, q, c, both] };
  };

  readonly backwardStep: BackwardStep = (_w, transposed, { after, trace }, by, weights) => {
    const dz = this.#activation.through(by.h!, after.h!);
    if (this.#rank === 0) {
      const [s, v] = trace as [Tensor2D, Tensor2D];
      const { dh, dv } = applyRowsGradient(dz, s, v);
      return { xt: concat([dv, dz], 1), state: { h: this.#whole(dh) } };
    }
    const [s, q, c, both] = trace as [Tensor2D, Tensor2D, Tensor2D, Tensor2D];
    weights.product('mixing', both, dz);
    const dBoth = matMul(dz, weight(transposed, 'mixing'));
    const dc = mul(dBoth, q) as Tensor2D;
    weights.product('recurrent', s, dc);
    const ds = matMul(dc, weight(transposed, 'recurrent')) as Tensor2D;
    return { xt: concat([dz, mul(dBoth, c) as Tensor2D], 1), state: { h: this.#whole(ds) } };
  };

  /** The columns of h that generate weights. */
  #state(h: Tensor2D): Tensor2D {
    return this.#width === this.outputSize ? h : columns(h, 0, this.#width);
  }

  /** The gradient of h from that of its first columns. */
  #whole(ds: Tensor2D): Tensor2D {
    const rest = this.outputSize - this.#width;
    return rest === 0
      ? ds
      : pad(ds, [
          [0, 0],
          [0, rest],
        ]);
  }
}
