import { mul, square, sub, type Tensor2D } from '@tensorflow/tfjs-core';

// Written without constants: a number that meets a tensor becomes one too, which costs as much as a small operation.

/** The gradient of z, y = tanh(z), from that of y: dy (1 - y²). */
export function throughTanh(dy: Tensor2D, y: Tensor2D): Tensor2D {
  return sub(dy, mul(dy, square(y)));
}

/** The gradient of z, y = sigmoid(z), from that of y: dy y (1 - y). */
export function throughSigmoid(dy: Tensor2D, y: Tensor2D): Tensor2D {
  return mul(dy, sub(y, square(y)));
}
