import { type Attribute, type Attributes, type Handle, type NativeOps, nativeOps } from '../engine/native.js';

const T = { type: 'float32' } as const;
const INDEX = { type: 'int32' } as const;

/** Attributes of the operations that take or give any number of tensors. */
const COUNTED = {
  AddN: (count) => ({ T, N: { int: count } }),
  ConcatV2: (count) => ({ T, N: { int: count }, Tidx: INDEX }),
  Pack: (count) => ({ T, N: { int: count }, axis: { int: 0 } }),
  SplitV: (count) => ({ T, num_split: { int: count }, Tlen: INDEX }),
  Unpack: (count) => ({ T, num: { int: count }, axis: { int: 0 } }),
} as const satisfies Readonly<Record<string, (count: number) => Attributes>>;

/** TensorFlow's operations on raw handles of floats, of which the native kernels are made, with attributes made once. */
export class Operations {
  /** Attributes of operations that have none but the type. */
  readonly float: readonly Attribute[];
  readonly #permuting: readonly Attribute[];
  readonly #reshaping: readonly Attribute[];
  readonly #summing: readonly Attribute[];
  readonly #summingKept: readonly Attribute[];
  readonly #making: readonly Attribute[];
  readonly #counted = new Map<string, readonly Attribute[]>();

  constructor(readonly native: NativeOps) {
    this.float = native.attributes({ T });
    this.#permuting = native.attributes({ T, Tperm: INDEX });
    this.#reshaping = native.attributes({ T, Tshape: INDEX });
    const summing = (keep: boolean) => native.attributes({ T, Tidx: INDEX, keep_dims: { bool: keep } });
    this.#summing = summing(false);
    this.#summingKept = summing(true);
    this.#making = native.attributes({ dtype: T, init: { bool: true } });
  }

  add = (a: Handle, b: Handle): Handle => this.native.one('AddV2', this.float, [a, b]);
  sub = (a: Handle, b: Handle): Handle => this.native.one('Sub', this.float, [a, b]);
  mul = (a: Handle, b: Handle): Handle => this.native.one('Mul', this.float, [a, b]);
  /** A vector added to every row. */
  biasAdd = (a: Handle, b: Handle): Handle => this.native.one('BiasAdd', this.float, [a, b]);
  sigmoid = (x: Handle): Handle => this.native.one('Sigmoid', this.float, [x]);
  tanh = (x: Handle): Handle => this.native.one('Tanh', this.float, [x]);
  /** dy y (1 - y), from y and dy. */
  sigmoidGrad = (y: Handle, dy: Handle): Handle => this.native.one('SigmoidGrad', this.float, [y, dy]);
  /** dy (1 - y²), from y and dy. */
  tanhGrad = (y: Handle, dy: Handle): Handle => this.native.one('TanhGrad', this.float, [y, dy]);
  /** Over the last axis. */
  softmax = (x: Handle): Handle => this.native.one('Softmax', this.float, [x]);

  sum = (x: Handle, axis: number, keepDims = false): Handle =>
    this.native.one('Sum', keepDims ? this.#summingKept : this.#summing, [x, this.scalar(axis)]);
  addN = (terms: readonly Handle[]): Handle =>
    this.native.one('AddN', this.#attributes('AddN', terms.length), terms);

  zeros = (shape: readonly number[]): Handle => this.native.one('Empty', this.#making, [this.ints(shape)]);
  transpose = (x: Handle, axes: readonly number[] = [1, 0]): Handle =>
    this.native.one('Transpose', this.#permuting, [x, this.ints(axes)]);
  reshape = (x: Handle, shape: readonly number[]): Handle =>
    this.native.one('Reshape', this.#reshaping, [x, this.ints(shape)]);

  /** One handle a step to `[time, …]`. */
  pack = (steps: readonly Handle[]): Handle =>
    this.native.one('Pack', this.#attributes('Pack', steps.length), steps);
  /** `[time, …]` to one handle a step, which share its memory. */
  unpack = (sequence: Handle): Handle[] => {
    const time = sequence.shape[0]!;
    return this.native.run('Unpack', this.#attributes('Unpack', time), [sequence], time);
  };

  /** Joins so many handles along an axis. */
  joiner = (count: number, axis: number): ((parts: readonly Handle[]) => Handle) =>
    this.joinerAlong(count, this.scalar(axis));
  /** The same along an axis that is a handle. */
  joinerAlong = (count: number, axis: Handle): ((parts: readonly Handle[]) => Handle) => {
    const attributes = this.#attributes('ConcatV2', count);
    return (parts) => this.native.one('ConcatV2', attributes, [...parts, axis]);
  };
  /** Splits along an axis into parts of these sizes. */
  splitter = (sizes: readonly number[], axis: number): ((x: Handle) => Handle[]) =>
    this.splitterAlong(sizes, this.scalar(axis));
  /** The same along an axis that is a handle. */
  splitterAlong = (sizes: readonly number[], axis: Handle): ((x: Handle) => Handle[]) => {
    const attributes = this.#attributes('SplitV', sizes.length);
    const parts = this.ints(sizes);
    return (x) => this.native.run('SplitV', attributes, [x, parts, axis], sizes.length);
  };

  ints = (values: readonly number[]): Handle => this.native.constant([values.length], 'int32', values);
  scalar = (value: number): Handle => this.native.constant([], 'int32', [value]);

  #attributes(name: keyof typeof COUNTED, count: number): readonly Attribute[] {
    const key = `${name} ${count}`;
    let made = this.#counted.get(key);
    if (made === undefined) {
      made = this.native.attributes(COUNTED[name](count));
      this.#counted.set(key, made);
    }
    return made;
  }
}

let shared: Operations | undefined;

/** The operations of the running tensorflow engine. */
export function operations(): Operations {
  const native = nativeOps();
  if (shared?.native !== native) shared = new Operations(native);
  return shared;
}
