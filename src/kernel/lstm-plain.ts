import { type Tensor, type Tensor3D, tensor } from '@tensorflow/tfjs-core';
import type { LstmInput, LstmKernel, LstmOutput } from './lstm.js';

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** out `[rows, width]` += a `[rows, inner]` b `[inner, width]`. */
function multiplyAdd(
  out: Float32Array,
  a: Float32Array,
  b: Float32Array,
  rows: number,
  inner: number,
  width: number,
): void {
  for (let r = 0; r < rows; r++) {
    const start = r * width;
    for (let k = 0; k < inner; k++) {
      const factor = a[r * inner + k]!;
      if (factor === 0) continue;
      const row = k * width;
      for (let n = 0; n < width; n++) out[start + n]! += factor * b[row + n]!;
    }
  }
}

/** out `[inner, width]` += transposed a `[rows, inner]` times d `[rows, width]`. */
function accumulateOuter(
  out: Float32Array,
  a: Float32Array,
  d: Float32Array,
  rows: number,
  inner: number,
  width: number,
): void {
  for (let r = 0; r < rows; r++) {
    for (let k = 0; k < inner; k++) {
      const factor = a[r * inner + k]!;
      if (factor === 0) continue;
      const row = k * width;
      for (let n = 0; n < width; n++) out[row + n]! += factor * d[r * width + n]!;
    }
  }
}

/** out `[rows, inner]` = d `[rows, width]` times transposed b `[inner, width]`. */
function multiplyTransposed(
  out: Float32Array,
  d: Float32Array,
  b: Float32Array,
  rows: number,
  inner: number,
  width: number,
): void {
  for (let r = 0; r < rows; r++) {
    for (let k = 0; k < inner; k++) {
      const row = k * width;
      let total = 0;
      for (let n = 0; n < width; n++) total += d[r * width + n]! * b[row + n]!;
      out[r * inner + k] = total;
    }
  }
}

function forward({ x, h0, c0, kernel, recurrent, bias }: LstmInput): LstmOutput<Tensor3D> {
  const [time, batch, input] = x.shape;
  const hidden = h0.shape[1];
  const width = 4 * hidden;
  const size = batch * hidden;
  const [xs, byInput, byState, offsets] = [x, kernel, recurrent, bias].map((t) =>
    t.dataSync<'float32'>(),
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const [i, cs, f, o, ci, co, h] = Array.from(
    { length: 7 },
    () => new Float32Array(time * size),
  ) as unknown as LstmOutput<Float32Array>;
  let hPrevious = h0.dataSync<'float32'>();
  let cPrevious = c0.dataSync<'float32'>();
  const z = new Float32Array(batch * width);
  for (let t = 0; t < time; t++) {
    for (let b = 0; b < batch; b++) z.set(offsets, b * width);
    multiplyAdd(z, xs.subarray(t * batch * input, (t + 1) * batch * input), byInput, batch, input, width);
    multiplyAdd(z, hPrevious, byState, batch, hidden, width);
    for (let b = 0, at = t * size; b < batch; b++) {
      for (let k = 0, gate = b * width; k < hidden; k++, gate++, at++) {
        const [into, candidate, keep, out] = [
          sigmoid(z[gate]!),
          Math.tanh(z[gate + hidden]!),
          sigmoid(z[gate + 2 * hidden]!),
          sigmoid(z[gate + 3 * hidden]!),
        ];
        const c = keep * cPrevious[b * hidden + k]! + into * candidate;
        const squashed = Math.tanh(c);
        i[at] = into;
        ci[at] = candidate;
        f[at] = keep;
        o[at] = out;
        cs[at] = c;
        co[at] = squashed;
        h[at] = out * squashed;
      }
    }
    hPrevious = h.subarray(t * size, (t + 1) * size);
    cPrevious = cs.subarray(t * size, (t + 1) * size);
  }
  const shape: [number, number, number] = [time, batch, hidden];
  return [i, cs, f, o, ci, co, h].map((values) => tensor(values, shape)) as unknown as LstmOutput<Tensor3D>;
}

function backward(
  { x, h0, c0, kernel, recurrent, bias }: LstmInput,
  output: LstmOutput<Tensor3D>,
  dhs: Tensor3D,
  dcs: Tensor3D | null,
): Tensor[] {
  const [time, batch, input] = x.shape;
  const hidden = h0.shape[1];
  const width = 4 * hidden;
  const size = batch * hidden;
  const data = (t: Tensor): Float32Array => t.dataSync<'float32'>();
  const [i, cs, f, o, ci, co, h] = output.map(data) as unknown as LstmOutput<Float32Array>;
  const [xs, byInput, byState, dhIn] = [x, kernel, recurrent, dhs].map(data) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const dcIn = dcs === null ? null : data(dcs);
  const dx = new Float32Array(xs.length);
  const dKernel = new Float32Array(byInput.length);
  const dRecurrent = new Float32Array(byState.length);
  const dBias = new Float32Array(width);
  const dz = new Float32Array(batch * width);
  const dh = new Float32Array(size); // by h_t, from step t + 1
  const dc = new Float32Array(size); // by c_t, from step t + 1
  for (let t = time - 1; t >= 0; t--) {
    const cPrevious = t === 0 ? data(c0) : cs.subarray((t - 1) * size, t * size);
    const hPrevious = t === 0 ? data(h0) : h.subarray((t - 1) * size, t * size);
    for (let b = 0, k = 0; b < batch; b++) {
      for (let n = 0, gate = b * width; n < hidden; n++, gate++, k++) {
        const at = t * size + k;
        const [into, candidate, keep, out, squashed] = [i[at]!, ci[at]!, f[at]!, o[at]!, co[at]!];
        const byH = dhIn[at]! + dh[k]!;
        const byC = (dcIn?.[at] ?? 0) + dc[k]! + byH * out * (1 - squashed * squashed);
        dz[gate] = byC * candidate * into * (1 - into);
        dz[gate + hidden] = byC * into * (1 - candidate * candidate);
        dz[gate + 2 * hidden] = byC * cPrevious[k]! * keep * (1 - keep);
        dz[gate + 3 * hidden] = byH * squashed * out * (1 - out);
        dc[k] = byC * keep;
      }
    }
    const xt = xs.subarray(t * batch * input, (t + 1) * batch * input);
    accumulateOuter(dKernel, xt, dz, batch, input, width);
    accumulateOuter(dRecurrent, hPrevious, dz, batch, hidden, width);
    for (let k = 0; k < dz.length; k++) dBias[k % width]! += dz[k]!;
    multiplyTransposed(
      dx.subarray(t * batch * input, (t + 1) * batch * input),
      dz,
      byInput,
      batch,
      input,
      width,
    );
    multiplyTransposed(dh, dz, byState, batch, hidden, width);
  }
  return [
    tensor(dx, x.shape),
    tensor(dh, h0.shape),
    tensor(dc, c0.shape),
    tensor(dKernel, kernel.shape),
    tensor(dRecurrent, recurrent.shape),
    tensor(dBias, bias.shape),
  ];
}

/**
 * The LSTM's equations (src/cell/lstm.ts) and their derivatives as loops over typed arrays: on the cpu engine, whose
 * operations cost far more to call than small layers cost to compute.
 */
export const plainLstmKernel: LstmKernel = { forward, backward };
