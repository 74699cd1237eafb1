import { add, matMul, reshape, type Tensor1D, type Tensor2D, type Tensor3D } from '@tensorflow/tfjs-core';
import { type Weights, weight } from './cell.js';

/**
 * `x W + b` for all steps as one product; without a weight named `bias`, `x W`.
 * @param x `[time, batch, inputSize]`
 * @returns `[time, batch, width]`
 */
export function projectInputs(w: Weights, x: Tensor3D): Tensor3D {
  const kernel = weight(w, 'kernel');
  const [time, batch, size] = x.shape;
  const flat = matMul(reshape(x, [time * batch, size]), kernel) as Tensor2D; // [time * batch, width]
  const biased = w.bias === undefined ? flat : add(flat, w.bias as Tensor1D);
  return reshape(biased, [time, batch, kernel.shape[1]]) as Tensor3D;
}
