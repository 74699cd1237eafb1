import { memory, tensor1d, tensor2d, tidy, unsortedSegmentSum } from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { Random } from '../../src/random.js';
import { difference } from '../difference.js';
import { describeOnKernels } from '../engines.js';

describeOnKernels('sums of rows that share a segment', () => {
  it.each([
    [1, 1, 1],
    [5, 3, 2],
    [40, 19, 7],
    [300, 70, 1000],
  ])('%i rows of %i numbers in %i segments, as numbers one by one', (rows, width, segments) => {
    const random = new Random(rows);
    const values = Float32Array.from({ length: rows * width }, () => random.normal());
    const ids = Int32Array.from({ length: rows }, () => random.integer(segments));
    const want = new Float32Array(segments * width);
    ids.forEach((id, row) => {
      for (let k = 0; k < width; k++) want[id * width + k]! += values[row * width + k]!;
    });
    const before = memory().numTensors;
    tidy(() => {
      const sums = unsortedSegmentSum(tensor2d(values, [rows, width]), tensor1d(ids, 'int32'), segments);
      // Rows are added in their order or another, in 32 bits.
      expect(difference(sums, tensor2d(want, [segments, width]))).toBeLessThan(2e-6);
    });
    expect(memory().numTensors).toBe(before);
  });

  it('no rows leave zeros', () => {
    tidy(() => {
      const sums = unsortedSegmentSum(tensor2d([], [0, 2]), tensor1d([], 'int32'), 2);
      expect(sums.arraySync()).toEqual([
        [0, 0],
        [0, 0],
      ]);
    });
  });
});
