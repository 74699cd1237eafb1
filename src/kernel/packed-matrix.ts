import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { compiledKernels } from '../engine/compiled-kernels.js';

/** What is packed of a matrix `[depth, stride]`: groups of columns that are wanted together. */
export interface Packing {
  readonly depth: number;
  readonly groups?: number;
  readonly columns: number;
  /** The first column that is packed. */
  readonly from?: number;
  /** Numbers from row to row; if the matrix is given transposed, from column to column. */
  readonly stride?: number;
  readonly transposed?: boolean;
}

/** A matrix in the form that the compiled kernels multiply with. */
export function packed(
  matrix: Float32Array,
  { depth, groups = 1, columns, from = 0, stride = groups * columns, transposed = false }: Packing,
): Float32Array {
  const kernels = compiledKernels();
  const panels = new Float32Array(kernels.packedSize(depth, groups, columns));
  kernels.pack(depth, groups, columns, from, stride, transposed, matrix, panels);
  return panels;
}

/** x W, or x W + b, by the compiled kernels. */
export class PackedLinear {
  /** @param panels W, packed; @param bias b, `[columns]` */
  constructor(
    readonly depth: number,
    readonly columns: number,
    readonly panels: Float32Array,
    readonly bias: Float32Array,
  ) {}

  /** @param kernel W, `[depth, columns]`; @param bias b, `[columns]` */
  static of(kernel: Tensor2D, bias: Tensor1D | null): PackedLinear {
    const [depth, columns] = kernel.shape;
    return new PackedLinear(
      depth,
      columns,
      packed(kernel.dataSync<'float32'>(), { depth, columns }),
      bias === null ? new Float32Array(columns) : (bias.dataSync<'float32'>() as Float32Array),
    );
  }

  /** @param x `[rows, depth]`; @param y `[rows, columns]`, where the result goes; @returns it */
  run(
    x: Float32Array,
    follows: 'nothing' | 'tanh',
    y = new Float32Array((x.length / this.depth) * this.columns),
  ): Float32Array {
    const rows = x.length / this.depth;
    compiledKernels().linear(
      rows,
      this.depth,
      this.columns,
      follows === 'tanh',
      x,
      this.panels,
      this.bias,
      y,
    );
    return y;
  }
}
