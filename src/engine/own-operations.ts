import { getBackend, Tensor } from '@tensorflow/tfjs-core';
import { hasCompiledKernels } from './compiled-kernels.js';
import { type Handle, nativeOps } from './native.js';
import { hasPortableKernels, portableKernels } from './portable-kernels.js';

/** Numbers that an operation takes beside its tensors. */
export interface Numbers {
  readonly dtype: 'float32' | 'int32';
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

export type Operand = Tensor | Numbers;

/** What else a run has to know. */
export interface RunOptions {
  /** Of a recurrent layer: each row is read from its last real step to its first. */
  readonly backward?: boolean;
  /** Of a recurrent layer: the final states follow the states of all steps. */
  readonly ends?: boolean;
  /** Operands that the operation changes in their place: tensors that nobody else reads. */
  readonly changed?: readonly number[];
}

/** Our own operations (src/kernel/compiled/bodies.h), each a kernel that nobody else has. */
export interface OwnOperations {
  /** @returns its outputs, of which there are so many */
  run(name: string, operands: readonly Operand[], outputs: number, options?: RunOptions): Tensor[];
}

/** A number without axes. */
export function number(dtype: Numbers['dtype'], value: number): Numbers {
  return { dtype, shape: [], values: [value] };
}

/** As operations of TensorFlow. Small layers feel every array and every scope that is made for a call. */
const native: OwnOperations = {
  run(name, operands, outputs, { backward, ends } = {}) {
    const ops = nativeOps();
    const attributes =
      backward === undefined || ends === undefined
        ? []
        : ops.attributes({ backward: { bool: backward }, ends: { bool: ends } });
    const handleOf = (operand: Operand): Handle =>
      operand instanceof Tensor
        ? ops.from(operand)
        : ops.constant([...operand.shape], operand.dtype, operand.values);
    const run = (): Handle[] => ops.run(name, attributes, operands.map(handleOf), outputs);
    // Handles of tensors are the engine's; those of numbers are ours to free.
    const handles = operands.every((operand) => operand instanceof Tensor) ? run() : ops.scope(run);
    return handles.map((handle) => ops.toTensor(handle));
  },
};

/** Our operations on the running engine; null where it does not have them, or `DRAGOMAN_KERNELS` switches them off. */
export function ownOperations(): OwnOperations | null {
  if (getBackend() === 'wasm') return hasPortableKernels() ? portableKernels() : null;
  return hasCompiledKernels() ? native : null;
}
