import { div, matMul, norm, type Tensor2D, tensor2d, tidy } from '@tensorflow/tfjs-core';
import type { Random } from '../random.js';

type Draw = (shape: readonly number[], random: Random) => Float32Array;

/** Uniform in ±scale. */
export function drawUniform(scale: number): Draw {
  return (shape, random) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return Float32Array.from({ length: size }, () => (2 * random.next() - 1) * scale);
  };
}

/**
 * A square reservoir matrix: each unit is fed by its share `1 - sparsity` of the others, by at least one, with uniform
 * weights, and the whole is scaled to the spectral radius.
 */
export function drawReservoir(radius: number, sparsity: number): Draw {
  return ([size = 0], random) => {
    const fans = Math.max(1, Math.round((1 - sparsity) * size));
    const matrix = new Float32Array(size * size);
    const sources = Int32Array.from({ length: size }, (_, k) => k);
    for (let unit = 0; unit < size; unit++) {
      random.shuffle(sources);
      for (const source of sources.subarray(0, fans)) matrix[source * size + unit] = 2 * random.next() - 1;
    }
    // Not zero: where every unit is fed by one there is a cycle.
    const factor = radius / spectralRadius(matrix, size);
    return matrix.map((value) => value * factor);
  };
}

/** Squarings: an exponent of 2^20, whose root of any sensible factor is 1 to 4 digits behind the point. */
const SQUARINGS = 20;

/**
 * The largest modulus of an eigenvalue, by Gelfand's formula: the limit of |A^k|^(1/k), here for k = 2^20. Power
 * iteration would need a single largest eigenvalue, and those of a random matrix are complex and lie close together.
 *
 * @param matrix `[size, size]`, row by row
 */
export function spectralRadius(matrix: Float32Array, size: number): number {
  return tidy(() => {
    let power: Tensor2D = tensor2d(matrix, [size, size]);
    let logarithm = 0; // of the factor taken out of the power so far
    let exponent = 1;
    for (let n = 0; ; n++) {
      const length = norm(power).dataSync()[0]!;
      if (length === 0) return 0; // nilpotent
      logarithm += Math.log(length);
      if (n === SQUARINGS) return Math.exp(logarithm / exponent);
      const unit = div(power, length) as Tensor2D;
      power.dispose();
      power = matMul(unit, unit);
      unit.dispose();
      logarithm *= 2;
      exponent *= 2;
    }
  });
}
