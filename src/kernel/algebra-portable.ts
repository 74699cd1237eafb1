import {
  add,
  addN,
  concat,
  mul,
  reshape,
  sigmoid,
  softmax,
  split,
  square,
  stack,
  sub,
  sum,
  type Tensor,
  tanh,
  tidy,
  transpose,
  unstack,
  zeros,
} from '@tensorflow/tfjs-core';
import { multiply } from '../engine/multiply.js';
import type { Algebra, LstmStep } from './algebra.js';

// Derivatives without constants: a number that meets a tensor becomes one too, which costs as much as a small operation.
const throughTanh = (dy: Tensor, y: Tensor): Tensor => sub(dy, mul(dy, square(y)));
const throughSigmoid = (dy: Tensor, y: Tensor): Tensor => mul(dy, sub(y, square(y)));

const lstmStep: LstmStep<Tensor> = {
  forward(z, before) {
    const [preI, preG, preF, preO] = split(z, 4, 1) as [Tensor, Tensor, Tensor, Tensor];
    const [i, g, f, o] = [sigmoid(preI), tanh(preG), sigmoid(preF), sigmoid(preO)];
    const c = add(mul(f, before), mul(i, g));
    const squashed = tanh(c);
    return { gates: { i, g, f, o, c, squashed }, h: mul(o, squashed) };
  },
  back({ i, g, f, o, squashed }, before, byCell, dh) {
    const dc = add(byCell, throughTanh(mul(dh, o), squashed));
    const dz = concat(
      [
        throughSigmoid(mul(dc, g), i),
        throughTanh(mul(dc, i), g),
        throughSigmoid(mul(dc, before), f),
        throughSigmoid(mul(dh, squashed), o),
      ],
      1,
    );
    return [dz, mul(dc, f)];
  },
};

/** The operations of any TensorFlow.js engine. */
export const portableAlgebra: Algebra<Tensor> = {
  from: (tensor) => tensor,
  toTensor: (tensor) => tensor,
  scope<R>(f: () => { readonly result: R; readonly keep: readonly Tensor[] }): R {
    let result: R | undefined;
    tidy(() => {
      const made = f();
      result = made.result;
      return [...made.keep];
    });
    return result as R;
  },
  shape: (x) => x.shape,
  zeros: (shape) => zeros([...shape]),

  add,
  sub,
  mul,
  addN: (values) => addN([...values]),
  tanh,
  sigmoid,
  throughTanh,
  throughSigmoid,
  softmax: (x) => softmax(x),
  sum: (x, axis, keepDims = false) => sum(x, axis, keepDims),

  matMul: (a, b, transposeA = false, transposeB = false) => multiply(a, b, transposeA, transposeB),
  batchMatMul: (a, b, transposeA = false, transposeB = false) => multiply(a, b, transposeA, transposeB),
  product(matrix, way) {
    const factor = way === 'forward' ? matrix : transpose(matrix); // once for all steps: see multiply
    return (rows) => multiply(rows, factor, false, false);
  },
  lstm: () => lstmStep,

  reshape: (x, shape) => reshape(x, [...shape]),
  transpose: (x, axes) => transpose(x, [...axes]),
  concat: (parts, axis) => (parts.length === 1 ? parts[0]! : concat([...parts], axis)),
  split: (x, sizes, axis) => (sizes.length === 1 ? [x] : split(x, [...sizes], axis)),
  pack: (steps) => stack([...steps]),
  unpack: (x) => unstack(x),
};
