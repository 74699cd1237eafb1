import { type Handle, nativeOps } from '../engine/native.js';
import { batchProduct, product } from '../engine/products.js';
import type { Algebra, LstmStep } from './algebra.js';

const T = { type: 'float32' } as const;
const INDEX = { type: 'int32' } as const;

/** TensorFlow's operations on raw handles. Made once a kernel call: it holds attributes of the running engine. */
export function nativeAlgebra(): Algebra<Handle> {
  const native = nativeOps();
  const float = native.attributes({ T });
  const reshaping = native.attributes({ T, Tshape: INDEX });
  const permuting = native.attributes({ T, Tperm: INDEX });
  const axesOf = (keep: boolean) => native.attributes({ T, Tidx: INDEX, keep_dims: { bool: keep } });
  const [summing, summingKept] = [axesOf(false), axesOf(true)];
  const ints = (values: readonly number[]) => native.constant([values.length], 'int32', values);
  const axisOf = (axis: number) => native.constant([], 'int32', [axis]);
  const unary = (name: string) => (x: Handle) => native.one(name, float, [x]);
  const binary = (name: string) => (a: Handle, b: Handle) => native.one(name, float, [a, b]);
  const [add, sub, mul, tanh, sigmoid] = [
    binary('AddV2'),
    binary('Sub'),
    binary('Mul'),
    unary('Tanh'),
    unary('Sigmoid'),
  ] as const;
  const [tanhGrad, sigmoidGrad] = [binary('TanhGrad'), binary('SigmoidGrad')];
  const transpose = (x: Handle, axes: readonly number[]) =>
    native.one('Transpose', permuting, [x, ints(axes)]);
  const split = (x: Handle, sizes: readonly number[], axis: number): Handle[] => {
    if (sizes.length === 1) return [x];
    const attributes = native.attributes({ T, Tlen: INDEX, num_split: { int: sizes.length } });
    return native.run('SplitV', attributes, [x, ints(sizes), axisOf(axis)], sizes.length);
  };
  const zeros = (shape: readonly number[]) => {
    const attributes = native.attributes({ dtype: T, init: { bool: true } });
    return native.one('Empty', attributes, [ints(shape)]);
  };

  return {
    from: (tensor) => native.from(tensor),
    toTensor: (handle) => native.toTensor(handle),
    scope<R>(f: () => { readonly result: R; readonly keep: readonly Handle[] }): R {
      let result: R | undefined;
      native.scope(() => {
        const made = f();
        result = made.result;
        return made.keep;
      });
      return result as R;
    },
    shape: (x) => x.shape,
    zeros,

    add,
    sub,
    mul,
    addN(values) {
      if (values.length === 1) return native.one('Identity', float, [values[0]!]);
      return native.one('AddN', native.attributes({ T, N: { int: values.length } }), values);
    },
    tanh,
    sigmoid,
    throughTanh: (dy, y) => tanhGrad(y, dy),
    throughSigmoid: (dy, y) => sigmoidGrad(y, dy),
    softmax: unary('Softmax'),
    sum: (x, axis, keepDims = false) =>
      native.one('Sum', keepDims ? summingKept : summing, [x, axisOf(axis)]),

    matMul: product,
    batchMatMul: batchProduct,
    product(matrix, way) {
      // Products of few rows have their fast form where the second factor is transposed: see engine/products.ts.
      const factor = way === 'forward' ? transpose(matrix, [1, 0]) : matrix;
      return (rows) => product(rows, factor, false, true);
    },
    lstm(batch, hidden): LstmStep<Handle> {
      // Of input, state, matrix and bias the gradient's op looks at the shapes only.
      const noInput = native.constant([batch, 0], 'float32', []);
      const attributes = native.attributes({ dtype: T, init: { bool: false } });
      const matrix = native.one('Empty', attributes, [ints([hidden, 4 * hidden])]);
      const [bias, peephole] = [zeros([4 * hidden]), zeros([hidden])];
      const backward = native.attributes({ T, use_peephole: { bool: false } });
      return {
        forward(z, before) {
          const parts = split(z, [hidden, hidden, hidden, hidden], 1);
          const [preI, preG, preF, preO] = parts as [Handle, Handle, Handle, Handle];
          const [i, g, f, o] = [sigmoid(preI), tanh(preG), sigmoid(preF), sigmoid(preO)];
          const c = add(mul(f, before), mul(i, g));
          const squashed = tanh(c);
          return { gates: { i, g, f, o, c, squashed }, h: mul(o, squashed) };
        },
        back({ i, g, f, o, c, squashed }, before, dc, dh) {
          const places = [noInput, before, before, matrix, peephole, peephole, peephole, bias];
          const inputs = [...places, i, c, f, o, g, squashed, dc, dh];
          const [dcBefore, dz] = native.run('LSTMBlockCellGrad', backward, inputs, 5);
          return [dz!, dcBefore!];
        },
      };
    },

    reshape: (x, shape) => native.one('Reshape', reshaping, [x, ints(shape)]),
    transpose,
    concat(parts, axis) {
      if (parts.length === 1) return parts[0]!;
      const attributes = native.attributes({ T, Tidx: INDEX, N: { int: parts.length } });
      return native.one('ConcatV2', attributes, [...parts, axisOf(axis)]);
    },
    split,
    pack: (steps) =>
      native.one('Pack', native.attributes({ T, N: { int: steps.length }, axis: { int: 0 } }), steps),
    unpack: (x) =>
      native.run(
        'Unpack',
        native.attributes({ T, num: { int: x.shape[0]! }, axis: { int: 0 } }),
        [x],
        x.shape[0]!,
      ),
  };
}
