import {
  add,
  matMul,
  mul,
  reshape,
  slice,
  softmax,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tensor,
} from '@tensorflow/tfjs-core';
import { liveValues } from '../engine/live-values.js';
import { multiply } from '../engine/multiply.js';
import type { CrossEntropy } from './cross-entropy.js';
import { customOperation } from './custom-operation.js';

/**
 * Output layer and loss where there is no fused operation: the products are the engine's, and everything between them
 * is one loop over the logits, which turns them into their own gradient.
 *
 * @param o `[rows, size]`
 * @param matrix V, `[size, vocabulary]`
 * @param bias b, `[vocabulary]`
 * @param labels int32 `[rows]`
 * @param smoothing s in [0, 1)
 * @param transposed whether `matrix` is V', `[vocabulary, size]`
 */
export function plainCrossEntropy(
  o: Tensor2D,
  matrix: Tensor2D,
  bias: Tensor1D,
  labels: Tensor1D,
  smoothing: number,
  transposed: boolean,
): CrossEntropy {
  const [rows] = o.shape;
  // A custom gradient has one output: loss and -ln P are two rows of it.
  const both = customOperation<Tensor2D>(
    [o, matrix, bias],
    (inputs) => {
      const [given, factor, offset] = inputs as [Tensor2D, Tensor2D, Tensor1D];
      const logits = add(multiply(given, factor, false, transposed), offset) as Tensor2D;
      const gradient = softmax(logits); // in a moment
      const [z, p, y] = [valuesOf(logits), valuesOf(gradient), labels.dataSync<'int32'>()];
      const values = lossesOf(z, p, y, smoothing);
      return { value: tensor(values, [2, rows]), kept: [gradient] };
    },
    (by, inputs, kept) => {
      const [given, factor] = inputs as [Tensor2D, Tensor2D, Tensor1D];
      const [gradient] = kept as [Tensor2D];
      const scale = slice(by, [0, 0], [1, rows]);
      const column = reshape(scale, [rows, 1]);
      // Scaling the rows of the two narrow factors saves a pass over [rows, vocabulary].
      const scaled = mul(given, column);
      return [
        mul(multiply(gradient, factor, false, !transposed), column),
        transposed ? multiply(gradient, scaled, true, false) : multiply(scaled, gradient, true, false),
        reshape(matMul(scale, gradient), [-1]),
      ];
    },
  );
  const row = (k: number) => reshape(slice(both, [k, 0], [1, rows]), [rows]) as Tensor1D;
  return { loss: row(0), negativeLogLikelihood: row(1) };
}

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
