import type { Handle, NativeOps } from '../engine/native.js';
import { batchProduct, oneDnnProduct } from '../engine/products.js';
import type { LayerWeights } from './step-weights.js';

/**
 * Up to so many rows Eigen's product is the faster one, and the block cell that is made on it; above, oneDNN's, whose
 * calls cost 0.1 ms more.
 */
export const FEW_ROWS = 8;

const FLOAT = { T: { type: 'float32' } } as const;

/** TensorFlow's operations of a decoder step, with their attributes and constants made once. */
export class StepOperations {
  readonly native: NativeOps;
  readonly #float;
  readonly #gather;
  readonly #batchMatMul;
  readonly #batchMatMulTransposed;
  readonly #reshape;
  readonly #cell;
  readonly #thirds;
  readonly #slice;
  readonly #first: Handle;
  readonly #second: Handle;

  constructor(native: NativeOps) {
    this.native = native;
    this.#float = native.attributes(FLOAT);
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
    this.#reshape = native.attributes({ ...FLOAT, Tshape: { type: 'int32' } });
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

  lstmCell(x: Handle, c: Handle, h: Handle, { joint, peephole, jointBias }: LayerWeights): Handle[] {
    const inputs = [x, c, h, joint!, peephole!, peephole!, peephole!, jointBias];
    return this.native.run('LSTMBlockCell', this.#cell, inputs, 7);
  }

  reshape(x: Handle, shape: number[]): Handle {
    return this.native.one('Reshape', this.#reshape, [
      x,
      this.native.constant([shape.length], 'int32', shape),
    ]);
  }

  /** Columns side by side. */
  joined(parts: readonly Handle[]): Handle {
    if (parts.length === 1) return parts[0]!;
    const attributes = this.native.attributes({
      ...FLOAT,
      N: { int: parts.length },
      Tidx: { type: 'int32' },
    });
    return this.native.one('ConcatV2', attributes, [...parts, this.#second]);
  }

  split(x: Handle, widths: number[]): Handle[] {
    const { native } = this;
    const attributes = native.attributes({
      ...FLOAT,
      num_split: { int: widths.length },
      Tlen: { type: 'int32' },
    });
    const sizes = native.constant([widths.length], 'int32', widths);
    return native.run('SplitV', attributes, [x, sizes, this.#second], widths.length);
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

  add = (a: Handle, b: Handle): Handle => this.native.one('AddV2', this.#float, [a, b]);
  sub = (a: Handle, b: Handle): Handle => this.native.one('Sub', this.#float, [a, b]);
  mul = (a: Handle, b: Handle): Handle => this.native.one('Mul', this.#float, [a, b]);
  biasAdd = (a: Handle, b: Handle): Handle => this.native.one('BiasAdd', this.#float, [a, b]);
  sigmoid = (a: Handle): Handle => this.native.one('Sigmoid', this.#float, [a]);
  tanh = (a: Handle): Handle => this.native.one('Tanh', this.#float, [a]);
  softmax = (a: Handle): Handle => this.native.one('Softmax', this.#float, [a]);
}
