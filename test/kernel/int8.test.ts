import { tensor1d, tensor2d, tidy } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { loadKernels } from '../../src/engine/compiled-kernels.js';
import { startEngine } from '../../src/engine/engine.js';
import { PROCESSORS } from '../../src/engine/kernels-addon.js';
import { findNative } from '../../src/engine/tensorflow.js';
import { PackedLinear } from '../../src/kernel/packed-matrix.js';
import { Seq2Seq } from '../../src/model/seq2seq.js';
import { Random } from '../../src/random.js';
import type { StepModel } from '../../src/search/step-model.js';
import { padIds } from '../../src/text/batch.js';
import { BOS } from '../../src/text/vocabulary.js';
import { whySkipped } from '../engines.js';
import { type ModelInput, modelConfig } from '../model/small-model.js';
import { exactProduct, linear } from './linear.js';

const THREADS = 2;

/** The processors that this one is, each with the name of its kernels; why there is none. */
async function present(): Promise<{ processors: string[]; reason: string | null }> {
  const skipped = whySkipped('tensorflow');
  if (skipped !== null) return { processors: [], reason: skipped };
  await startEngine('tensorflow');
  const seen = new Map<string, string>();
  let reason: string | null = null;
  for (const processor of PROCESSORS) {
    vi.stubEnv('DRAGOMAN_PROCESSOR', processor);
    const state = loadKernels(findNative()!, THREADS, 'int8');
    reason = state.reason;
    if (state.processor !== null && !seen.has(state.processor)) seen.set(state.processor, processor);
  }
  vi.unstubAllEnvs();
  loadKernels(findNative()!, THREADS);
  return { processors: [...seen.values()], reason };
}

const { processors, reason } = await present();
if (processors.length === 0) console.warn(`skipped: products in 8 bits: ${reason}`);

/** Whole numbers and what one of them is worth: the largest number becomes 127. */
function quantised(values: readonly number[]): { whole: number[]; scale: number } {
  const largest = Math.max(...values.map(Math.abs));
  return {
    whole: values.map((value) => (largest === 0 ? 0 : Math.round((value / largest) * 127))),
    scale: largest / 127,
  };
}

