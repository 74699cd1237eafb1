import {
  add,
  concat,
  matMul,
  mul,
  reshape,
  sigmoid,
  slice,
  sum,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  tensor,
  tidy,
  transpose,
} from '@tensorflow/tfjs-core';
import { multiply } from '../engine/product.js';
import type { LstmInput, LstmKernel, LstmOutput } from './lstm.js';

const data = (t: Tensor): Float32Array => t.dataSync<'float32'>();

/** The values of a tensor that `f` makes. (Returned from tidy itself, they would be searched for tensors one by one.) */
function valuesOf(f: () => Tensor): Float32Array {
  let values: Float32Array | undefined;
  tidy(() => {
    values = data(f());
  });
  return values!;
}

/** a b for values of one step: `[rows, inner]` times a matrix `[inner, width]`. */
function product(a: Float32Array, rows: number, matrix: Tensor2D): Float32Array {
  return valuesOf(() => matMul(tensor(a, [rows, matrix.shape[0]]) as Tensor2D, matrix));
}

/** The engine's sigmoid takes four numbers at a time, and tanh x = 2 sigmoid(2x) - 1. */
function sigmoids(values: Float32Array): Float32Array {
  return valuesOf(() => sigmoid(tensor(values)));
}

function forward({ x, h0, c0, kernel, recurrent, bias }: LstmInput): LstmOutput<Tensor3D> {
  const [time, batch, input] = x.shape;
  const hidden = h0.shape[1];
  const width = 4 * hidden;
  const size = batch * hidden;
  const output = Array.from({ length: 7 }, () => new Float32Array(time * size));
  const [i, cs, f, o, ci, co, h] = output as unknown as LstmOutput<Float32Array>;
  let hPrevious = data(h0);
  let cPrevious = data(c0);
  tidy(() => {
    // Columns of the candidate doubled: it is a tanh made of a sigmoid.
    const doubled = tensor(
      Float32Array.from({ length: width }, (_, k) => (Math.floor(k / hidden) === 1 ? 2 : 1)),
    );
    const byState = mul(recurrent, doubled) as Tensor2D;
    const byInput = matMul(reshape(x, [time * batch, input]), kernel);
    const known = data(mul(add(byInput, bias), doubled));
    const twice = new Float32Array(size);
    for (let t = 0; t < time; t++) {
      const z = product(hPrevious, batch, byState);
      for (let k = 0, at = t * batch * width; k < z.length; k++, at++) z[k]! += known[at]!;
      const gates = sigmoids(z);
      for (let b = 0, at = t * size, k = 0; b < batch; b++) {
        for (let n = 0, gate = b * width; n < hidden; n++, gate++, at++, k++) {
          const into = gates[gate]!;
          const candidate = 2 * gates[gate + hidden]! - 1;
          const keep = gates[gate + 2 * hidden]!;
          const c = keep * cPrevious[k]! + into * candidate;
          i[at] = into;
          ci[at] = candidate;
          f[at] = keep;
          o[at] = gates[gate + 3 * hidden]!;
          cs[at] = c;
          twice[k] = 2 * c;
        }
      }
      const squashed = sigmoids(twice);
      for (let k = 0, at = t * size; k < size; k++, at++) {
        const value = 2 * squashed[k]! - 1;
        co[at] = value;
        h[at] = o[at]! * value;
      }
      hPrevious = h.subarray(t * size, (t + 1) * size);
      cPrevious = cs.subarray(t * size, (t + 1) * size);
    }
  });
  return output.map((values) => tensor(values, [time, batch, hidden])) as unknown as LstmOutput<Tensor3D>;
}

function backward(
  { x, h0, c0, kernel, recurrent }: LstmInput,
  output: LstmOutput<Tensor3D>,
  dhs: Tensor3D,
  dcs: Tensor3D | null,
): Tensor[] {
  const [time, batch, input] = x.shape;
  const hidden = h0.shape[1];
  const width = 4 * hidden;
  const size = batch * hidden;
  const [i, cs, f, o, ci, co] = output.map(data) as unknown as LstmOutput<Float32Array>;
  const dhIn = data(dhs);
  const dcIn = dcs === null ? null : data(dcs);
  const c0Values = data(c0);
  const dz = new Float32Array(time * batch * width);
  let dh = new Float32Array(size); // by h_t, from step t + 1
  const dc = new Float32Array(size); // by c_t, from step t + 1
  return tidy(() => {
    const back = transpose(recurrent); // once: see multiply
    for (let t = time - 1; t >= 0; t--) {
      const cPrevious = t === 0 ? c0Values : cs.subarray((t - 1) * size, t * size);
      for (let b = 0, k = 0; b < batch; b++) {
        for (let n = 0, gate = (t * batch + b) * width; n < hidden; n++, gate++, k++) {
          const at = t * size + k;
          const into = i[at]!;
          const candidate = ci[at]!;
          const keep = f[at]!;
          const out = o[at]!;
          const squashed = co[at]!;
          const byH = dhIn[at]! + dh[k]!;
          const byC = (dcIn === null ? 0 : dcIn[at]!) + dc[k]! + byH * out * (1 - squashed * squashed);
          dz[gate] = byC * candidate * into * (1 - into);
          dz[gate + hidden] = byC * into * (1 - candidate * candidate);
          dz[gate + 2 * hidden] = byC * cPrevious[k]! * keep * (1 - keep);
          dz[gate + 3 * hidden] = byH * squashed * out * (1 - out);
          dc[k] = byC * keep;
        }
      }
      dh = product(dz.subarray(t * batch * width, (t + 1) * batch * width), batch, back) as typeof dh;
    }
    const steps = time * batch;
    const all = tensor(dz, [steps, width]) as Tensor2D;
    const [h] = output.slice(6) as [Tensor3D];
    const before = slice(concat([h0, reshape(h, [steps, hidden]) as Tensor2D], 0), [0, 0], [steps, hidden]);
    return [
      reshape(multiply(all, kernel, false, true), x.shape),
      tensor(dh, h0.shape),
      tensor(dc, c0.shape),
      multiply(reshape(x, [steps, input]), all, true, false),
      multiply(before, all, true, false),
      sum(all, 0),
    ];
  });
}

/**
 * The LSTM's equations (src/cell/lstm.ts) and their derivatives, with the engine's products, one a step and the others
 * over all steps, and loops over typed arrays between them: on the wasm engine, where an operation costs much to call
 * and runs on one core anyway.
 */
export const steppedLstmKernel: LstmKernel = { forward, backward };
