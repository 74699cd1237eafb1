import { sigmoid, type Tensor2D, tanh } from '@tensorflow/tfjs-core';
import { throughSigmoid, throughTanh } from './derivative.js';

/** What a unit does with its net input. */
export interface Activation {
  of(z: Tensor2D): Tensor2D;
  /** The gradient of z, y = of(z), from that of y. */
  through(dy: Tensor2D, y: Tensor2D): Tensor2D;
}

/** The activations that papers of the classic cells use. */
export const ACTIVATIONS: Readonly<Record<'tanh' | 'sigmoid', Activation>> = {
  tanh: { of: (z) => tanh(z), through: throughTanh },
  sigmoid: { of: (z) => sigmoid(z), through: throughSigmoid },
};
