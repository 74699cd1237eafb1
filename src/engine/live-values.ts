import { backend, getBackend, type Tensor, type TensorInfo } from '@tensorflow/tfjs-core';

/** The part of the wasm backend that is used here. */
export interface WasmMemory {
  makeOutput(shape: number[], dtype: 'float32'): TensorInfo;
  typedArrayFromHeap(tensor: TensorInfo): Float32Array;
}

/**
 * The tensor's own numbers in the memory of the wasm engine, not a copy: to be read and written until something else is
 * allocated, which may move that memory. Null on the other engines.
 */
export function liveValues(tensor: Tensor): Float32Array | null {
  if (getBackend() !== 'wasm') return null;
  return (backend() as unknown as WasmMemory).typedArrayFromHeap(tensor);
}
