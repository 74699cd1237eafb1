import type { Tensor, Tensor3D } from '@tensorflow/tfjs-core';
import { type Attributes, type Handle, nativeOps } from '../engine/native.js';
import { product } from '../engine/products.js';
import type { LstmInput, LstmKernel, LstmOutput } from './lstm.js';
import { operations } from './operations.js';

const FLOAT: Attributes = { T: { type: 'float32' } };
/** BlockLSTM adds no forget bias of its own (ours is a parameter), clips nothing, and has no peepholes. */
const BLOCK: Attributes = {
  ...FLOAT,
  forget_bias: { float: 0 },
  cell_clip: { float: -1 },
  use_peephole: { bool: false },
};

/** What BlockLSTM and its gradient take first: steps, x, c_0, h_0, the joint matrix, no peepholes, bias. */
function blockInputs({ x, h0, c0, kernel, recurrent, bias }: LstmInput): Handle[] {
  const [time] = x.shape;
  const hidden = h0.shape[1];
  const { native, joiner } = operations();
  const peephole = native.constant([hidden], 'float32', new Array<number>(hidden).fill(0));
  const steps = native.constant([], 'int64', [time]);
  const [xh, ch, hh, bh] = [x, c0, h0, bias].map((t) => native.from(t)) as [Handle, Handle, Handle, Handle];
  const matrix = joiner(2, 0)([native.from(kernel), native.from(recurrent)]); // [input + hidden, 4 * hidden]
  return [steps, xh, ch, hh, matrix, peephole, peephole, peephole, bh];
}

/** BlockLSTM over the whole sequence: one call, but each step multiplies its own input. */
function blockForward(input: LstmInput): Handle[] {
  const native = nativeOps();
  return native.run('BlockLSTM', native.attributes(BLOCK), blockInputs(input), 7);
}

/** BlockLSTMGrad over the whole sequence: one call, in one thread. */
function blockBackward(
  input: LstmInput,
  saved: LstmOutput<Tensor3D>,
  dh: Tensor3D,
  dcs: Tensor3D | null,
): Handle[] {
  const { native, float, splitter } = operations();
  const inputSize = input.x.shape[2];
  const hidden = input.h0.shape[1];
  const dhHandle = native.from(dh);
  const dcsHandle = dcs === null ? native.one('ZerosLike', float, [dhHandle]) : native.from(dcs);
  const [i, cs, f, o, ci, co, h] = saved.map((t) => native.from(t)) as unknown as LstmOutput<Handle>;
  const inputs = [...blockInputs(input), i, cs, f, o, ci, co, h, dcsHandle, dhHandle];
  const attributes = native.attributes({ ...FLOAT, use_peephole: { bool: false } });
  const [dx, dc0, dh0, dMatrix, , , , dBias] = native.run('BlockLSTMGrad', attributes, inputs, 8) as Handle[];
  const [dKernel, dRecurrent] = splitter([inputSize, hidden], 0)(dMatrix!);
  return [dx!, dh0!, dc0!, dKernel!, dRecurrent!, dBias!];
}

/** The same from single operations: all inputs in one product, then one small product and the gates for each step. */
function steppedForward({ x, h0, c0, kernel, recurrent, bias }: LstmInput): Handle[] {
  const [time, batch, inputSize] = x.shape;
  const hidden = h0.shape[1];
  const run = operations();
  const { native, add, mul, sigmoid, tanh } = run;
  const [xh, kernelHandle, recurrentHandle, bh] = [x, kernel, recurrent, bias].map((t) => native.from(t)) as [
    Handle,
    Handle,
    Handle,
    Handle,
  ];
  const products = product(run.reshape(xh, [time * batch, inputSize]), kernelHandle);
  const byInput = run.biasAdd(products, bh);
  const recurrentT = run.transpose(recurrentHandle);
  const gates = run.splitter(new Array<number>(4).fill(hidden), 1);
  const outputs: Handle[][] = Array.from({ length: 7 }, () => []);
  let [h, c] = [native.from(h0), native.from(c0)];
  for (const xt of run.unpack(run.reshape(byInput, [time, batch, 4 * hidden]))) {
    const z = add(xt, product(h, recurrentT, false, true));
    const [zi, zg, zf, zo] = gates(z) as [Handle, Handle, Handle, Handle];
    const [i, ci, f, o] = [sigmoid(zi), tanh(zg), sigmoid(zf), sigmoid(zo)];
    c = add(mul(i, ci), mul(f, c));
    const co = tanh(c);
    h = mul(o, co);
    for (const [k, value] of [i, c, f, o, ci, co, h].entries()) outputs[k]!.push(value);
  }
  return outputs.map((steps) => run.pack(steps));
}

