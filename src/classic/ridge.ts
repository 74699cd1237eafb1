import { cholesky, solveCholesky } from './cholesky.js';

/** Rows of features with what should be read from them. */
export interface RegressionRows {
  readonly rows: number;
  /** `[rows, width]` */
  readonly features: Float64Array;
  readonly width: number;
  /** `[rows, outputs]` */
  readonly targets: Float64Array;
  readonly outputs: number;
}

/**
 * Ridge regression in closed form (Hoerl & Kennard 1970): the W that minimises |X W - Y|² + r |W|²,
 *
 *     (Xᵀ X + r I) W = Xᵀ Y
 *
 * @param regularization r
 * @returns W `[width, outputs]`
 * @throws DragomanError `input` where the features are dependent and r too small to make up for it
 */
export function ridge(
  { rows, features, width, targets, outputs }: RegressionRows,
  regularization: number,
): Float64Array {
  const gram = new Float64Array(width * width); // lower triangle
  const right = new Float64Array(width * outputs);
  for (let row = 0; row < rows; row++) {
    const x = features.subarray(row * width, (row + 1) * width);
    const y = targets.subarray(row * outputs, (row + 1) * outputs);
    for (let i = 0; i < width; i++) {
      const xi = x[i]!;
      const own = gram.subarray(i * width, i * width + i + 1);
      for (let j = 0; j <= i; j++) own[j] = own[j]! + xi * x[j]!;
      for (let c = 0; c < outputs; c++) right[i * outputs + c] = right[i * outputs + c]! + xi * y[c]!;
    }
  }
  for (let i = 0; i < width; i++) gram[i * width + i] = gram[i * width + i]! + regularization;
  return solveCholesky(cholesky(gram, width), width, right, outputs);
}
