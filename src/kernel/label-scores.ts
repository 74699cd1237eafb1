import { getBackend, slice, type Tensor1D, type Tensor2D, tensor1d, tidy } from '@tensorflow/tfjs-core';
import { hasCompiledKernels } from '../engine/compiled-kernels.js';
import type { Handle } from '../engine/native.js';
import { product } from '../engine/products.js';
import { composedCrossEntropy } from './cross-entropy.js';
import { operations } from './operations.js';

/** Logits held at once, 8 MiB: what is written of them is read again before it has left the processor's cache. */
const LOGITS_AT_ONCE = 2_097_152;

/**
 * ln P(label) of each row under the output layer softmax(o V + b), read back. For scoring, where nothing is
 * differentiated: the logits exist only for some rows at a time.
 *
 * @param o `[rows, size]`
 * @param matrix V, `[size, vocabulary]`
 * @param bias b, `[vocabulary]`
 * @param labels int32 `[rows]`
 */
export function labelScores(o: Tensor2D, matrix: Tensor2D, bias: Tensor1D, labels: Int32Array): Float32Array {
  const [rows, size] = o.shape;
  const step = Math.max(1, Math.floor(LOGITS_AT_ONCE / matrix.shape[1]));
  const fast = getBackend() !== 'tensorflow' ? null : hasCompiledKernels() ? compiledScores : nativeScores;
  const scores = new Float32Array(rows);
  for (let from = 0; from < rows; from += step) {
    const count = Math.min(step, rows - from);
    const part = tidy(() => {
      const chosen = count === rows ? o : slice(o, [from, 0], [count, size]);
      const wanted = labels.subarray(from, from + count);
      return fast?.(chosen, matrix, bias, wanted) ?? composedScores(chosen, matrix, bias, wanted);
    });
    scores.set(part, from);
  }
  return scores;
}

/** The same from single operations, for all rows at once: the reference, and what runs where there is no faster way. */
export function composedScores(
  o: Tensor2D,
  matrix: Tensor2D,
  bias: Tensor1D,
  labels: Int32Array,
): Float32Array {
  return tidy(() => {
    const prediction = {
      o,
      matrix,
      bias,
      labels: tensor1d(labels, 'int32'),
      smoothing: 0,
      transposed: false,
    };
    const { negativeLogLikelihood } = composedCrossEntropy(prediction);
    return negativeLogLikelihood.dataSync<'float32'>().map((value) => -value);
  });
}

/** By our own operation (src/kernel/compiled/loss.h), which reads the logits once. */
function compiledScores(o: Tensor2D, matrix: Tensor2D, bias: Tensor1D, labels: Int32Array): Float32Array {
  const { native } = operations();
  let result: Float32Array | undefined;
  native.scope((): Handle[] => {
    const wanted = native.constant([labels.length], 'int32', labels);
    const products = product(native.from(o), native.from(matrix));
    const scores = native.one('DragomanLabelScores', [], [products, native.from(bias), wanted]);
    result = native.read(scores) as Float32Array;
    return [];
  });
  return result!;
}

/** Between these a sum of exponentials has lost nothing that 32 bits could hold. */
const SMALLEST = 1e-30;
const LARGEST = 1e30;

/**
 * With z = o V, ln P(y) = z_y + b_y - ln sum_v exp(z_v) exp(b_v): the bias enters as a factor of the sum, which is then one
 * product, and the logits are passed over twice, not six times. Null where a sum leaves the range in which this is exact.
 */
function nativeScores(
  o: Tensor2D,
  matrix: Tensor2D,
  bias: Tensor1D,
  labels: Int32Array,
): Float32Array | null {
  const { native, float, reshape, scalar } = operations();
  const vocabulary = matrix.shape[1];
  const rows = labels.length;
  let result: Float32Array | null = null;
  native.scope((): Handle[] => {
    const gather = native.attributes({
      Tparams: { type: 'float32' },
      Tindices: { type: 'int32' },
      Taxis: { type: 'int32' },
      batch_dims: { int: 0 },
    });
    const pick = (from: Handle, places: Int32Array) =>
      native.read(
        native.one('GatherV2', gather, [from, native.constant([rows], 'int32', places), scalar(0)]),
      );
    const offset = native.from(bias);
    const z = product(native.from(o), native.from(matrix));
    const factors = reshape(native.one('Exp', float, [offset]), [vocabulary, 1]);
    const sums = native.read(product(native.one('Exp', float, [z]), factors));
    const chosen = pick(
      reshape(z, [rows * vocabulary]),
      labels.map((label, row) => row * vocabulary + label),
    );
    const biases = pick(offset, labels);
    const scores = new Float32Array(rows);
    for (let row = 0; row < rows; row++) {
      const sum = sums[row]!;
      if (!(sum > SMALLEST && sum < LARGEST)) return [];
      scores[row] = chosen[row]! + biases[row]! - Math.log(sum);
    }
    result = scores;
    return [];
  });
  return result;
}
