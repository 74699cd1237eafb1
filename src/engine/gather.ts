import {
  GatherV2,
  type GatherV2Attrs,
  getKernel,
  type KernelBackend,
  type KernelFunc,
  registerKernel,
  type Tensor,
  type TensorInfo,
  unregisterKernel,
} from '@tensorflow/tfjs-core';
import { DragomanError } from '../errors.js';
import type { WasmMemory } from './live-values.js';
import { nativeOps } from './native.js';

/**
 * Registers TensorFlow's own look-up for `tensorflow`: the kernel of tfjs-node reads the indices back first, to see that
 * all are there, which TensorFlow does too. To be called once, when the engine is loaded.
 */
export function registerNativeGather(): void {
  const original = getKernel(GatherV2, 'tensorflow');
  const kernelFunc: KernelFunc = (call) => {
    const { x, indices } = call.inputs as { x: Tensor; indices: Tensor };
    const { axis, batchDims } = call.attrs as unknown as GatherV2Attrs;
    if (x.dtype !== 'float32' || indices.dtype !== 'int32') return original.kernelFunc(call);
    const native = nativeOps();
    const attributes = native.attributes({
      batch_dims: { int: batchDims },
      Tparams: { type: 'float32' },
      Tindices: { type: 'int32' },
      Taxis: { type: 'int32' },
    });
    return native.toTensor(
      native.scope(() => {
        const along = native.constant([], 'int32', [axis]);
        return native.one(GatherV2, attributes, [native.from(x), native.from(indices), along]);
      }),
    );
  };
  unregisterKernel(GatherV2, 'tensorflow');
  registerKernel({ ...original, kernelFunc });
}

let registered = false;

/**
 * Registers a look-up of rows for `wasm`, whose own goes number by number and takes twenty times as long. Other look-ups
 * stay with the engine's kernel.
 */
export function registerGather(): void {
  if (registered) return;
  registered = true;
  const original = getKernel(GatherV2, 'wasm');
  const kernelFunc: KernelFunc = (call) => {
    const { x, indices } = call.inputs as { x: Tensor; indices: Tensor };
    const { axis, batchDims } = call.attrs as unknown as GatherV2Attrs;
    const rows = axis === 0 && batchDims === 0 && x.dtype === 'float32' && x.shape.length === 2;
    return rows
      ? gatherRows(call.backend as KernelBackend & WasmMemory, x, indices)
      : original.kernelFunc(call);
  };
  unregisterKernel(GatherV2, 'wasm');
  registerKernel({ ...original, kernelFunc });
}

/** @param x `[n, width]`; @param indices int32, any shape */
function gatherRows(memory: KernelBackend & WasmMemory, x: TensorInfo, indices: TensorInfo): TensorInfo {
  const [n, width] = x.shape as [number, number];
  const ids = memory.readSync(indices.dataId) as Int32Array;
  const out = memory.makeOutput([...indices.shape, width], 'float32');
  const [from, to] = [memory.typedArrayFromHeap(x), memory.typedArrayFromHeap(out)];
  const heap = new Float32Array(to.buffer);
  const [source, target] = [from.byteOffset / 4, to.byteOffset / 4];
  for (let row = 0; row < ids.length; row++) {
    const id = ids[row]!;
    if (!(id >= 0 && id < n)) {
      throw new DragomanError('engine', `look-up: expected a row from 0 to ${n - 1}, got ${id}`);
    }
    const start = source + id * width;
    heap.copyWithin(target + row * width, start, start + width);
  }
  return out;
}
