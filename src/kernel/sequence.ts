import { getBackend, type Tensor2D, type Tensor3D } from '@tensorflow/tfjs-core';
import type { Cell, State, Weights } from '../cell/cell.js';
import type { CellKind } from '../config.js';
import { ownOperations } from '../engine/own-operations.js';
import { COMPILED_LAYERS } from './compiled-layer.js';
import { fusedGru } from './gru.js';
import { fusedLstm } from './lstm.js';
import type { SequenceMask } from './mask.js';
import { isDifferentiated, runRecurrence } from './recurrence.js';
import { type Sequence, scan } from './scan.js';

export type Direction = 'forward' | 'backward';

/** What is wanted of a sequence: outputs only, or the final state too, which costs time and memory. */
export type Wanted = 'outputs' | 'states';

/** Runs a cell forward over a padded sequence: a faster twin of {@link scanCell}. */
export type SequenceKernel = (
  cell: Cell,
  w: Weights,
  x: Tensor3D,
  initial: State,
  mask: SequenceMask,
  wanted: Wanted,
) => Sequence;

/** A kernel that reads rows in either direction by itself. */
export type DirectedKernel = (
  cell: Cell,
  w: Weights,
  x: Tensor3D,
  initial: State,
  mask: SequenceMask,
  direction: Direction,
  wanted: Wanted,
) => Sequence;

/** The reference kernel: any cell, any engine, gradients by automatic differentiation. */
export function scanCell(cell: Cell, w: Weights, x: Tensor3D, initial: State, mask: SequenceMask): Sequence {
  const prepared = cell.prepare(w);
  const step = (xt: Tensor2D, before: State) => {
    const { state } = cell.step(prepared, xt, before);
    return { output: cell.read(state), state };
  };
  return scan(step, cell.project(w, x), initial, mask);
}

/** The fastest kernel that serves any cell on any engine. */
const generic: SequenceKernel = (cell, w, x, initial, mask, wanted) =>
  isDifferentiated(cell)
    ? runRecurrence(cell, w, x, initial, mask, wanted)
    : scanCell(cell, w, x, initial, mask);

/** Kernels of single cells for single engines, faster than the generic one. */
const FUSED: Readonly<Partial<Record<CellKind, Readonly<Record<string, SequenceKernel>>>>> = {
  gru: { tensorflow: fusedGru },
  lstm: { tensorflow: fusedLstm, wasm: fusedLstm, cpu: fusedLstm },
};

/**
 * Runs a cell over a padded sequence with the fastest kernel that there is for this engine.
 *
 * @param w the cell's weights under their local names
 * @param x inputs `[time, batch, inputSize]`
 * @param initial the state before the first step read, each `[batch, size]`
 * @param direction `backward` reads each row from its own last real step to its first; outputs stay in place
 * @returns outputs `[time, batch, outputSize]`, zero at padded steps, and if `states` are wanted the state after the last
 *   step read, else an empty one
 */
export function runSequence(
  cell: Cell,
  w: Weights,
  x: Tensor3D,
  initial: State,
  mask: SequenceMask,
  direction: Direction = 'forward',
  wanted: Wanted = 'states',
): Sequence {
  const compiled = COMPILED_LAYERS[cell.kind];
  if (compiled !== undefined && ownOperations() !== null)
    return compiled(cell, w, x, initial, mask, direction, wanted);
  const kernel = FUSED[cell.kind]?.[getBackend()] ?? generic;
  if (direction === 'forward') return kernel(cell, w, x, initial, mask, wanted);
  const { outputs, final } = kernel(cell, w, mask.reverse(x), initial, mask, wanted);
  return { outputs: mask.reverse(outputs), final };
}
