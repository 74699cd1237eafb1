import { mul, square, sub, type Tensor2D } from '@tensorflow/tfjs-core';

/** The gradient of z, y = tanh(z), from that of y. */
export function throughTanh(dy: Tensor2D, y: Tensor2D): Tensor2D {
  return mul(dy, sub(1, square(y)));
}

/** The gradient of z, y = sigmoid(z), from that of y. */
export function throughSigmoid(dy: Tensor2D, y: Tensor2D): Tensor2D {
  return mul(dy, mul(y, sub(1, y)));
}
