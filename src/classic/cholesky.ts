import { DragomanError } from '../errors.js';

/**
 * The lower triangle L with L Lᵀ = A, in double precision, row by row so that every inner product runs over
 * neighbours in memory (Golub & Van Loan, "Matrix computations", section 4.2).
 *
 * @param a symmetric positive definite `[n, n]`; only its lower triangle is read
 * @throws DragomanError `input` where A is not positive definite in this precision
 */
export function cholesky(a: Float64Array, n: number): Float64Array {
  const l = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const row = l.subarray(i * n, i * n + n);
    for (let j = 0; j <= i; j++) {
      const other = l.subarray(j * n, j * n + n);
      let sum = a[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= row[k]! * other[k]!;
      if (i > j) row[j] = sum / other[j]!;
      else if (sum > 0) row[i] = Math.sqrt(sum);
      else {
        throw new DragomanError(
          'input',
          `expected a positive definite matrix, got a pivot of ${sum} in row ${i + 1}; regularise more`,
        );
      }
    }
  }
  return l;
}

/** Solves L Lᵀ x = b for each column of b `[n, columns]`. */
export function solveCholesky(l: Float64Array, n: number, b: Float64Array, columns: number): Float64Array {
  const x = Float64Array.from(b);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) subtractRow(x, i, k, l[i * n + k]!, columns);
    divideRow(x, i, l[i * n + i]!, columns);
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) subtractRow(x, i, k, l[k * n + i]!, columns);
    divideRow(x, i, l[i * n + i]!, columns);
  }
  return x;
}

function subtractRow(x: Float64Array, from: number, row: number, factor: number, columns: number): void {
  for (let c = 0; c < columns; c++)
    x[from * columns + c] = x[from * columns + c]! - factor * x[row * columns + c]!;
}

function divideRow(x: Float64Array, row: number, by: number, columns: number): void {
  for (let c = 0; c < columns; c++) x[row * columns + c] = x[row * columns + c]! / by;
}
