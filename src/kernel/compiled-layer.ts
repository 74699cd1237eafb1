import {
  reshape,
  split,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
} from '@tensorflow/tfjs-core';
import { weight } from '../cell/cell.js';
import type { CellKind } from '../config.js';
import { ownOperations } from '../engine/own-operations.js';
import { customOperation } from './custom-operation.js';
import type { DirectedKernel } from './sequence.js';

/** A layer among our own operations. */
interface CompiledLayer {
  /** Of the operation; its gradient's is that with `Gradient` behind it. */
  readonly operation: string;
  /** The cell's states, of which the first is its output. */
  readonly states: readonly string[];
  /** Results that the gradient needs beside the states. */
  readonly kept: number;
}

const LAYERS: Readonly<Partial<Record<CellKind, CompiledLayer>>> = {
  lstm: { operation: 'DragomanLstm', states: ['h', 'c'], kept: 2 },
  gru: { operation: 'DragomanGru', states: ['h'], kept: 1 },
};

/**
 * A whole layer by our own operation (src/kernel/compiled), forward and backward each in one call: it reads rows in
 * either direction and skips their padding.
 */
function kernelOf({ operation, states, kept }: CompiledLayer): DirectedKernel {
  return (_cell, w, x, initial, mask, direction, wanted) => {
    const operations = ownOperations()!;
    const options = { backward: direction === 'backward', ends: wanted === 'states' };
    const [h0, ...others] = states.map((name) => initial[name]!) as [Tensor2D, ...Tensor2D[]];
    const parameters = [weight(w, 'kernel'), weight(w, 'recurrent'), weight<Tensor1D>(w, 'bias')];
    const value = customOperation<Tensor3D>(
      [x, ...parameters, h0, ...others],
      (inputs) => {
        const lengths = mask.steps();
        const [sequence, ...rest] = operations.run(
          operation,
          withLengths(inputs, lengths),
          1 + kept,
          options,
        ) as [Tensor3D];
        return { value: sequence, kept: [lengths, sequence, ...rest] };
      },
      (by, inputs, [lengths, ...results]) => {
        const given = [...withLengths(inputs, lengths!), ...results, by];
        return operations.run(`${operation}Gradient`, given, inputs.length, options);
      },
    );
    if (wanted === 'outputs') return { outputs: value, final: {} };
    // The final states follow the states of all steps.
    const [outputs, ...ends] = split(value, [mask.time, ...states.map(() => 1)]) as [Tensor3D, ...Tensor3D[]];
    const final = states.map((name, k) => [name, reshape(ends[k]!, h0.shape) as Tensor2D] as const);
    return { outputs, final: Object.fromEntries(final) };
  };
}

/** The operations take the lengths after x, the three weights and the first state. */
function withLengths(inputs: readonly Tensor[], lengths: Tensor): Tensor[] {
  return [...inputs.slice(0, 5), lengths, ...inputs.slice(5)];
}

/** The fastest, where the engine has our operations. */
export const COMPILED_LAYERS: Readonly<Partial<Record<CellKind, DirectedKernel>>> = Object.fromEntries(
  Object.entries(LAYERS).map(([kind, layer]) => [kind, kernelOf(layer)]),
);
