import type { Precision } from './products.js';

/** Kinds of processor, each with what those before it have. */
export const PROCESSORS = ['baseline', 'avx2', 'avx512', 'amx'] as const;

/**
 * The compiled addon (src/kernel/compiled/addon.cc), whose loading registers the operations with TensorFlow. Its functions
 * work on arrays row by row and throw where one has another size than the others ask for.
 */
export interface KernelsAddon {
  /**
   * @param most place among {@link PROCESSORS} of the best that is wanted
   * @returns the processor that the kernels were chosen for: `baseline`, `avx2`, `avx512`, `avx512_bf16`, `amx_bf16`, and with
   *   int8 behind a comma `int8_baseline`, `int8_avx2`, `int8_avx512_vnni`, `int8_amx`; null where there are none for such
   *   products
   */
  start(threads: number, products: Precision, most: number): string | null;

  /** How many numbers a packed matrix takes. */
  packedSize(depth: number, groups: number, columns: number): number;

  /**
   * @param from first column that is packed
   * @param stride numbers from row to row of the matrix; if it is given transposed, from column to column
   */
  pack(
    depth: number,
    groups: number,
    columns: number,
    from: number,
    stride: number,
    transposed: boolean,
    matrix: Float32Array,
    panels: Float32Array,
  ): void;

  /**
   * Columns side by side. @param values matrices; @param sizes their columns; @param places of each the row that stands in each
   * row of `joined [rows, the sum of sizes]`, empty where it is the same
   */
  join(
    rows: number,
    values: readonly Float32Array[],
    sizes: readonly number[],
    places: readonly Int32Array[],
    joined: Float32Array,
  ): void;

  /** y = x W + b, or its tanh. @param x `[rows, depth]`; @param panels W, packed; @param y `[rows, columns]` */
  linear(
    rows: number,
    depth: number,
    columns: number,
    tanh: boolean,
    x: Float32Array,
    panels: Float32Array,
    bias: Float32Array,
    y: Float32Array,
  ): void;

  /** The k largest of each row, largest first and equal ones by lower id, and ln Σ exp of the row. */
  best(
    rows: number,
    columns: number,
    k: number,
    logits: Float32Array,
    ids: Int32Array,
    values: Float32Array,
    normalisers: Float32Array,
  ): void;

  /** One direction of a layer: src/kernel/packed-layer.ts. */
  encoderLayer(
    isGru: boolean,
    backward: boolean,
    batch: number,
    time: number,
    input: number,
    hidden: number,
    stride: number,
    from: number,
    lengths: Int32Array,
    x: Float32Array,
    initial: readonly Float32Array[],
    weights: readonly Float32Array[],
    outputs: Float32Array,
    last: Float32Array,
  ): void;

  /** A decoder step: src/kernel/compiled-decoder.ts. */
  decoderStep(
    layers: number,
    shape: Int32Array,
    previous: Int32Array,
    parents: Int32Array,
    sources: Int32Array,
    floats: readonly Float32Array[],
  ): void;

  /** Attention of any rows, each to its own source: src/kernel/compiled-forcing.ts. */
  attend(
    scoring: number,
    rows: number,
    batch: number,
    length: number,
    query: number,
    size: number,
    sources: Int32Array,
    queries: Float32Array,
    keys: Float32Array,
    memory: Float32Array,
    bias: Float32Array,
    vector: Float32Array,
    contexts: Float32Array,
    weights: Float32Array,
  ): void;

  /** ln softmax(x W + b) of each row's label. @param x `[rows, depth]`; @param panels W, packed */
  scores(
    rows: number,
    depth: number,
    columns: number,
    x: Float32Array,
    panels: Float32Array,
    bias: Float32Array,
    labels: Int32Array,
    scores: Float32Array,
  ): void;
}
