import { type Attributes, type Handle, nativeOps } from '../engine/native.js';

const FLOAT: Attributes = { T: { type: 'float32' } };

/**
 * The operations of the recurrent kernels of the tensorflow engine, on raw handles, with their attributes made once.
 * @param time steps of the sequence
 */
export function operations(time: number) {
  const native = nativeOps();
  const float = native.attributes(FLOAT);
  const pack = native.attributes({ ...FLOAT, N: { int: time }, axis: { int: 0 } });
  const unpack = native.attributes({ ...FLOAT, num: { int: time }, axis: { int: 0 } });
  const permutation = native.attributes({ ...FLOAT, Tperm: { type: 'int32' } });
  const shaped = native.attributes({ ...FLOAT, Tshape: { type: 'int32' } });
  const unary = (name: string) => (a: Handle) => native.one(name, float, [a]);
  const binary = (name: string) => (a: Handle, b: Handle) => native.one(name, float, [a, b]);
  return {
    native,
    float,
    add: binary('AddV2'),
    sub: binary('Sub'),
    mul: binary('Mul'),
    sigmoid: unary('Sigmoid'),
    tanh: unary('Tanh'),
    /** dy y (1 - y), from y and dy. */
    sigmoidGrad: binary('SigmoidGrad'),
    /** dy (1 - y²), from y and dy. */
    tanhGrad: binary('TanhGrad'),
    transpose: (matrix: Handle) =>
      native.one('Transpose', permutation, [matrix, native.constant([2], 'int32', [1, 0])]),
    reshape: (a: Handle, shape: number[]) =>
      native.one('Reshape', shaped, [a, native.constant([shape.length], 'int32', shape)]),
    /** One handle a step to `[time, …]`. */
    pack: (steps: readonly Handle[]) => native.one('Pack', pack, steps),
    /** `[time, …]` to one handle a step, which share its memory. */
    unpack: (sequence: Handle) => native.run('Unpack', unpack, [sequence], time),
    /** Joins so many handles along an axis. */
    joiner: (count: number, axis: number) => {
      const attributes = native.attributes({ ...FLOAT, N: { int: count }, Tidx: { type: 'int32' } });
      const along = native.constant([], 'int32', [axis]);
      return (parts: readonly Handle[]) => native.one('ConcatV2', attributes, [...parts, along]);
    },
    /** Splits along an axis into parts of these sizes. */
    splitter: (sizes: number[], axis: number) => {
      const count = { int: sizes.length };
      const attributes = native.attributes({ ...FLOAT, num_split: count, Tlen: { type: 'int32' } });
      const inputs = [native.constant([sizes.length], 'int32', sizes), native.constant([], 'int32', [axis])];
      return (a: Handle) => native.run('SplitV', attributes, [a, ...inputs], sizes.length);
    },
    /** The sum of so many handles. */
    summer: (count: number) => {
      const attributes = native.attributes({ ...FLOAT, N: { int: count } });
      return (terms: readonly Handle[]) => native.one('AddN', attributes, terms);
    },
  };
}
