import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cholesky, solveCholesky } from '../../src/classic/cholesky.js';
import { ridge } from '../../src/classic/ridge.js';
import { Random } from '../../src/random.js';

/** Solves A x = b by Gauss-Jordan elimination with pivoting: shares nothing with Cholesky. */
function eliminate(a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number[][] {
  const n = a.length;
  const rows = a.map((row, i) => [...row, ...b[i]!]);
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let i = column; i < n; i++) {
      if (Math.abs(rows[i]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = i;
    }
    [rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!];
    const own = rows[column]!.map((value) => value / rows[column]![column]!);
    rows[column] = own;
    for (let i = 0; i < n; i++) {
      if (i === column) continue;
      const factor = rows[i]![column]!;
      rows[i] = rows[i]!.map((value, k) => value - factor * own[k]!);
    }
  }
  return rows.map((row) => row.slice(n));
}

describe('ridge regression', () => {
  it('solves the normal equations', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 3 }),
        (seed, width, rows, outputs) => {
          const random = new Random(seed);
          const x = Array.from({ length: rows }, () => Array.from({ length: width }, () => random.normal()));
          const y = Array.from({ length: rows }, () =>
            Array.from({ length: outputs }, () => random.normal()),
          );
          const inner = (a: (row: number) => number, b: (row: number) => number): number =>
            x.reduce((sum, _, row) => sum + a(row) * b(row), 0);
          const gram = Array.from({ length: width }, (_, i) =>
            Array.from(
              { length: width },
              (_, j) =>
                inner(
                  (row) => x[row]![i]!,
                  (row) => x[row]![j]!,
                ) + (i === j ? 0.1 : 0),
            ),
          );
          const right = Array.from({ length: width }, (_, i) =>
            Array.from({ length: outputs }, (_, c) =>
              inner(
                (row) => x[row]![i]!,
                (row) => y[row]![c]!,
              ),
            ),
          );
          const features = Float64Array.from(x.flat());
          const targets = Float64Array.from(y.flat());
          const said = ridge({ rows, features, width, targets, outputs }, 0.1);
          // The smallest eigenvalue is at least 0.1: a condition of a few thousand, far from 1e16.
          eliminate(gram, right)
            .flat()
            .forEach((value, k) => {
              expect(said[k]).toBeCloseTo(value, 9);
            });
        },
      ),
      { numRuns: 100, seed: 1 },
    );
  });

  it('factors as a known matrix does', () => {
    // L = [2 0 0; 6 1 0; -8 5 3], A = L Lᵀ, by hand.
    const l = cholesky(Float64Array.of(4, 0, 0, 12, 37, 0, -16, -43, 98), 3);
    expect([...l]).toEqual([2, 0, 0, 6, 1, 0, -8, 5, 3]);
    // A (1, 2, 3)ᵀ = (4 + 24 - 48, 12 + 74 - 129, -16 - 86 + 294)
    expect([...solveCholesky(l, 3, Float64Array.of(-20, -43, 192), 1)]).toEqual([1, 2, 3]);
  });

  it('refuses a matrix that is not positive definite', () => {
    expect(() => cholesky(Float64Array.of(1, 0, 2, 1), 2)).toThrow(
      'positive definite matrix, got a pivot of -3 in row 2',
    );
    // Two equal columns and no regularisation.
    const twice = {
      rows: 1,
      features: Float64Array.of(1, 1),
      width: 2,
      targets: Float64Array.of(1),
      outputs: 1,
    };
    expect(() => ridge(twice, 0)).toThrow('regularise more');
  });
});
