import type { Tensor } from '@tensorflow/tfjs-core';
import { expect } from 'vitest';

/** Largest difference, relative to the largest value. */
export function difference(a: Tensor, b: Tensor): number {
  expect(a.shape).toEqual(b.shape);
  const [x, y] = [a.dataSync<'float32'>(), b.dataSync<'float32'>()];
  const scale = y.reduce((max, v) => Math.max(max, Math.abs(v)), 0);
  return x.reduce((max, v, i) => Math.max(max, Math.abs(v - y[i]!)), 0) / scale;
}
