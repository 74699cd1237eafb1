import {
  add,
  mul,
  type Scalar,
  sum,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  tensor,
} from '@tensorflow/tfjs-core';
import type { Cell, ParameterSpec, State, Weights } from '../../src/cell/cell.js';
import type { SequenceMask } from '../../src/kernel/mask.js';
import type { Sequence } from '../../src/kernel/scan.js';
import { type Direction, runSequence, scanCell } from '../../src/kernel/sequence.js';
import { Random } from '../../src/random.js';
import type { Input } from '../finite-differences.js';

/** Random inputs, trained weights and initial states of a cell: what has a gradient. */
export function inputsOf(cell: Cell, time: number, batch: number, seed: number): Record<string, Input> {
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

/** The cell over a sequence, by its kernel or by {@link scanCell}. */
export function run(
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
export function probe(cell: Cell, { outputs, final }: Sequence): Scalar {
  const spread = (t: Tensor): Scalar => {
    const weights = Float32Array.from({ length: t.size }, (_, k) => Math.sin(k + 1) * 0.3);
    return sum(mul(t, tensor(weights, t.shape))) as Scalar;
  };
  const states = Object.keys(cell.stateSizes).map((name) => spread(final[name]!));
  return states.reduce((a, b) => add(a, b), spread(outputs));
}

/** Inputs of {@link inputsOf} as tensors, weights so small that the gates of many units are not all open or closed. */
export function scaledTensors(
  inputs: Readonly<Record<string, Input>>,
  hidden: number,
): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { values, shape }]) => {
      const scale = name.startsWith('w.') ? 2 / Math.sqrt(hidden) : 1;
      const small = values.map((v) => v * scale);
      return [name, tensor(small, shape)];
    }),
  );
}