describe.skipIf(processors.length === 0)('products in 8 bits', () => {
  describe.each(processors)('on %s', (processor) => {
    beforeAll(() => {
      vi.stubEnv('DRAGOMAN_PROCESSOR', processor);
      loadKernels(findNative()!, THREADS, 'int8');
    });
    afterAll(() => {
      vi.unstubAllEnvs();
      loadKernels(findNative()!, THREADS);
    });

    // Tiles of 4, 12, 16 and 32 rows, panels of 8, 16 and 32 columns, quads and steps of 64 along the depth, and what is left over.
    const sizes = [1, 2, 4, 11, 12, 16, 17, 31, 32, 33, 45].flatMap((rows) =>
      [1, 3, 63, 64, 65, 530].flatMap((depth) =>
        [1, 16, 31, 33, 70].map((columns) => [rows, depth, columns] as const),
      ),
    );

    it('are exact where 127 is the largest number of each row and column', () => {
      const random = new Random(1);
      for (const shape of sizes) {
        const [rows, depth, columns] = shape;
        const whole = (size: number) => Float32Array.from({ length: size }, () => random.integer(255) - 127);
        const [x, w] = [whole(rows * depth), whole(depth * columns)];
        for (let r = 0; r < rows; r++) x[r * depth + random.integer(depth)] = 127;
        for (let c = 0; c < columns; c++) w[random.integer(depth) * columns + c] = -127;
        expect(linear(x, w, shape), shape.join(' ')).toEqual(exactProduct(x, w, shape));
      }
    });

    it('round to the nearest of 255 numbers, a scale for each row and for each column', () => {
      const random = new Random(2);
      const shape = [33, 530, 33] as const;
      const [rows, depth, columns] = shape;
      const normal = (size: number) => Float32Array.from({ length: size }, () => random.normal());
      const [x, w] = [normal(rows * depth), normal(depth * columns)];
      const left = Array.from({ length: rows }, (_, r) =>
        quantised(Array.from(x.subarray(r * depth, (r + 1) * depth))),
      );
      const right = Array.from({ length: columns }, (_, c) =>
        quantised(Array.from({ length: depth }, (_, k) => w[k * columns + c]!)),
      );
      linear(x, w, shape).forEach((value, place) => {
        const [a, b] = [left[Math.floor(place / columns)]!, right[place % columns]!];
        const sum = a.whole.reduce((total, number, k) => total + number * b.whole[k]!, 0);
        // A number in the middle of two may go either way, since its scale is rounded: one step of its neighbour's size.
        expect(Math.abs(value - sum * a.scale * b.scale)).toBeLessThan(128 * a.scale * b.scale);
      });
    });

    it('give zero for rows and columns of zeros, and hand on what is not a number or has no end', () => {
      const x = Float32Array.of(0, 0, 1, 2, Number.NaN, 1, Number.POSITIVE_INFINITY, 1);
      const y = linear(x, Float32Array.of(1, 0, Number.NaN, 1, 0, 1), [4, 2, 3]);
      expect(Array.from(y.subarray(0, 2))).toEqual([0, 0]);
      expect(Array.from(y, Number.isNaN)).toEqual([
        ...[false, false, true],
        ...[false, false, true],
        ...[true, true, true],
        ...[true, true, true],
      ]);
      expect(y[3]).toBeCloseTo(1 + 2, 1);
    });

    const models: ReadonlyArray<[name: string, changes: ModelInput]> = [
      ['lstm, general attention', {}],
      ['gru, additive attention, input feeding', { cell: 'gru', attention: 'additive', inputFeeding: true }],
      ['no attention, c at every step', { attention: 'none', context: 'every-step' }],
    ];
    it.each(models)('decode as 32 bits do, to rounding: %s', (_, changes) => {
      const model = new Seq2Seq(modelConfig(changes), { source: 12, target: 12 }, new Random(3));
      const source = padIds([
        [4, 5, 6, 7, 8],
        [5, 4],
        [9, 9, 10],
      ]);
      const run = (searched: StepModel): number[] => {
        let state = searched.start(source);
        const all: number[] = [];
        for (const token of [BOS, 5, 7, 4]) {
          const step = searched.step(state, new Int32Array(3).fill(token));
          all.push(...step.logits.dataSync());
          step.logits.dispose();
          step.attention?.dispose();
          state = step.state;
        }
        searched.release(state);
        return all;
      };
      const inBytes = run(model);
      loadKernels(findNative()!, THREADS);
      model.parameters.write('output.bias', model.parameters.read('output.bias')); // what was packed is packed anew
      const plain = run(model);
      loadKernels(findNative()!, THREADS, 'int8');
      model.dispose();
      const spread = Math.max(...plain) - Math.min(...plain);
      const errors = inBytes.map((value, k) => Math.abs(value - plain[k]!) / spread);
      // Each factor is wrong by 1/254 of the largest at most; four steps of three products.
      expect(Math.max(...errors)).toBeLessThan(0.05);
      expect(Math.max(...errors)).toBeGreaterThan(0); // they are not the kernels of 32 bits
    });
  });

  it('come to the same whole sums on every processor', () => {
    const random = new Random(4);
    const [rows, depth, columns] = [7, 200, 50];
    const normal = (size: number) => Float32Array.from({ length: size }, () => random.normal());
    const [x, w, b] = [normal(rows * depth), normal(depth * columns), normal(columns)];
    const results = processors.map((processor) => {
      vi.stubEnv('DRAGOMAN_PROCESSOR', processor);
      loadKernels(findNative()!, THREADS, 'int8');
      return tidy(() => PackedLinear.of(tensor2d(w, [depth, columns]), tensor1d(b)).run(x, 'nothing'));
    });
    vi.unstubAllEnvs();
    loadKernels(findNative()!, THREADS);
    for (const result of results) {
      result.forEach((value, k) => {
        // The last product, by two scales and the bias, may be one operation or two.
        expect(Math.abs(value - results[0]![k]!)).toBeLessThan(1e-5);
      });
    }
  });
});
