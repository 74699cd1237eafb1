import { add, matMul, mul, type Tensor, type Tensor1D, type Tensor2D, tanh } from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { CellBase, gateParameters, parameter } from './base.js';
import { type BackwardStep, type State, type Step, weight } from './cell.js';
import { throughTanh } from './derivative.js';

/**
 * Jordan's sequential network (Jordan 1986, "Serial order: a parallel distributed processing approach"): the context is
 * the previous output, not the hidden layer.
 *
 *     s_t = decay s_{t-1} + y_{t-1}
 *     h_t = tanh(x_t W + s_t U + b)
 *     y_t = tanh(h_t V + c)
 *
 * Jordan's plan units are our input, which may change at every step; his state units are s, and `decay` the weight of
 * their own feedback. With a decay of 0 (the default) s is the previous output alone and no state of its own. His
 * units are logistic; tanh keeps the context centred on zero. What is read out is y.
 */
export class JordanCell extends CellBase {
  static readonly options = z.strictObject({
    kind: z.literal('jordan').describe('The context is the previous output (Jordan 1986).'),
    hiddenUnits: z
      .int()
      .positive()
      .optional()
      .describe('Units between context and output; as many as the output has if absent.'),
    decay: z
      .number()
      .min(0)
      .lt(1)
      .default(0)
      .describe('Share of the old context that stays beside the previous output; 0: the output alone.'),
  });
  readonly kind = 'jordan';
  readonly #decay: number;

  constructor(
    inputSize: number,
    outputSize: number,
    { hiddenUnits = outputSize, decay }: z.output<typeof JordanCell.options>,
  ) {
    const uniform = { kind: 'uniform', limit: 1 / Math.sqrt(hiddenUnits) } as const;
    const [kernel, , bias] = gateParameters(inputSize, hiddenUnits, hiddenUnits);
    super(inputSize, outputSize, decay === 0 ? { y: outputSize } : { y: outputSize, s: outputSize }, [
      kernel!,
      parameter('recurrent', [outputSize, hiddenUnits], uniform),
      bias!,
      parameter('output.kernel', [hiddenUnits, outputSize], uniform),
      parameter('output.bias', [outputSize], { kind: 'zeros' }),
    ]);
    this.#decay = decay;
  }

  readonly step: Step = (w, xt, { y, s }) => {
    const context = (s === undefined ? y! : add(mul(s, this.#decay), y!)) as Tensor2D;
    const h = tanh(add(xt, matMul(context, weight(w, 'recurrent')))) as Tensor2D;
    const product = matMul(h, weight(w, 'output.kernel'));
    const next = tanh(add(product, weight<Tensor1D>(w, 'output.bias'))) as Tensor2D;
    const after: State = s === undefined ? { y: next } : { y: next, s: context };
    return { state: after, trace: [h, context] };
  };

  override read<T extends Tensor>(state: Readonly<Record<string, T>>): T {
    return state.y!;
  }

  readonly backwardStep: BackwardStep = (_w, transposed, { after, trace }, by, weights) => {
    const [h, context] = trace as [Tensor2D, Tensor2D];
    const dOut = throughTanh(by.y!, after.y!);
    weights.product('output.kernel', h, dOut);
    weights.vector('output.bias', dOut);
    const dz = throughTanh(matMul(dOut, weight(transposed, 'output.kernel')) as Tensor2D, h);
    weights.product('recurrent', context, dz);
    const dContext = matMul(dz, weight(transposed, 'recurrent')) as Tensor2D;
    const dBoth = (by.s === undefined ? dContext : add(dContext, by.s)) as Tensor2D;
    const before: State = by.s === undefined ? { y: dBoth } : { y: dBoth, s: mul(dBoth, this.#decay) };
    return { xt: dz, state: before };
  };
}
