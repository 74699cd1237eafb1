import {
  engine,
  getBackend,
  memory,
  slice,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  tensor,
  tidy,
} from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { createCell } from '../../src/cell/family.js';
import { CELL_KINDS } from '../../src/cell/options.js';
import { SequenceMask } from '../../src/kernel/mask.js';
import type { Direction } from '../../src/kernel/sequence.js';
import { CELLS } from '../cells.js';
import { difference } from '../difference.js';
import { describeOnKernels, presentEngines } from '../engines.js';
import { checkGradients } from '../finite-differences.js';
import { inputsOf, probe, run, scaledTensors } from './sequence-run.js';

const INPUT = 3;
const HIDDEN = 4;

const CASES: ReadonlyArray<{ name: string; time: number; lengths: number[] }> = [
  { name: 'rows of full length', time: 4, lengths: [4, 4, 4] },
  { name: 'rows of different length, one empty', time: 5, lengths: [5, 0, 2, 3] },
  { name: 'batch of one with padding', time: 3, lengths: [2] },
  { name: 'a single step', time: 1, lengths: [1, 1] },
];
const DIRECTIONS: readonly Direction[] = ['forward', 'backward'];

/** Kinds that have a compiled kernel. */
const COMPILED = ['lstm', 'gru'];

describeOnKernels('sequence kernels', (engineName, asUsual) => {
  const best = asUsual && engineName === presentEngines()[0];
  const kinds: readonly string[] = asUsual ? CELL_KINDS : COMPILED;
  // Every kind on every engine; what other options change are operations that all engines share.
  for (const [name, options] of best ? CELLS : CELLS.filter(([kind]) => kinds.includes(kind))) {
    describe(name, () => {
      const cell = createCell(options, INPUT, HIDDEN);
      for (const { name, time, lengths } of CASES) {
        for (const direction of DIRECTIONS) {
          it(`equals scan in values, states and gradients: ${name}, ${direction}`, () => {
            const mask = new SequenceMask(Int32Array.from(lengths), time);
            const inputs = inputsOf(cell, time, lengths.length, 7);
            const results = [true, false].map((fused) =>
              tidy(() => {
                const tensors = Object.fromEntries(
                  Object.entries(inputs).map(([n, { values, shape }]) => [n, tensor(values, shape)]),
                );
                const sequence = run(cell, tensors, mask, direction, fused);
                const { grads } = engine().gradients(
                  () => probe(cell, run(cell, tensors, mask, direction, fused)),
                  Object.values(tensors),
                );
                return [sequence.outputs, ...Object.values(sequence.final), ...grads].map((t) =>
                  Array.from(t.dataSync()),
                );
              }),
            );
            results[0]!.forEach((values, k) => {
              values.forEach((value, i) => {
                // Sums of a few dozen products of numbers below 2: rounding stays near 1e-6.
                expect(Math.abs(value - results[1]![k]![i]!)).toBeLessThan(1e-5);
              });
            });
          });
        }
      }

      // On one engine: on the others the gradients equal scan's, as shown above, and scan's operations have tests.
      it.runIf(best)('has the gradients that finite differences give', () => {
        const mask = new SequenceMask(Int32Array.from([3, 1, 2]), 3);
        for (const direction of DIRECTIONS) {
          checkGradients(
            inputsOf(cell, 3, 3, 11),
            (t) => probe(cell, run(cell, t, mask, direction, true)),
            8,
          );
        }
      });

      it('gives each row what it gives that row alone', () => {
        const lengths = [4, 2, 3];
        const inputs = inputsOf(cell, 4, 3, 5);
        tidy(() => {
          const tensors = Object.fromEntries(
            Object.entries(inputs).map(([n, { values, shape }]) => [n, tensor(values, shape)]),
          );
          for (const direction of DIRECTIONS) {
            const all = run(cell, tensors, new SequenceMask(Int32Array.from(lengths), 4), direction, true);
            const outputs = all.outputs.arraySync();
            lengths.forEach((length, row) => {
              const alone: Record<string, Tensor> = { ...tensors };
              alone.x = slice(tensors.x as Tensor3D, [0, row, 0], [length, 1, INPUT]);
              for (const n of Object.keys(cell.stateSizes).filter((name) => !cell.ownStates.includes(name))) {
                alone[`s.${n}`] = slice(tensors[`s.${n}`] as Tensor2D, [row, 0], [1, -1]);
              }
              const single = run(
                cell,
                alone,
                new SequenceMask(Int32Array.of(length), length),
                direction,
                true,
              );
              const expected = single.outputs.arraySync();
              for (let t = 0; t < 4; t++) {
                for (let k = 0; k < HIDDEN; k++) {
                  const value = outputs[t]![row]![k]!;
                  if (t < length) expect(value).toBeCloseTo(expected[t]![0]![k]!, 5);
                  else expect(Math.abs(value)).toBe(0);
                }
              }
              for (const n of Object.keys(cell.stateSizes)) {
                const state = all.final[n]!.arraySync()[row]!;
                single.final[n]!.arraySync()[0]!.forEach((value, k) => {
                  expect(state[k]).toBeCloseTo(value, 5);
                });
              }
            });
          }
        });
      });

      it('leaves no tensor behind', () => {
        const mask = new SequenceMask(Int32Array.from([3, 1]), 3);
        const tensors = Object.fromEntries(
          Object.entries(inputsOf(cell, 3, 2, 3)).map(([n, { values, shape }]) => [n, tensor(values, shape)]),
        );
        const before = memory().numTensors;
        tidy(() => {
          engine().gradients(
            () => probe(cell, run(cell, tensors, mask, 'backward', true)),
            Object.values(tensors),
          );
        });
        expect(memory().numTensors, getBackend()).toBe(before);
        for (const t of Object.values(tensors)) t.dispose();
      });
    });
  }
});

