import type { Attribute, Handle, NativeOps } from '../engine/native.js';
import { batchProduct, oneDnnProduct } from '../engine/products.js';
import { Operations } from './operations.js';
import type { LstmWeights } from './step-weights.js';

/**
 * Up to so many rows Eigen's product is the faster one, and the block cell that is made on it; above, oneDNN's, whose
 * calls cost 0.1 ms more.
 */
export const FEW_ROWS = 8;

const FLOAT = { T: { type: 'float32' } } as const;

/** The operations of a decoder step: those of all kernels and some of its own, with constants made once. */
export class StepOperations extends Operations {
  readonly #gather: readonly Attribute[];
  readonly #batchMatMul: readonly Attribute[];
  readonly #batchMatMulTransposed: readonly Attribute[];
  readonly #cell: readonly Attribute[];
  readonly #thirds: readonly Attribute[];
  readonly #slice: readonly Attribute[];
  readonly #first: Handle;
  readonly #second: Handle;

  constructor(native: NativeOps) {
    super(native);
    this.#gather = native.attributes({
      Tparams: { type: 'float32' },
      Tindices: { type: 'int32' },
      Taxis: { type: 'int32' },
      batch_dims: { int: 0 },
    });
    const types = { Ta: { type: 'float32' }, Tb: { type: 'float32' }, Tout: { type: 'float32' } } as const;
    const products = (transposed: boolean) =>
      native.attributes({ ...types, adj_x: { bool: false }, adj_y: { bool: transposed } });
    this.#batchMatMul = products(false);
    this.#batchMatMulTransposed = products(true);
    // No forget bias of its own (ours is a parameter), nothing clipped, no peepholes.
    const plain = { forget_bias: { float: 0 }, cell_clip: { float: -1 }, use_peephole: { bool: false } };
    this.#cell = native.attributes({ ...FLOAT, ...plain });
    this.#thirds = native.attributes({ ...FLOAT, num_split: { int: 3 } });
    this.#slice = native.attributes({ ...FLOAT, Index: { type: 'int32' } });
    this.#first = native.constant([], 'int32', [0]);
    this.#second = native.constant([], 'int32', [1]);
  }

  free(): void {
    this.native.free(this.#first);
    this.native.free(this.#second);
  }

  indices(values: Int32Array): Handle {
    return this.native.constant([values.length], 'int32', values);
  }

  /** These rows of each. */
  rowsOf(all: readonly Handle[], rows: Int32Array | null): readonly Handle[] {
    if (rows === null) return all;
    const index = this.indices(rows);
    return all.map((handle) => this.gather(handle, index));
  }

  gather(from: Handle, index: Handle): Handle {
    return this.native.one('GatherV2', this.#gather, [from, index, this.#first]);
  }

  /** x w for x `[rows, m]` and w `[m, n]`. */
  product(x: Handle, w: Handle, rows: number): Handle {
    return rows <= FEW_ROWS
      ? this.native.one('BatchMatMulV3', this.#batchMatMul, [x, w])
      : oneDnnProduct(x, w);
  }

  /** x y for each of a batch. */
  products(x: Handle, y: Handle): Handle {
    return this.native.one('BatchMatMulV3', this.#batchMatMul, [x, y]);
  }

  /** x y' for each of a batch; Eigen is slow at many of these. */
  productsTransposed(x: Handle, y: Handle, rows: number): Handle {
    return rows <= FEW_ROWS
      ? this.native.one('BatchMatMulV3', this.#batchMatMulTransposed, [x, y])
      : batchProduct(x, y, false, true);
  }

  lstmCell(x: Handle, c: Handle, h: Handle, { joint, peephole, jointBias }: LstmWeights): Handle[] {
    const inputs = [x, c, h, joint, peephole, peephole, peephole, jointBias];
    return this.native.run('LSTMBlockCell', this.#cell, inputs, 7);
  }

  /** Columns side by side. */
  joined(parts: readonly Handle[]): Handle {
    return parts.length === 1 ? parts[0]! : this.joinerAlong(parts.length, this.#second)(parts);
  }

  split(x: Handle, widths: readonly number[]): Handle[] {
    return this.splitterAlong(widths, this.#second)(x);
  }

  thirds(x: Handle): Handle[] {
    return this.native.run('Split', this.#thirds, [this.#second, x], 3);
  }

  /** The first columns. */
  columns(x: Handle, count: number): Handle {
    const begin = this.native.constant([2], 'int32', [0, 0]);
    const size = this.native.constant([2], 'int32', [-1, count]);
    return this.native.one('Slice', this.#slice, [x, begin, size]);
  }
}
