import type { Tensor } from '@tensorflow/tfjs-core';

/** Multiplies rows `[batch, any]` by a matrix that stays the same. */
export type Product<H> = (rows: H) => H;

/** Which way a loop runs: forward it multiplies by W, backward by its transpose. */
export type Way = 'forward' | 'backward';

/** What one step of an LSTM made, each `[batch, hidden]`. */
export interface LstmGates<H> {
  readonly i: H;
  readonly g: H;
  readonly f: H;
  readonly o: H;
  readonly c: H;
  /** tanh(c) */
  readonly squashed: H;
}

/** The step of an LSTM behind its products. */
export interface LstmStep<H> {
  /**
   * @param z `[batch, 4 * hidden]`, the gates i, g, f, o before their functions
   * @param before the old cell state, `[batch, hidden]`
   */
  forward(z: H, before: H): { readonly gates: LstmGates<H>; readonly h: H };
  /** Gradients of z and of the old cell state from those of the new states. */
  back(gates: LstmGates<H>, before: H, dc: H, dh: H): readonly [dz: H, dc: H];
}

/**
 * The operations of kernels that are written once, with their derivatives, and run on every engine: `H` is a raw handle
 * on the tensorflow engine, which spares tfjs's bookkeeping, and a tensor on the others. Shapes broadcast as in tfjs.
 */
export interface Algebra<H> {
  from(tensor: Tensor): H;
  /** Gives a value to tfjs, in whose current tidy scope it then lives. */
  toTensor(value: H): Tensor;
  /** Frees everything made inside `f` but what it keeps, and returns its result. */
  scope<R>(f: () => { readonly result: R; readonly keep: readonly H[] }): R;
  shape(x: H): readonly number[];
  zeros(shape: readonly number[]): H;

  add(a: H, b: H): H;
  sub(a: H, b: H): H;
  mul(a: H, b: H): H;
  addN(values: readonly H[]): H;
  tanh(x: H): H;
  sigmoid(x: H): H;
  /** The gradient of z, y = tanh(z), from that of y. */
  throughTanh(dy: H, y: H): H;
  /** The gradient of z, y = sigmoid(z), from that of y. */
  throughSigmoid(dy: H, y: H): H;
  /** Over the last axis. */
  softmax(x: H): H;
  sum(x: H, axis: number, keepDims?: boolean): H;

  matMul(a: H, b: H, transposeA?: boolean, transposeB?: boolean): H;
  batchMatMul(a: H, b: H, transposeA?: boolean, transposeB?: boolean): H;
  /** The product that steps make with a matrix W, in whatever form the engine multiplies few rows fastest. */
  product(matrix: H, way: Way): Product<H>;
  lstm(batch: number, hidden: number): LstmStep<H>;

  reshape(x: H, shape: readonly number[]): H;
  transpose(x: H, axes: readonly number[]): H;
  concat(parts: readonly H[], axis: number): H;
  split(x: H, sizes: readonly number[], axis: number): H[];
  /** Stacks along a new first axis. */
  pack(steps: readonly H[]): H;
  unpack(x: H): H[];
}
