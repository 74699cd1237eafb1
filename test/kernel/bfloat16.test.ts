import { engine, type Tensor, tensor, tensor1d, tidy } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCell } from '../../src/cell/family.js';
import { loadKernels } from '../../src/engine/compiled-kernels.js';
import { startEngine } from '../../src/engine/engine.js';
import { findNative } from '../../src/engine/tensorflow.js';
import { SequenceMask } from '../../src/kernel/mask.js';
import { composedMeanLoss, meanLoss } from '../../src/kernel/mean-loss.js';
import { Random } from '../../src/random.js';
import { difference } from '../difference.js';
import { whySkipped } from '../engines.js';
import { exactProduct, linear } from './linear.js';
import { inputsOf, probe, run, scaledTensors } from './sequence-run.js';

const THREADS = 2;

/** Why products of bfloat16 numbers cannot be tried here; null where they can. */
async function whyNone(): Promise<string | null> {
  const skipped = whySkipped('tensorflow');
  if (skipped !== null) return skipped;
  await startEngine('tensorflow');
  const { processor, reason } = loadKernels(findNative()!, THREADS, 'bfloat16');
  loadKernels(findNative()!, THREADS);
  return processor === null ? reason : null;
}

/** x to the nearest number of 8 significant bits, to even where it is in the middle. */
function rounded(x: number): number {
  const bits = new Uint32Array(Float32Array.of(x).buffer);
  bits[0] = (bits[0]! + 0x7fff + ((bits[0]! >>> 16) & 1)) & 0xffff0000;
  return new Float32Array(bits.buffer)[0]!;
}

const reason = await whyNone();
if (reason !== null) console.warn(`skipped: products of bfloat16 numbers: ${reason}`);

describe.skipIf(reason !== null)('products of bfloat16 numbers', () => {
  beforeAll(() => void loadKernels(findNative()!, THREADS, 'bfloat16'));
  afterAll(() => void loadKernels(findNative()!, THREADS));

  // Blocks of 12, 16 and 32 rows, panels of 32 columns, steps of 32 and parts of 512 along the depth, and what is left over.
  const sizes = [1, 2, 11, 16, 17, 31, 32, 33, 45].flatMap((rows) =>
    [1, 31, 32, 33, 530].flatMap((depth) =>
      [1, 16, 31, 33, 70].map((columns) => [rows, depth, columns] as const),
    ),
  );

  it('are exact where no factor is rounded', () => {
    const random = new Random(1);
    for (const shape of sizes) {
      const [rows, depth, columns] = shape;
      const whole = (size: number) => Float32Array.from({ length: size }, () => random.integer(17) - 8);
      const [x, w] = [whole(rows * depth), whole(depth * columns)];
      expect(linear(x, w, shape), shape.join(' ')).toEqual(exactProduct(x, w, shape));
    }
  });

  it('round each factor to the nearest, and sum in 32 bits', () => {
    const random = new Random(2);
    const shape = [33, 530, 33] as const;
    const [rows, depth, columns] = shape;
    const normal = (size: number) => Float32Array.from({ length: size }, () => random.normal());
    const [x, w] = [normal(rows * depth), normal(depth * columns)];
    linear(x, w, shape).forEach((value, place) => {
      const [r, c] = [Math.floor(place / columns), place % columns];
      let [sum, size] = [0, 0];
      for (let k = 0; k < depth; k++) {
        const term = rounded(x[r * depth + k]!) * rounded(w[k * columns + c]!);
        sum += term;
        size += Math.abs(term);
      }
      // 530 additions of 24 bits, of which few err in one direction.
      expect(Math.abs(value - sum)).toBeLessThan(2e-6 * size);
    });
  });

  it('hand on what is not a number', () => {
    const x = Float32Array.of(1, Number.NaN);
    expect(linear(x, Float32Array.of(1, 1), [2, 1, 2]).map((v) => Number(Number.isNaN(v)))).toEqual(
      Float32Array.of(0, 0, 1, 1),
    );
  });

  // A factor is wrong by 2^-9 of its value at most; of a sum of many the errors cancel mostly, but through seven steps
  // they add up. Kernels that confuse two numbers are wrong by as much as the largest value.
  const ROUNDING = 0.02;
  const lengths = [7, 0, 3, 7, 1, 5, 6, 2, 7, 4, 4, 7, 3, 7, 7, 2, 5, 1];
  for (const kind of ['lstm', 'gru'] as const) {
    for (const [input, hidden] of [
      [19, 37],
      [64, 96],
      [130, 301],
    ] as const) {
      for (const direction of ['forward', 'backward'] as const) {
        for (const batch of [lengths.length, 1]) {
          it(`layers equal scan to rounding: ${kind}, ${input} to ${hidden}, batch ${batch}, ${direction}`, () => {
            const cell = createCell({ kind }, input, hidden);
            const mask = new SequenceMask(Int32Array.from(lengths.slice(0, batch)), 7);
            tidy(() => {
              const tensors = scaledTensors(inputsOf(cell, 7, batch, 7), hidden);
              const results = [true, true, false].map((fused) => {
                const sequence = run(cell, tensors, mask, direction, fused);
                const { grads } = engine().gradients(
                  () => probe(cell, run(cell, tensors, mask, direction, fused)),
                  Object.values(tensors),
                );
                return [sequence.outputs, ...Object.values(sequence.final), ...grads] as Tensor[];
              });
              const [first, second, scanned] = results;
              first!.forEach((value, k) => {
                expect(value.dataSync(), `${k}`).toEqual(second![k]!.dataSync());
                expect(difference(value, scanned![k]!), `${k}`).toBeLessThan(ROUNDING);
              });
            });
          });
        }
      }
    }
  }

  it.each([true, false])(
    'the loss and its gradients equal those in 32 bits to rounding, transposed %s',
    (transposed) => {
      tidy(() => {
        const random = new Random(3);
        const [rows, size, columns] = [70, 96, 1003];
        const draw = (shape: number[]): Tensor => {
          const count = shape.reduce((a, b) => a * b, 1);
          return tensor(
            Float32Array.from({ length: count }, () => random.normal() * 0.3),
            shape,
          );
        };
        const given = {
          o: draw([rows, size]),
          matrix: draw(transposed ? [columns, size] : [size, columns]),
          bias: draw([columns]),
          labels: tensor1d(
            Int32Array.from({ length: rows }, () => random.integer(columns)),
            'int32',
          ),
          smoothing: 0.1,
          transposed,
        } as Parameters<typeof meanLoss>[0];
        const [own, composed] = [meanLoss, composedMeanLoss].map((kernel) => {
          const { value, grads } = engine().gradients(() => kernel(given).loss, [
            given.o,
            given.matrix,
            given.bias,
          ] as Tensor[]);
          return [value, ...grads];
        });
        own!.forEach((value, k) => {
          expect(difference(value, composed![k]!), `${k}`).toBeLessThan(ROUNDING);
        });
      });
    },
  );
});
