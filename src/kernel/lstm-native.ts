import type { Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { type Attributes, type Handle, nativeOps } from '../engine/native.js';
import type { LstmInput, LstmKernel, LstmOutput } from './lstm.js';

const FLOAT: Attributes = { T: { type: 'float32' } };
/** BlockLSTM adds no forget bias of its own (ours is a parameter), clips nothing, and has no peepholes. */
const BLOCK: Attributes = {
  ...FLOAT,
  forget_bias: { float: 0 },
  cell_clip: { float: -1 },
  use_peephole: { bool: false },
};

/** Kernel above recurrent matrix, `[input + hidden, 4 * hidden]`, as TensorFlow wants them. */
function matrixOf(kernel: Tensor2D, recurrent: Tensor2D): Handle {
  const native = nativeOps();
  return native.one('ConcatV2', native.attributes({ ...FLOAT, N: { int: 2 }, Tidx: { type: 'int32' } }), [
    native.from(kernel),
    native.from(recurrent),
    native.constant([], 'int32', [0]),
  ]);
}

function forward({ x, h0, c0, kernel, recurrent, bias }: LstmInput): LstmOutput<Tensor3D> {
  const native = nativeOps();
  const hidden = h0.shape[1];
  const handles = native.scope((): Handle[] => {
    const peephole = native.constant([hidden], 'float32', new Array<number>(hidden).fill(0));
    const steps = native.constant([], 'int64', [x.shape[0]]);
    const [xh, ch, hh, bh] = [x, c0, h0, bias].map((t) => native.from(t)) as [Handle, Handle, Handle, Handle];
    const inputs = [steps, xh, ch, hh, matrixOf(kernel, recurrent), peephole, peephole, peephole, bh];
    return native.run('BlockLSTM', native.attributes(BLOCK), inputs, 7);
  });
  return handles.map((handle) => native.toTensor(handle)) as unknown as LstmOutput<Tensor3D>;
}

function backward(
  { x, h0, c0, kernel, recurrent, bias }: LstmInput,
  saved: LstmOutput<Tensor3D>,
  dh: Tensor3D,
  dcs: Tensor3D | null,
): Tensor[] {
  const native = nativeOps();
  const [time, batch, inputSize] = x.shape;
  const hidden = h0.shape[1];
  const float = native.attributes(FLOAT);
  const cellAttributes = native.attributes({ ...FLOAT, use_peephole: { bool: false } });
  const unpackAttributes = native.attributes({ ...FLOAT, num: { int: time }, axis: { int: 0 } });
  const packAttributes = native.attributes({ ...FLOAT, N: { int: time }, axis: { int: 0 } });
  const shaped = { ...FLOAT, Tshape: { type: 'int32' } } as const satisfies Attributes;
  const product = (transposeA: boolean, transposeB: boolean) =>
    native.attributes({ ...FLOAT, transpose_a: { bool: transposeA }, transpose_b: { bool: transposeB } });
  const plain = product(false, false);

  const handles = native.scope((): Handle[] => {
    const reshape = (handle: Handle, shape: number[]): Handle =>
      native.one('Reshape', native.attributes(shaped), [
        handle,
        native.constant([shape.length], 'int32', shape),
      ]);
    const unpack = (t: Tensor): Handle[] => native.run('Unpack', unpackAttributes, [native.from(t)], time);

    const [xh, hh, ch, bh] = [x, h0, c0, bias].map((t) => native.from(t)) as [Handle, Handle, Handle, Handle];
    // Of input and matrix the op looks at the shapes only: an empty input and the recurrent matrix will do.
    const noInput = native.constant([batch, 0], 'float32', []);
    const recurrentHandle = native.from(recurrent);
    const [is, css, fs, os, cis, cos, hs] = saved.map(unpack) as unknown as LstmOutput<Handle[]>;
    const dcss = dcs === null ? null : unpack(dcs);
    const nothing = dcs === null ? native.one('ZerosLike', float, [ch]) : null;
    const dhs = unpack(dh);
    const peephole = native.constant([hidden], 'float32', new Array<number>(hidden).fill(0));
    // Transposed once a call: a product with transpose_b costs about twice as much, and there is one a step.
    const swap = native.constant([2], 'int32', [1, 0]);
    const transposeAttributes = native.attributes({ ...FLOAT, Tperm: { type: 'int32' } });
    const recurrentT = native.one('Transpose', transposeAttributes, [recurrentHandle, swap]); // [4 * hidden, hidden]

    const dgates: Handle[] = new Array(time);
    let dcNext: Handle | null = null;
    let dhNext: Handle | null = null;
    for (let t = time - 1; t >= 0; t--) {
      const dcOwn = dcss?.[t] ?? null;
      const dc: Handle =
        dcOwn !== null && dcNext !== null
          ? native.one('AddV2', float, [dcOwn, dcNext])
          : (dcOwn ?? dcNext ?? nothing!);
      const dout: Handle = dhNext === null ? dhs[t]! : native.one('AddV2', float, [dhs[t]!, dhNext]);
      const cPrevious = t === 0 ? ch : css[t - 1]!;
      const hPrevious = t === 0 ? hh : hs[t - 1]!;
      const gates = [is[t]!, css[t]!, fs[t]!, os[t]!, cis[t]!, cos[t]!];
      const places = [noInput, cPrevious, hPrevious, recurrentHandle, peephole, peephole, peephole, bh];
      const inputs = [...places, ...gates, dc, dout];
      const [dcPrevious, dgate] = native.run('LSTMBlockCellGrad', cellAttributes, inputs, 5);
      dgates[t] = dgate!; // [batch, 4 * hidden]
      dcNext = dcPrevious!;
      dhNext = native.one('MatMul', plain, [dgate!, recurrentT]);
    }

    const steps = time * batch;
    const dz = reshape(native.one('Pack', packAttributes, dgates), [steps, 4 * hidden]);
    const dx = reshape(native.one('MatMul', product(false, true), [dz, native.from(kernel)]), [
      time,
      batch,
      inputSize,
    ]);
    const hPreviousAll = reshape(native.one('Pack', packAttributes, [hh, ...hs.slice(0, -1)]), [
      steps,
      hidden,
    ]);
    const dKernel = native.one('MatMul', product(true, false), [reshape(xh, [steps, inputSize]), dz]);
    const dRecurrent = native.one('MatMul', product(true, false), [hPreviousAll, dz]);
    const sumAttributes = native.attributes({
      ...FLOAT,
      Tidx: { type: 'int32' },
      keep_dims: { bool: false },
    });
    const dBias = native.one('Sum', sumAttributes, [dz, native.constant([1], 'int32', [0])]);
    return [dx, dhNext!, dcNext!, dKernel, dRecurrent, dBias];
  });
  return handles.map((handle) => native.toTensor(handle));
}

/**
 * TensorFlow's BlockLSTM forward; backward, one LSTMBlockCellGrad and one product with the transposed recurrent matrix
 * a step, then one product over all steps for each of the weight and input gradients (BlockLSTMGrad makes those
 * products step by step, in one thread, and takes three times as long).
 */
export const nativeLstmKernel: LstmKernel = { forward, backward };
