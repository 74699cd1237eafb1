import {
  type KernelBackend,
  type KernelFunc,
  registerKernel,
  UnsortedSegmentSum,
  unregisterKernel,
} from '@tensorflow/tfjs-core';
import { DragomanError } from '../errors.js';

/** Sums rows `values` [ids.length, width] that share an id into `sums` [segments, width]; others stay 0. */
export function segmentSum(
  values: ArrayLike<number>,
  ids: ArrayLike<number>,
  sums: Float32Array | Int32Array,
  width: number,
): void {
  const segments = width === 0 ? 0 : sums.length / width;
  for (let row = 0; row < ids.length; row++) {
    const id = ids[row]!;
    if (id < 0 || id >= segments) continue; // as TensorFlow does it
    const from = row * width;
    const to = id * width;
    for (let i = 0; i < width; i++) sums[to + i] = sums[to + i]! + values[from + i]!;
  }
}

/**
 * The kernel behind the gradient of an embedding look-up: sums[s] = Σ values[r] over the rows r with ids[r] = s.
 * Shapes: values [...ids.shape, ...rest], result [numSegments, ...rest].
 */
const kernelFunc: KernelFunc = ({ inputs, attrs, backend }) => {
  const { x, segmentIds } = inputs;
  const segments = attrs?.numSegments;
  if (!x || !segmentIds || typeof segments !== 'number') {
    throw new DragomanError('engine', 'UnsortedSegmentSum: expected x, segmentIds and numSegments');
  }
  const memory = backend as KernelBackend;
  const rest = x.shape.slice(segmentIds.shape.length);
  const width = rest.reduce((product, size) => product * size, 1);
  const sums = x.dtype === 'int32' ? new Int32Array(segments * width) : new Float32Array(segments * width);
  const values = memory.readSync(x.dataId) as Float32Array | Int32Array;
  segmentSum(values, memory.readSync(segmentIds.dataId) as Int32Array, sums, width);
  const shape = [segments, ...rest];
  return { dataId: memory.write(sums, shape, x.dtype), shape, dtype: x.dtype };
};

const registered = new Set<string>();

/**
 * Registers the kernel for `wasm`, which lacks it, or for `cpu`, whose own goes through all values once for each
 * segment: with a vocabulary of thousands, thousands of times for one batch.
 */
export function registerSegmentSum(backendName: 'wasm' | 'cpu'): void {
  if (registered.has(backendName)) return;
  registered.add(backendName);
  if (backendName === 'cpu') unregisterKernel(UnsortedSegmentSum, backendName);
  registerKernel({ kernelName: UnsortedSegmentSum, backendName, kernelFunc });
}