/** One LSTMBlockCellGrad and one product with the recurrent matrix for each step, the others over all steps at once. */
function steppedBackward(
  { x, h0, c0, kernel, recurrent, bias }: LstmInput,
  saved: LstmOutput<Tensor3D>,
  dh: Tensor3D,
  dcs: Tensor3D | null,
): Handle[] {
  const [time, batch, inputSize] = x.shape;
  const hidden = h0.shape[1];
  const run = operations();
  const { native, add, float } = run;
  const cellAttributes = native.attributes({ ...FLOAT, use_peephole: { bool: false } });
  const unpack = (t: Tensor): Handle[] => run.unpack(native.from(t));
  const [xh, hh, ch, bh] = [x, h0, c0, bias].map((t) => native.from(t)) as [Handle, Handle, Handle, Handle];
  // Of input and matrix the op looks at the shapes only: an empty input and the recurrent matrix will do.
  const noInput = native.constant([batch, 0], 'float32', []);
  const recurrentHandle = native.from(recurrent);
  const [is, css, fs, os, cis, cos, hs] = saved.map(unpack) as unknown as LstmOutput<Handle[]>;
  const dcss = dcs === null ? null : unpack(dcs);
  const nothing = dcs === null ? native.one('ZerosLike', float, [ch]) : null;
  const dhs = unpack(dh);
  const peephole = native.constant([hidden], 'float32', new Array<number>(hidden).fill(0));

  const dgates: Handle[] = new Array(time);
  let dcNext: Handle | null = null;
  let dhNext: Handle | null = null;
  for (let t = time - 1; t >= 0; t--) {
    const dcOwn = dcss?.[t] ?? null;
    const dc: Handle = dcOwn !== null && dcNext !== null ? add(dcOwn, dcNext) : (dcOwn ?? dcNext ?? nothing!);
    const dout: Handle = dhNext === null ? dhs[t]! : add(dhs[t]!, dhNext);
    const cPrevious = t === 0 ? ch : css[t - 1]!;
    const hPrevious = t === 0 ? hh : hs[t - 1]!;
    const gates = [is[t]!, css[t]!, fs[t]!, os[t]!, cis[t]!, cos[t]!];
    const places = [noInput, cPrevious, hPrevious, recurrentHandle, peephole, peephole, peephole, bh];
    const inputs = [...places, ...gates, dc, dout];
    const [dcPrevious, dgate] = native.run('LSTMBlockCellGrad', cellAttributes, inputs, 5);
    dgates[t] = dgate!; // [batch, 4 * hidden]
    dcNext = dcPrevious!;
    dhNext = product(dgate!, recurrentHandle, false, true);
  }

  const steps = time * batch;
  const dz = run.reshape(run.pack(dgates), [steps, 4 * hidden]);
  const dx = run.reshape(product(dz, native.from(kernel), false, true), [time, batch, inputSize]);
  const hPrevious = run.reshape(run.pack([hh, ...hs.slice(0, -1)]), [steps, hidden]);
  // One product for both matrices and the bias: products with few rows of result are slow, and so is a sum of rows.
  const ones = native.constant([steps, 1], 'float32', new Array<number>(steps).fill(1));
  const joined = run.joiner(3, 1)([run.reshape(xh, [steps, inputSize]), hPrevious, ones]);
  const all = product(joined, dz, true); // [input + hidden + 1, 4 * hidden]
  const [dKernel, dRecurrent, dBiasRow] = run.splitter([inputSize, hidden, 1], 0)(all);
  const dBias = run.reshape(dBiasRow!, [4 * hidden]);
  return [dx, dhNext!, dcNext!, dKernel!, dRecurrent!, dBias!];
}

/** Multiplications of one step's recurrent product from which the ways from single operations win. */
const STEPPED_FORWARD = 5e6;
const STEPPED_BACKWARD = 3e5;

function work({ h0 }: LstmInput): number {
  const [batch, hidden] = h0.shape;
  return batch * hidden ** 2;
}

/**
 * Forward and backward each in one of two ways, by size: TensorFlow's op for the whole sequence, or single operations
 * with products of all steps at once. (BlockLSTMGrad takes three times as long as the latter where products are large.)
 */
export const nativeLstmKernel: LstmKernel = {
  forward: (input) => {
    const native = nativeOps();
    const run = work(input) < STEPPED_FORWARD ? blockForward : steppedForward;
    return native
      .scope(() => run(input))
      .map((handle) => native.toTensor(handle)) as unknown as LstmOutput<Tensor3D>;
  },
  backward: (...args) => {
    const native = nativeOps();
    const run = work(args[0]) < STEPPED_BACKWARD ? blockBackward : steppedBackward;
    return native.scope(() => run(...args)).map((handle) => native.toTensor(handle));
  },
};
