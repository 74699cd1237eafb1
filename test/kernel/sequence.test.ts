import {
  add,
  engine,
  getBackend,
  memory,
  mul,
  type Scalar,
  slice,
  sum,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  tensor,
  tidy,
} from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { Cell, ParameterSpec, State, Weights } from '../../src/cell/cell.js';
import { createCell } from '../../src/cell/family.js';
import { CELL_KINDS, type CellKind } from '../../src/cell/options.js';
import { SequenceMask } from '../../src/kernel/mask.js';
import type { Sequence } from '../../src/kernel/scan.js';
import { type Direction, runSequence, scanCell } from '../../src/kernel/sequence.js';
import { Random } from '../../src/random.js';
import { CELLS } from '../cells.js';
import { describeOnEngines, presentEngines } from '../engines.js';
import { checkGradients, type Input } from '../finite-differences.js';

const INPUT = 3;
const HIDDEN = 4;

/** Random inputs, trained weights and initial states of a cell: what has a gradient. */
function inputsOf(cell: Cell, time: number, batch: number, seed: number): Record<string, Input> {
  const random = new Random(seed);
  const draw = (shape: readonly number[]): Input => ({
    shape: [...shape],
    values: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal() * 0.5),
  });
  return Object.fromEntries([
    ['x', draw([time, batch, cell.inputSize])],
    ...cell.parameters.filter((p) => p.trainable).map((p) => [`w.${p.name}`, draw(p.shape)]),
    ...Object.entries(cell.stateSizes)
      .filter(([name]) => !cell.ownStates.includes(name))
      .map(([name, size]) => [`s.${name}`, draw([batch, size])]),
  ]);
}

function fixedWeight({ shape, initializer }: ParameterSpec, random: Random): Tensor {
  if (initializer.kind !== 'drawn') throw new Error('a fixed weight draws its values');
  return tensor(initializer.draw(shape, random), [...shape]);
}

function run(
  cell: Cell,
  tensors: Readonly<Record<string, Tensor>>,
  mask: SequenceMask,
  direction: Direction,
  fused: boolean,
): Sequence {
  const fixed = new Random(13);
  const w: Weights = Object.fromEntries(
    cell.parameters.map((p) => [p.name, tensors[`w.${p.name}`] ?? fixedWeight(p, fixed)]),
  );
  const own = cell.initial(mask.batch);
  const s: State = Object.fromEntries(
    Object.keys(cell.stateSizes).map((n) => [n, (tensors[`s.${n}`] ?? own[n]!) as Tensor2D]),
  );
  const x = tensors.x as Tensor3D;
  if (fused) return runSequence(cell, w, x, s, mask, direction);
  if (direction === 'forward') return scanCell(cell, w, x, s, mask);
  const { outputs, final } = scanCell(cell, w, mask.reverse(x), s, mask);
  return { outputs: mask.reverse(outputs), final };
}

/** A scalar that every output and every final state enters with a weight of its own. */
function probe(cell: Cell, { outputs, final }: Sequence): Scalar {
  const spread = (t: Tensor): Scalar => {
    const weights = Float32Array.from({ length: t.size }, (_, k) => Math.sin(k + 1) * 0.3);
    return sum(mul(t, tensor(weights, t.shape))) as Scalar;
  };
  const states = Object.keys(cell.stateSizes).map((name) => spread(final[name]!));
  return states.reduce((a, b) => add(a, b), spread(outputs));
}

const CASES: ReadonlyArray<{ name: string; time: number; lengths: number[] }> = [
  { name: 'rows of full length', time: 4, lengths: [4, 4, 4] },
  { name: 'rows of different length, one empty', time: 5, lengths: [5, 0, 2, 3] },
  { name: 'batch of one with padding', time: 3, lengths: [2] },
  { name: 'a single step', time: 1, lengths: [1, 1] },
];
const DIRECTIONS: readonly Direction[] = ['forward', 'backward'];

describeOnEngines('sequence kernels', (engineName) => {
  const best = engineName === presentEngines()[0];
  // Every kind on every engine; what other options change are operations that all engines share.
  for (const [name, options] of best
    ? CELLS
    : CELLS.filter(([kind]) => CELL_KINDS.includes(kind as CellKind))) {
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
