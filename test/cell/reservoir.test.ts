import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { drawReservoir, drawUniform, spectralRadius } from '../../src/cell/reservoir.js';
import { Random } from '../../src/random.js';
import { describeOnEngines, presentEngines } from '../engines.js';

const python = process.env.DRAGOMAN_PYTHON ?? 'python3';
const hasNumpy = ((): boolean => {
  try {
    execFileSync(python, ['-c', 'import numpy'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

describeOnEngines('reservoir', (engineName) => {
  it('knows the spectral radius of matrices whose eigenvalues are known', () => {
    // Eigenvalues are on the diagonal of a triangular matrix.
    expect(spectralRadius(Float32Array.of(0.5, 7, -2, 0, -3, 4, 0, 0, 1), 3)).toBeCloseTo(3, 4);
    // A rotation by any angle times 0.8: a complex pair of modulus 0.8, on which power iteration would not settle.
    const [c, s] = [0.8 * Math.cos(1), 0.8 * Math.sin(1)];
    expect(spectralRadius(Float32Array.of(c, -s, s, c), 2)).toBeCloseTo(0.8, 5);
    // A cycle of n units with weights w: the n-th roots of their product.
    expect(spectralRadius(Float32Array.of(0, 2, 0, 0, 0, 3, 4.5, 0, 0), 3)).toBeCloseTo(3, 4);
    expect(spectralRadius(Float32Array.of(0, 1, 0, 0), 2)).toBe(0);
    expect(spectralRadius(Float32Array.of(-1e-3), 1)).toBeCloseTo(1e-3, 8);
  });

  it('has the spectral radius that the eigenvalues of the QR algorithm give', () => {
    for (const [size, radius, sparsity] of [
      [1, 0.5, 0.9],
      [12, 0.9, 0.5],
      [30, 1.2, 0.9],
    ] as const) {
      const matrix = drawReservoir(radius, sparsity)([size, size], new Random(size));
      // Two ways to one number through 32-bit products: five digits.
      expect(Math.abs(largestEigenvalue(matrix, size) / radius - 1)).toBeLessThan(1e-4);
    }
  });

  it.runIf(hasNumpy && engineName === presentEngines()[0])(
    'has the spectral radius that numpy finds, at 300 units',
    () => {
      const matrix = drawReservoir(0.95, 0.9)([300, 300], new Random(4));
      const program =
        'import sys, numpy as np; m = np.frombuffer(sys.stdin.buffer.read(), "<f4").reshape(300, 300); print(abs(np.linalg.eigvals(m.astype(float))).max())';
      const answer = execFileSync(python, ['-c', program], {
        input: Buffer.from(matrix.buffer),
        encoding: 'utf8',
      });
      expect(Math.abs(Number(answer) - 0.95)).toBeLessThan(1e-4);
    },
  );
});

describe('reservoir', () => {
  it('has the sparsity that was asked for, by unit, and repeats with its seed', () => {
    const draw = (seed: number) => drawReservoir(0.9, 0.8)([50, 50], new Random(seed));
    const matrix = draw(1);
    for (let unit = 0; unit < 50; unit++) {
      const fed = Array.from({ length: 50 }, (_, source) => matrix[source * 50 + unit]!).filter(
        (v) => v !== 0,
      );
      expect(fed).toHaveLength(10);
    }
    expect(draw(1)).toEqual(matrix);
    expect(draw(2)).not.toEqual(matrix);
    const weights = drawUniform(0.3)([1000], new Random(1));
    expect(Math.max(...weights)).toBeGreaterThan(0.29);
    expect(Math.max(...weights.map(Math.abs))).toBeLessThanOrEqual(0.3);
  });

  if (!hasNumpy) console.warn(`skipped: eigenvalues by numpy: ${python} has none`);
});

/**
 * The largest modulus of an eigenvalue by the unshifted QR algorithm in 64-bit floats: A <- R Q until the blocks below
 * the diagonal are gone, but for those of complex pairs.
 */
function largestEigenvalue(matrix: Float32Array, n: number): number {
  let a = Array.from({ length: n }, (_, i) => Array.from(matrix.subarray(i * n, (i + 1) * n)));
  for (let step = 0; step < 3000; step++) {
    const { q, r } = qr(a);
    a = r.map((row) => q[0]!.map((_, j) => row.reduce((sum, v, k) => sum + v * q[k]![j]!, 0)));
  }
  let largest = 0;
  for (let i = 0; i < n; i++) {
    const [p, q, r, s] = [a[i]![i]!, a[i]?.[i + 1] ?? 0, a[i + 1]?.[i] ?? 0, a[i + 1]?.[i + 1] ?? 0];
    const half = (p + s) / 2;
    const root = half * half - (p * s - q * r);
    const pair = Math.abs(r) > 1e-9 && root < 0;
    largest = Math.max(largest, pair ? Math.sqrt(p * s - q * r) : Math.abs(p));
    if (pair) i++;
  }
  return largest;
}

/** Gram and Schmidt. */
function qr(a: number[][]): { q: number[][]; r: number[][] } {
  const n = a.length;
  const q = a.map((row) => [...row]);
  const r = a.map((row) => row.map(() => 0));
  for (let j = 0; j < n; j++) {
    for (let k = 0; k < j; k++) {
      const dot = q.reduce((sum, row) => sum + row[k]! * row[j]!, 0);
      r[k]![j] = dot;
      for (const row of q) row[j]! -= dot * row[k]!;
    }
    const length = Math.sqrt(q.reduce((sum, row) => sum + row[j]! ** 2, 0));
    r[j]![j] = length;
    if (length > 1e-300) for (const row of q) row[j]! /= length;
  }
  return { q, r };
}
