import { getBackend, matMul, type Tensor, transpose } from '@tensorflow/tfjs-core';

/**
 * The product of a and b, either transposed in its last two axes. The wasm engine multiplies a transposed factor several
 * times more slowly than a plain one, so there it is transposed beforehand.
 */
export function multiply(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor {
  if (getBackend() !== 'wasm') return matMul(a, b, transposeA, transposeB);
  return matMul(transposeA ? swapped(a) : a, transposeB ? swapped(b) : b);
}

function swapped(x: Tensor): Tensor {
  const axes = x.shape.map((_, axis) => axis);
  return transpose(x, [...axes.slice(0, -2), axes.at(-1)!, axes.at(-2)!]);
}
