import type { Handle } from '../engine/native.js';
import { batchProduct, product } from '../engine/products.js';
import type { Algebra, LstmStep } from './algebra.js';
import { type Operations, operations } from './operations.js';

/** TensorFlow's operations on raw handles. Made once a kernel call: it belongs to the running engine. */
export function nativeAlgebra(): Algebra<Handle> {
  const ops = operations();
  const { native, transpose } = ops;
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
    zeros: ops.zeros,

    add: ops.add,
    sub: ops.sub,
    mul: ops.mul,
    addN: (values) =>
      values.length === 1 ? native.one('Identity', ops.float, [values[0]!]) : ops.addN(values),
    tanh: ops.tanh,
    sigmoid: ops.sigmoid,
    throughTanh: (dy, y) => ops.tanhGrad(y, dy),
    throughSigmoid: (dy, y) => ops.sigmoidGrad(y, dy),
    softmax: ops.softmax,
    sum: ops.sum,

    matMul: product,
    batchMatMul: batchProduct,
    product(matrix, way) {
      // Products of few rows have their fast form where the second factor is transposed: see engine/products.ts.
      const factor = way === 'forward' ? transpose(matrix) : matrix;
      return (rows) => product(rows, factor, false, true);
    },
    lstm: (batch, hidden) => lstmStep(ops, batch, hidden),

    reshape: ops.reshape,
    transpose,
    concat: (parts, axis) => (parts.length === 1 ? parts[0]! : ops.joiner(parts.length, axis)(parts)),
    split: (x, sizes, axis) => (sizes.length === 1 ? [x] : ops.splitter(sizes, axis)(x)),
    pack: ops.pack,
    unpack: ops.unpack,
  };
}

function lstmStep(ops: Operations, batch: number, hidden: number): LstmStep<Handle> {
  const { native, add, mul, tanh, sigmoid, zeros } = ops;
  // Of input, state, matrix and bias the gradient's op looks at the shapes only.
  const noInput = native.constant([batch, 0], 'float32', []);
  const empty = native.attributes({ dtype: { type: 'float32' }, init: { bool: false } });
  const matrix = native.one('Empty', empty, [ops.ints([hidden, 4 * hidden])]);
  const [bias, peephole] = [zeros([4 * hidden]), zeros([hidden])];
  const backward = native.attributes({ T: { type: 'float32' }, use_peephole: { bool: false } });
  const gatesOf = ops.splitter([hidden, hidden, hidden, hidden], 1);
  return {
    forward(z, before) {
      const [preI, preG, preF, preO] = gatesOf(z) as [Handle, Handle, Handle, Handle];
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
}
