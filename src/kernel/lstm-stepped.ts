import {
  add,
  matMul,
  mul,
  reshape,
  sigmoid,
  sum,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  tensor,
  tidy,
  transpose,
} from '@tensorflow/tfjs-core';
import { multiply } from '../engine/multiply.js';
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

type Arrays = LstmOutput<Float32Array>;

// The loops stand in functions of their own: inside the closures of tidy they run three times more slowly.

/** z += the part of the product that was known before. */
function addKnown(z: Float32Array, known: Float32Array, from: number): void {
  for (let k = 0; k < z.length; k++) z[k]! += known[from + k]!;
}

/** Gates and cell states of the step whose values begin at `from`; twice the cell states go to `twice`. */
function cells(
  [i, cs, f, o, ci]: Arrays,
  from: number,
  gates: Float32Array,
  before: Float32Array,
  twice: Float32Array,
  hidden: number,
): void {
  for (let k = 0, n = 0, gate = 0; k < twice.length; k++, gate++) {
    const into = gates[gate]!;
    const candidate = 2 * gates[gate + hidden]! - 1;
    const keep = gates[gate + 2 * hidden]!;
    const c = keep * before[k]! + into * candidate;
    i[from + k] = into;
    ci[from + k] = candidate;
    f[from + k] = keep;
    o[from + k] = gates[gate + 3 * hidden]!;
    cs[from + k] = c;
    twice[k] = 2 * c;
    if (++n === hidden) {
      n = 0;
      gate += 3 * hidden; // the next row
    }
  }
}

/** Outputs of the step, from sigmoid(2c). */
function outputs([, , , o, , co, h]: Arrays, from: number, sigmoid: Float32Array): void {
  for (let k = 0; k < sigmoid.length; k++) {
    const squashed = 2 * sigmoid[k]! - 1;
    co[from + k] = squashed;
    h[from + k] = o[from + k]! * squashed;
  }
}

function forward({ x, h0, c0, kernel, recurrent, bias }: LstmInput): LstmOutput<Tensor3D> {
  const [time, batch, input] = x.shape;
  const hidden = h0.shape[1];
  const width = 4 * hidden;
  const size = batch * hidden;
  const made = Array.from({ length: 7 }, () => new Float32Array(time * size)) as unknown as Arrays;
  const [, cs, , , , , h] = made;
  tidy(() => {
    // Columns of the candidate doubled: it is a tanh made of a sigmoid.
    const columns = new Float32Array(width).fill(1).fill(2, hidden, 2 * hidden);
    const doubled = tensor(columns);
    const byState = mul(recurrent, doubled) as Tensor2D;
    const byInput = matMul(reshape(x, [time * batch, input]), kernel);
    const known = data(mul(add(byInput, bias), doubled));
    const twice = new Float32Array(size);
    let [hPrevious, cPrevious] = [data(h0), data(c0)];
    for (let t = 0, from = 0; t < time; t++, from += size) {
      const z = product(hPrevious, batch, byState);
      addKnown(z, known, 4 * from);
      cells(made, from, sigmoids(z), cPrevious, twice, hidden);
      outputs(made, from, sigmoids(twice));
      hPrevious = h.subarray(from, from + size) as typeof hPrevious;
      cPrevious = cs.subarray(from, from + size) as typeof cPrevious;
    }
  });
  return made.map((values) => tensor(values, [time, batch, hidden])) as unknown as LstmOutput<Tensor3D>;
}

/** What comes back to a step: gradients by its h and by its c, from outside and from the step after. */
interface StepGradients {
  readonly dh: Float32Array;
  readonly dhAfter: Float32Array;
  readonly dc: Float32Array | null;
  /** Becomes that of the step before. */
  readonly dcAfter: Float32Array;
}

/** Gradients of the gates of the step whose values begin at `from`, before their functions. */
function gateGradients(
  [i, , f, o, ci, co]: Arrays,
  from: number,
  before: Float32Array,
  { dh, dhAfter, dc, dcAfter }: StepGradients,
  dz: Float32Array,
  hidden: number,
): void {
  for (let k = 0, n = 0, gate = 4 * from; k < dcAfter.length; k++, gate++) {
    const at = from + k;
    const into = i[at]!;
    const candidate = ci[at]!;
    const keep = f[at]!;
    const out = o[at]!;
    const squashed = co[at]!;
    const byH = dh[at]! + dhAfter[k]!;
    const byC = (dc === null ? 0 : dc[at]!) + dcAfter[k]! + byH * out * (1 - squashed * squashed);
    dz[gate] = byC * candidate * into * (1 - into);
    dz[gate + hidden] = byC * into * (1 - candidate * candidate);
    dz[gate + 2 * hidden] = byC * before[k]! * keep * (1 - keep);
    dz[gate + 3 * hidden] = byH * squashed * out * (1 - out);
    dcAfter[k] = byC * keep;
    if (++n === hidden) {
      n = 0;
      gate += 3 * hidden;
    }
  }
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
  const made = output.map(data) as unknown as Arrays;
  const [, cs, , , , , hs] = made;
  const [dh, dc] = [data(dhs), dcs === null ? null : data(dcs)];
  const [h0Values, c0Values] = [data(h0), data(c0)];
  const dz = new Float32Array(time * batch * width);
  const dcAfter = new Float32Array(size);
  let dhAfter: Float32Array = new Float32Array(size);
  return tidy(() => {
    const back = transpose(recurrent); // once: see multiply
    for (let t = time - 1; t >= 0; t--) {
      const from = t * size;
      const before = t === 0 ? c0Values : cs.subarray(from - size, from);
      gateGradients(made, from, before, { dh, dhAfter, dc, dcAfter }, dz, hidden);
      dhAfter = product(dz.subarray(4 * from, 4 * (from + size)), batch, back);
    }
    const steps = time * batch;
    const all = tensor(dz, [steps, width]) as Tensor2D;
    const hBefore = new Float32Array(steps * hidden);
    hBefore.set(h0Values);
    hBefore.set(hs.subarray(0, (time - 1) * size), size);
    return [
      reshape(multiply(all, kernel, false, true), x.shape),
      tensor(dhAfter, h0.shape),
      tensor(dcAfter, c0.shape),
      multiply(reshape(x, [steps, input]), all, true, false),
      multiply(tensor(hBefore, [steps, hidden]), all, true, false),
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