// What small layers do not reach: several threads, columns that end inside a vector, products in several parts.
describeOnKernels('layers of many units', () => {
  const time = 7;
  const lengths = [7, 0, 3, 7, 1, 5, 6, 2, 7, 4, 4, 7, 3];
  for (const kind of ['lstm', 'gru'] as const) {
    for (const [input, hidden] of [
      [19, 37],
      [130, 301],
    ] as const) {
      for (const direction of DIRECTIONS) {
        it(`equal scan, and themselves bit for bit: ${kind}, ${input} to ${hidden}, ${direction}`, () => {
          const cell = createCell({ kind }, input, hidden);
          const mask = new SequenceMask(Int32Array.from(lengths), time);
          const inputs = inputsOf(cell, time, lengths.length, 7);
          tidy(() => {
            const tensors = scaledTensors(inputs, hidden);
            const results = [true, true, false].map((fused) => {
              const sequence = run(cell, tensors, mask, direction, fused);
              const { grads } = engine().gradients(
                () => probe(cell, run(cell, tensors, mask, direction, fused)),
                Object.values(tensors),
              );
              return [sequence.outputs, ...Object.values(sequence.final), ...grads];
            });
            const [first, second, slow] = results as [Tensor[], Tensor[], Tensor[]];
            first.forEach((value, k) => {
              expect(difference(value, second[k]!)).toBe(0);
              // Sums of some hundred products over seven steps in 32 bits, in another order.
              expect(difference(value, slow[k]!)).toBeLessThan(5e-6);
            });
          });
        });
      }
    }
  }

  it.each(['lstm', 'gru'] as const)('hand on what is not a number: %s', (kind) => {
    const cell = createCell({ kind }, 3, 20);
    const inputs = inputsOf(cell, 2, 2, 3);
    inputs.x!.values[0] = Number.NaN; // of the first row
    tidy(() => {
      const tensors = Object.fromEntries(
        Object.entries(inputs).map(([n, { values, shape }]) => [n, tensor(values, shape)]),
      );
      const mask = new SequenceMask(Int32Array.from([2, 2]), 2);
      const values = run(cell, tensors, mask, 'forward', true).outputs.dataSync();
      for (let k = 0; k < 80; k++) expect(Number.isNaN(values[k])).toBe(k % 40 < 20);
    });
  });
});
