import { tensor2d, tidy } from '@tensorflow/tfjs-core';
import { PackedLinear } from '../../src/kernel/packed-matrix.js';

export type ProductShape = readonly [rows: number, depth: number, columns: number];

/** x W by the compiled kernels of decoding. */
export function linear(x: Float32Array, w: Float32Array, [, depth, columns]: ProductShape): Float32Array {
  return tidy(() => PackedLinear.of(tensor2d(w, [depth, columns]), null).run(x, 'nothing'));
}

/** The same sum by sum, in 64 bits. */
export function exactProduct(
  x: Float32Array,
  w: Float32Array,
  [rows, depth, columns]: ProductShape,
): Float32Array {
  return Float32Array.from({ length: rows * columns }, (_, place) => {
    const [r, c] = [Math.floor(place / columns), place % columns];
    let sum = 0;
    for (let k = 0; k < depth; k++) sum += x[r * depth + k]! * w[k * columns + c]!;
    return sum;
  });
}
