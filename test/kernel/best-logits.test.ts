import { memory, type Tensor1D, type Tensor2D, tensor1d, tensor2d } from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { bestLogits } from '../../src/kernel/best-logits.js';
import { composedScores, labelScores } from '../../src/kernel/label-scores.js';
import { Random } from '../../src/random.js';
import { describeOnKernels } from '../engines.js';

/** By definition: all ids sorted by logit and id, and the sum in 64 bits. */
function slowBest(row: Float32Array, k: number): { ids: number[]; normaliser: number } {
  const ids = [...row.keys()].sort((a, b) => row[b]! - row[a]! || a - b).slice(0, k);
  const most = row.reduce((a, b) => Math.max(a, b));
  return { ids, normaliser: most + Math.log(row.reduce((sum, z) => sum + Math.exp(z - most), 0)) };
}

describeOnKernels('the best logits of a row', () => {
  // 1000 falls into blocks, 997 does not; a coarse grid makes ties, also at the last place and between blocks.
  const sizes = [7, 997, 1000, 1280];
  const grids = [0, 0.5, 4];
  const cases = sizes.flatMap((size) =>
    grids.flatMap((grid) => [1, 3, 8].map((k) => [size, grid, k] as const)),
  );

  it.each(cases)('%i tokens on a grid of %d, %i best', (size, grid, k) => {
    const random = new Random(size + k);
    for (const rows of [1, 2, 9]) {
      const values = Float32Array.from({ length: rows * size }, () => {
        const z = random.normal() * 3;
        return grid === 0 ? z : Math.round(z / grid) * grid;
      });
      const logits = tensor2d(values, [rows, size]);
      const before = memory().numTensors;
      const best = bestLogits(logits, k);
      expect(memory().numTensors).toBe(before);
      const count = Math.min(k, size);
      expect(best.k).toBe(count);
      for (let row = 0; row < rows; row++) {
        const own = values.subarray(row * size, (row + 1) * size);
        const want = slowBest(own, count);
        expect([...best.ids.subarray(row * count, (row + 1) * count)]).toEqual(want.ids);
        expect([...best.logits.subarray(row * count, (row + 1) * count)]).toEqual(
          want.ids.map((id) => own[id]!),
        );
        expect(Math.abs(best.normalisers[row]! - want.normaliser)).toBeLessThan(
          2e-6 * Math.max(1, Math.abs(want.normaliser)),
        );
      }
      logits.dispose();
    }
  });

  it.each([-300, 300])('logits around %i, whose exponentials 32 bits do not hold', (offset) => {
    const values = Float32Array.from({ length: 2 * 100 }, (_, i) => offset + (i % 17) / 4);
    const best = bestLogits(tensor2d(values, [2, 100]), 2);
    const want = slowBest(values.subarray(0, 100), 2);
    expect([...best.ids.subarray(0, 2)]).toEqual(want.ids);
    expect(best.normalisers[0]).toBeCloseTo(want.normaliser, 3);
  });

  it('hands on what is not a number', () => {
    const values = Float32Array.from({ length: 200 }, (_, i) => (i === 130 ? Number.NaN : i / 50));
    expect(bestLogits(tensor2d(values, [2, 100]), 2).normalisers[1]).toBeNaN();
  });
});

describeOnKernels('ln P of labels', () => {
  function inputs(rows: number, size: number, vocabulary: number, scale: number) {
    const random = new Random(rows);
    const draw = (count: number, by: number) =>
      Float32Array.from({ length: count }, () => random.normal() * by);
    const o = draw(rows * size, 1);
    const matrix = draw(size * vocabulary, scale);
    const bias = draw(vocabulary, 1);
    const labels = Int32Array.from({ length: rows }, () => random.integer(vocabulary));
    return {
      values: { o, matrix, bias },
      labels,
      o: tensor2d(o, [rows, size]) as Tensor2D,
      matrix: tensor2d(matrix, [size, vocabulary]) as Tensor2D,
      bias: tensor1d(bias) as Tensor1D,
    };
  }

  it.each([
    ['small logits', 1],
    ['logits of several hundred, whose exponentials 32 bits do not hold', 150],
  ])('%s: as the formula has it', (_, scale) => {
    const [rows, size, vocabulary] = [5, 4, 30];
    const { values, labels, o, matrix, bias } = inputs(rows, size, vocabulary, scale);
    const before = memory().numTensors;
    const scores = labelScores(o, matrix, bias, labels);
    expect(memory().numTensors).toBe(before);
    for (let row = 0; row < rows; row++) {
      const logits = Float32Array.from({ length: vocabulary }, (_, v) => {
        let z = values.bias[v]!;
        for (let i = 0; i < size; i++) z += values.o[row * size + i]! * values.matrix[i * vocabulary + v]!;
        return z;
      });
      const want = logits[labels[row]!]! - slowBest(logits, 1).normaliser;
      // Rounding of the logits themselves, 24 bits of up to 1000.
      expect(Math.abs(scores[row]! - want)).toBeLessThan(3e-6 * Math.max(1, Math.abs(want), 4 * scale));
    }
  });

  it('in several pieces gives what it gives in one', () => {
    // 2,097,152 logits at once: three pieces.
    const { labels, o, matrix, bias } = inputs(2500, 2, 2000, 1);
    const pieces = labelScores(o, matrix, bias, labels);
    const whole = composedScores(o, matrix, bias, labels);
    let worst = 0;
    pieces.forEach((score, i) => {
      worst = Math.max(worst, Math.abs(score - whole[i]!));
    });
    expect(worst).toBeLessThan(5e-6);
  });
}, ['tensorflow', 'wasm']);
