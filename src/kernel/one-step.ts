import { customGrad, type Tensor, type Tensor2D, type Tensor3D, zerosLike } from '@tensorflow/tfjs-core';
import type { Cell, State, Weights } from '../cell/cell.js';
import type { SequenceMask } from './mask.js';
import { scan } from './scan.js';

/**
 * Runs a cell over a sequence as any kernel does, but the gradient of a step's output ends at that step: the state before
 * it counts as one more input (Elman 1990, whose context units are copies). No gradient enters `initial`.
 *
 * @returns outputs `[time, batch, outputSize]`, zero at padded steps
 */
export function scanWithOneStepGradient(
  cell: Cell,
  w: Weights,
  x: Tensor3D,
  initial: State,
  mask: SequenceMask,
): Tensor3D {
  const prepared = cell.prepare(w);
  const step = (xt: Tensor2D, before: State) => {
    const { state } = cell.step(prepared, xt, detached(before));
    return { output: cell.read(state), state };
  };
  return scan(step, cell.project(w, x), initial, mask).outputs;
}

/** The same values, through which no gradient flows. */
function detached(state: State): State {
  const detach = customGrad((value) => ({
    value: (value as Tensor).clone(),
    gradFunc: (dy: Tensor) => zerosLike(dy),
  }));
  return Object.fromEntries(Object.entries(state).map(([name, value]) => [name, detach(value) as Tensor2D]));
}
