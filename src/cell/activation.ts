import { sigmoid, type Tensor2D, tanh } from '@tensorflow/tfjs-core';
import { z } from 'zod';
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

/** Which of them a cell's units have. */
export const activationOption = z
  .enum(['tanh', 'sigmoid'])
  .default('tanh')
  .describe("The units' function; sigmoid is the paper's, tanh has the steeper slope.");
