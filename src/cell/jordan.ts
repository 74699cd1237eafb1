import { add, matMul, mul, type Tensor, type Tensor1D, type Tensor2D, tanh } from '@tensorflow/tfjs-core';
import { CellBase, gateParameters, parameter } from './base.js';
import {
  type State,
  type StepGradients,
  type StepResult,
  type StepTaken,
  type WeightGradients,
  type Weights,
  weight,
} from './cell.js';
import { throughTanh } from './derivative.js';
import type { OptionsOf } from './options.js';

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
  readonly kind = 'jordan';
  readonly #decay: number;

  constructor(
    inputSize: number,
    outputSize: number,
    { hiddenUnits = outputSize, decay }: OptionsOf<'jordan'>,
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

  step(w: Weights, xt: Tensor2D, { y, s }: State): StepResult {
    const context = (s === undefined ? y! : add(mul(s, this.#decay), y!)) as Tensor2D;
    const h = tanh(add(xt, matMul(context, weight(w, 'recurrent')))) as Tensor2D;
    const product = matMul(h, weight(w, 'output.kernel'));
    const next = tanh(add(product, weight<Tensor1D>(w, 'output.bias'))) as Tensor2D;
    return { state: s === undefined ? { y: next } : { y: next, s: context }, trace: [h, context] };
  }

  override read<T extends Tensor>(state: Readonly<Record<string, T>>): T {
    return state.y!;
  }

  backwardStep(
    _w: Weights,
    transposed: Weights,
    { after, trace }: StepTaken,
    by: State,
    weights: WeightGradients,
  ): StepGradients {
    const [h, context] = trace as [Tensor2D, Tensor2D];
    const dOut = throughTanh(by.y!, after.y!);
    weights.product('output.kernel', h, dOut);
    weights.vector('output.bias', dOut);
    const dz = throughTanh(matMul(dOut, weight(transposed, 'output.kernel')) as Tensor2D, h);
    weights.product('recurrent', context, dz);
    const dContext = matMul(dz, weight(transposed, 'recurrent')) as Tensor2D;
    if (by.s === undefined) return { xt: dz, state: { y: dContext } };
    const dBoth = add(dContext, by.s) as Tensor2D;
    return { xt: dz, state: { y: dBoth, s: mul(dBoth, this.#decay) } };
  }
}
