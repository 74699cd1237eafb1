import { slice, split, type Tensor, tensor2d, tensor3d, tidy, transpose } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { createCell } from '../../src/cell/family.js';
import { compiledKernels, loadKernels } from '../../src/engine/compiled-kernels.js';
import { startEngine } from '../../src/engine/engine.js';
import { findNative, nativeThreads } from '../../src/engine/tensorflow.js';
import { SequenceMask } from '../../src/kernel/mask.js';
import { PackedLayer } from '../../src/kernel/packed-layer.js';
import { stepLayer } from '../../src/kernel/step-parts.js';
import { Random } from '../../src/random.js';
import { difference } from '../difference.js';
import { whySkipped } from '../engines.js';
import { inputsOf, run, scaledTensors } from './sequence-run.js';

// Sums of up to 200 products of 24 bits, seven steps of them.
const TOLERANCE = 1e-5;

/** Why there are no compiled kernels here; null where there are. */
async function whyNone(): Promise<string | null> {
  const skipped = whySkipped('tensorflow');
  if (skipped !== null) return skipped;
  const { kernels } = await startEngine('tensorflow');
  return kernels!.reason;
}

const reason = await whyNone();
if (reason !== null) console.warn(`skipped: layers by packed weights: ${reason}`);

describe.skipIf(reason !== null)('a layer by packed weights', () => {
  describe.each([
    ['lstm', 19, 37],
    ['gru', 19, 37],
    ['lstm', 96, 64],
    ['gru', 33, 130],
  ] as const)('%s, %i to %i', (kind, input, hidden) => {
    // Real positions of each row, none, one and all among them; then one row alone.
    const lengths = [7, 0, 3, 7, 1, 5, 6, 2, 7, 4, 4, 7, 3, 7];
    for (const direction of ['forward', 'backward'] as const) {
      for (const batch of [lengths.length, 1]) {
        it(`equals scan, ${direction}, batch ${batch}`, () => {
          tidy(() => {
            const cell = createCell({ kind }, input, hidden);
            const time = 7;
            const rows = { batch, time, lengths: Int32Array.from(lengths.slice(0, batch)) };
            const mask = new SequenceMask(rows.lengths, time);
            const tensors = scaledTensors(inputsOf(cell, time, batch, 7), hidden);
            const scanned = run(cell, tensors, mask, direction, false);
            const w = Object.fromEntries(cell.parameters.map(({ name }) => [name, tensors[`w.${name}`]!]));
            const layer = new PackedLayer({ ...stepLayer(cell, w)!, direction });
            // [time, batch, input] to [batch, time, input], and outputs into the middle of a wider matrix.
            const x = arrayOf(transpose(tensors.x!, [1, 0, 2]));
            const initial = Object.keys(cell.stateSizes).map((name) => arrayOf(tensors[`s.${name}`]!));
            const stride = hidden + 5;
            const outputs = new Float32Array(batch * time * stride);
            const last = new Float32Array(batch * stride);
            layer.run(x, rows, initial, { stride, from: 3, outputs, last });
            const whole = tensor3d(outputs, [batch, time, stride]);
            const [before, own, after] = split(whole, [3, hidden, 2], 2);
            expect(difference(transpose(own!, [1, 0, 2]), scanned.outputs)).toBeLessThan(TOLERANCE);
            expect(arrayOf(before!).every((value) => value === 0)).toBe(true);
            expect(arrayOf(after!).every((value) => value === 0)).toBe(true);
            const ownEnd = slice(tensor2d(last, [batch, stride]), [0, 3], [batch, hidden]);
            expect(difference(ownEnd, mask.final(scanned.outputs, direction))).toBeLessThan(TOLERANCE);
          });
        });
      }
    }
  });

  it('refuses arrays of another size than the others ask for', () => {
    const kernels = compiledKernels();
    const panels = new Float32Array(kernels.packedSize(3, 1, 2));
    kernels.pack(3, 1, 2, 0, 2, false, Float32Array.of(1, 2, 3, 4, 5, 6), panels);
    const [two, three] = [new Float32Array(2), Float32Array.of(1, 1, 1)];
    const linear = (x: Float32Array, y: Float32Array) =>
      kernels.linear(1, 3, 2, false, x, panels, new Float32Array(2), y);
    linear(three, two);
    expect(Array.from(two)).toEqual([9, 12]);
    expect(() => linear(two, two)).toThrow('argument 5: expected an array of 3 numbers, got one of 2');
    expect(() => linear(three, three)).toThrow(TypeError);
    const best = [new Int32Array(4), new Float32Array(4), new Float32Array(1)] as const;
    expect(() => kernels.best(1, 3, 4, three, ...best)).toThrow('from 1 to the columns');
    const label = Int32Array.of(2);
    expect(() => kernels.scores(1, 3, 2, three, panels, two, label, new Float32Array(1))).toThrow(
      'expected numbers below 2',
    );
  });

  it('gives the same with one thread and with more', () => {
    const random = new Random(5);
    const draw = (size: number) => Float32Array.from({ length: size }, () => random.normal());
    const [w, x] = [draw(300 * 501), draw(200 * 300)];
    const kernels = compiledKernels();
    const panels = new Float32Array(kernels.packedSize(300, 1, 501));
    kernels.pack(300, 1, 501, 0, 501, false, w, panels);
    const all = [1, 2, 3].map((threads) => {
      loadKernels(findNative()!, threads);
      const y = new Float32Array(200 * 501);
      kernels.linear(200, 300, 501, true, x, panels, new Float32Array(501), y);
      return y;
    });
    loadKernels(findNative()!, nativeThreads());
    expect(all[1]).toEqual(all[0]);
    expect(all[2]).toEqual(all[0]);
  });
});

function arrayOf(values: Tensor): Float32Array {
  return values.dataSync<'float32'>() as Float32Array;
}
