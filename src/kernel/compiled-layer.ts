import { reshape, split, type Tensor2D, type Tensor3D } from '@tensorflow/tfjs-core';
import type { State } from '../cell/cell.js';
import { type Attribute, type Handle, nativeOps } from '../engine/native.js';
import { product } from '../engine/products.js';
import { operations } from './operations.js';
import type { Sequence } from './scan.js';
import type { Direction, Wanted } from './sequence.js';

/** Attributes of the compiled layers' operations. */
export function layerOptions(direction: Direction, wanted: Wanted): readonly Attribute[] {
  return nativeOps().attributes({
    backward: { bool: direction === 'backward' },
    ends: { bool: wanted === 'states' },
  });
}

/** `[time, batch, size]` as the rows of a matrix. */
export function rowsOf(sequence: Handle): Handle {
  const [time, batch, size] = sequence.shape as [number, number, number];
  return operations().reshape(sequence, [time * batch, size]);
}

/** A layer's product with all its inputs `[time, batch, input]`, which waits for no state. */
export function byInput(x: Handle, kernel: Handle): Handle {
  const [time, batch] = x.shape as [number, number];
  return operations().reshape(product(rowsOf(x), kernel), [time, batch, kernel.shape[1]!]);
}

/**
 * Gradients of what {@link byInput} multiplies.
 * @param dz by the gates of all steps `[time, batch, gates]`
 */
export function throughInput(x: Handle, kernel: Handle, dz: Handle): { dx: Handle; dKernel: Handle } {
  const rows = rowsOf(dz);
  return {
    dx: operations().reshape(product(rows, kernel, false, true), x.shape),
    dKernel: product(rowsOf(x), rows, true),
  };
}

/**
 * What a layer's operation gives, taken apart.
 * @param value states after each step, and after them the final states if they are wanted
 * @param initial in the order in which the final ones stand
 */
export function sequenceOf(value: Tensor3D, initial: State, wanted: Wanted): Sequence {
  if (wanted === 'outputs') return { outputs: value, final: {} };
  const names = Object.keys(initial);
  const steps = value.shape[0] - names.length;
  const [outputs, ...ends] = split(value, [steps, ...names.map(() => 1)]) as Tensor3D[];
  const final = names.map((name, k) => [name, reshape(ends[k]!, initial[name]!.shape) as Tensor2D] as const);
  return { outputs: outputs!, final: Object.fromEntries(final) };
}
