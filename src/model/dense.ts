import { add, matMul, reshape, type Tensor, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import { type ParameterSpec, type Weights, weight } from '../cell/cell.js';

/** Uniform in ±sqrt(6 / (in + out)) (Glorot & Bengio 2010, equation 16): keeps the variance through tanh layers. */
export function denseParameters(input: number, output: number, options: { bias: boolean }): ParameterSpec[] {
  const kernel: ParameterSpec = {
    name: 'kernel',
    shape: [input, output],
    initializer: { kind: 'uniform', limit: Math.sqrt(6 / (input + output)) },
    trainable: true,
  };
  const bias: ParameterSpec = {
    name: 'bias',
    shape: [output],
    initializer: { kind: 'zeros' },
    trainable: true,
  };
  return options.bias ? [kernel, bias] : [kernel];
}

/**
 * `x W` or `x W + b` over the last axis.
 * @param w `kernel [input, output]` and, if there is one, `bias [output]`
 * @param x `[…, input]`
 * @returns `[…, output]`
 */
export function dense<T extends Tensor>(w: Weights, x: T): T {
  const kernel = weight<Tensor2D>(w, 'kernel');
  const [input, output] = kernel.shape;
  const product = matMul(reshape(x, [-1, input]) as Tensor2D, kernel);
  const result = w.bias === undefined ? product : add(product, w.bias as Tensor1D);
  return reshape(result, [...x.shape.slice(0, -1), output]) as T;
}
