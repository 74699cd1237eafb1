import { matMul, tensor, tensor3d, tidy, transpose } from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { describeOnEngines } from '../engines.js';

describeOnEngines('matMul', (engine) => {
  for (const [rows, batch] of [
    [2, 1],
    [600, 1],
    [2, 3],
  ] as const) {
    for (const form of ['', 'A', 'B', 'AB']) {
      it(`of ${batch} x ${rows} rows${form && `, ${form} transposed`}, is the sum of products`, () => {
        tidy(() => {
          const value = (k: number): number => Math.sin(k);
          const a = Float32Array.from({ length: batch * rows * 3 }, (_, k) => value(k));
          const b = Float32Array.from({ length: batch * 3 * 4 }, (_, k) => value(k + 0.5));
          const swapped = [0, 2, 1];
          const [x, y] = [tensor3d(a, [batch, rows, 3]), tensor3d(b, [batch, 3, 4])];
          const product = matMul(
            form.includes('A') ? transpose(x, swapped) : x,
            form.includes('B') ? transpose(y, swapped) : y,
            form.includes('A'),
            form.includes('B'),
          ).dataSync();
          product.forEach((got, k) => {
            const [n, row, column] = [Math.floor(k / (rows * 4)), Math.floor(k / 4) % rows, k % 4];
            let sum = 0;
            for (let j = 0; j < 3; j++) sum += a[(n * rows + row) * 3 + j]! * b[(n * 3 + j) * 4 + column]!;
            expect(Math.abs(got - sum)).toBeLessThan(1e-6); // 32-bit rounding of three numbers below 1
          });
        });
      });
    }
  }

  // TensorFlow.js' wasm engine multiplies floats only.
  it.skipIf(engine === 'wasm')('of whole numbers stays whole', () => {
    tidy(() => {
      const product = matMul(tensor([[1, 2]], [1, 2], 'int32'), tensor([[3], [4]], [2, 1], 'int32'));
      expect(product.arraySync()).toEqual([[11]]);
    });
  });
});
