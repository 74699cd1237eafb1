import {
  add,
  matMul,
  mul,
  reshape,
  softmax,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tensor,
} from '@tensorflow/tfjs-core';
import { liveValues } from '../engine/live-values.js';
import { multiply } from '../engine/multiply.js';
import type { CrossEntropyKernel } from './cross-entropy-kernel.js';

/**
 * Where there is no fused operation: the products are the engine's, and everything between them is one loop over the
 * logits, which turns them into their own gradient.
 */
export const plainCrossEntropy: CrossEntropyKernel = {
  forward({ o, matrix, bias, labels, smoothing, transposed }) {
    const logits = add(multiply(o, matrix, false, transposed), bias) as Tensor2D;
    const gradient = softmax(logits); // in a moment
    const [z, p, y] = [valuesOf(logits), valuesOf(gradient), labels.dataSync<'int32'>()];
    return { values: tensor(lossesOf(z, p, y, smoothing), [2, y.length]), gradient };
  },

  backward({ o, matrix, transposed }, gradient, scale) {
    const column = reshape(scale, [-1, 1]);
    const scaled = mul(o, column);
    const dMatrix = transposed
      ? multiply(gradient, scaled, true, false)
      : multiply(scaled, gradient, true, false);
    return [
      mul(multiply(gradient, matrix, false, !transposed), column) as Tensor2D,
      dMatrix as Tensor2D,
      reshape(matMul(reshape(scale, [1, -1]), gradient), [-1]) as Tensor1D,
    ];
  },
};

/** The tensor's own numbers: of the cpu engine, what dataSync gives. */
function valuesOf(t: Tensor): Float32Array {
  return liveValues(t) ?? t.dataSync<'float32'>();
}

/**
 * loss = lse - (1 - s) z_y - s mean(z) and -ln P(y) = lse - z_y, with lse the logarithm of the sum of the exponentials,
 * which is z - ln P wherever P is not too small: at the largest.
 *
 * @param z logits `[rows, vocabulary]`
 * @param p their softmax; becomes the gradient of the loss by z
 * @returns loss of each row, then -ln P(y) of each row
 */
function lossesOf(z: Float32Array, p: Float32Array, labels: Int32Array, smoothing: number): Float32Array {
  const rows = labels.length;
  const size = z.length / rows;
  const values = new Float32Array(2 * rows);
  const off = smoothing / size;
  for (let row = 0, start = 0; row < rows; row++, start += size) {
    let largest = start;
    let most = Number.NEGATIVE_INFINITY;
    let sum = 0;
    for (let k = start; k < start + size; k++) {
      const value = z[k]!;
      if (value > most) {
        most = value;
        largest = k;
      }
      sum += value;
    }
    const label = start + labels[row]!;
    const logarithm = z[largest]! - Math.log(p[largest]!);
    values[row] = logarithm - (1 - smoothing) * z[label]! - off * sum;
    values[rows + row] = logarithm - z[label]!;
    if (off !== 0) for (let k = start; k < start + size; k++) p[k]! -= off;
    p[label]! -= 1 - smoothing;
  }
  return values;
}
