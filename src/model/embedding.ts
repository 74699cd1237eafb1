import { gather, reshape, type Tensor1D, type Tensor2D, type Tensor3D } from '@tensorflow/tfjs-core';
import type { ParameterSpec } from '../cell/cell.js';

/** Of the order of a cell's other inputs, and what the reference systems start from. */
const DEVIATION = 0.1;

/** One vector per vocabulary entry. */
export function embeddingParameter(name: string, vocabulary: number, size: number): ParameterSpec {
  return {
    name,
    shape: [vocabulary, size],
    initializer: { kind: 'normal', deviation: DEVIATION },
    trainable: true,
  };
}

/**
 * @param table `[vocabulary, size]`
 * @param ids int32 `[time * batch]`, time-major
 * @returns `[time, batch, size]`
 */
export function embed(table: Tensor2D, ids: Tensor1D, batch: number): Tensor3D {
  return reshape(gather(table, ids), [-1, batch, table.shape[1]]);
}
