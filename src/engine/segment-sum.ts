import {
  getKernel,
  type KernelBackend,
  type KernelFunc,
  registerKernel,
  type Tensor,
  UnsortedSegmentSum,
  unregisterKernel,
} from '@tensorflow/tfjs-core';
import { DragomanError } from '../errors.js';
import { hasCompiledKernels } from './compiled-kernels.js';
import { nativeOps } from './native.js';

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

/**
 * Registers our own operation (src/kernel/compiled/training.h) for `tensorflow`, where it is compiled: TensorFlow's takes
 * three times as long. To be called once, when the engine is loaded.
 */
export function registerNativeSegmentSum(): void {
  const original = getKernel(UnsortedSegmentSum, 'tensorflow');
  const kernelFunc: KernelFunc = (call) => {
    const { x, segmentIds } = call.inputs as { x: Tensor; segmentIds: Tensor };
    const { numSegments } = call.attrs as { numSegments: number };
    const isTable = x.shape.length === 2 && segmentIds.shape.length === 1;
    if (!hasCompiledKernels() || !isTable || x.dtype !== 'float32' || segmentIds.dtype !== 'int32') {
      return original.kernelFunc(call);
    }
    const native = nativeOps();
    return native.toTensor(
      native.scope(() => {
        const segments = native.constant([], 'int32', [numSegments]);
        return native.one('DragomanSegmentSum', [], [native.from(x), native.from(segmentIds), segments]);
      }),
    );
  };
  unregisterKernel(UnsortedSegmentSum, 'tensorflow');
  registerKernel({ ...original, kernelFunc });
}

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
