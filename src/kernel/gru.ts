import { customGrad, type Tensor, type Tensor2D, type Tensor3D } from '@tensorflow/tfjs-core';
import { type Cell, type State, type Weights, weight } from '../cell/cell.js';
import { type Attributes, type Handle, nativeOps } from '../engine/native.js';
import type { SequenceMask } from './mask.js';
import type { Sequence } from './scan.js';
import type { Wanted } from './sequence.js';

interface GruInput {
  /** x W + b, `[time, batch, 3 * hidden]`, in the order r, z, n. */
  readonly x: Tensor3D;
  /** `[batch, hidden]` */
  readonly h0: Tensor2D;
  /** U_r and U_z side by side, `[hidden, 2 * hidden]`. */
  readonly gates: Tensor2D;
  /** U_n, `[hidden, hidden]`. */
  readonly candidate: Tensor2D;
}

/** The states, then what the gradient needs: r, z and n. Each `[time, batch, hidden]`. */
type GruOutput = readonly [h: Tensor3D, r: Tensor3D, z: Tensor3D, n: Tensor3D];

/**
 * GRU over a padded sequence in one kernel of the tensorflow engine: the equations of `cell/gru.ts` from TensorFlow's
 * single operations, called without tfjs's bookkeeping, which costs more than most of them do. (GRUBlockCell is one
 * call a step, but multiplies each step's input on its own.) Padding needs no care: padded steps come last and their
 * outputs are not used, so no gradient enters there.
 */
export function fusedGru(
  cell: Cell,
  w: Weights,
  x: Tensor3D,
  initial: State,
  mask: SequenceMask,
  wanted: Wanted,
): Sequence {
  const prepared = cell.prepare(w);
  const h0 = initial.h!;
  const gru = customGrad((...all) => {
    const save = all.pop() as unknown as (tensors: Tensor[]) => void;
    const output = forward(inputOf(all as Tensor[]));
    save([...(all as Tensor[]), ...output]);
    return {
      value: output[0],
      gradFunc: (dy: Tensor, saved: Tensor[]) =>
        backward(inputOf(saved), saved.slice(INPUTS) as unknown as GruOutput, dy as Tensor3D),
    };
  });
  const h = gru(cell.project(w, x), h0, weight(prepared, 'gates'), weight(prepared, 'candidate')) as Tensor3D;
  return { outputs: mask.apply(h), final: wanted === 'states' ? { h: mask.last(h0, h) } : {} };
}

const INPUTS = 4;

function inputOf(tensors: readonly Tensor[]): GruInput {
  const [x, h0, gates, candidate] = tensors as [Tensor3D, Tensor2D, Tensor2D, Tensor2D];
  return { x, h0, gates, candidate };
}

const FLOAT: Attributes = { T: { type: 'float32' } };

/** Operations that both directions use, with their attributes made once. */
function operations(time: number) {
  const native = nativeOps();
  const float = native.attributes(FLOAT);
  const along = (inputs: number, axis: number): Attributes => ({
    ...FLOAT,
    N: { int: inputs },
    axis: { int: axis },
  });
  const pack = native.attributes(along(time, 0));
  const unpack = native.attributes({ ...FLOAT, num: { int: time }, axis: { int: 0 } });
  const product = (transposeA: boolean) =>
    native.attributes({ ...FLOAT, transpose_a: { bool: transposeA }, transpose_b: { bool: false } });
  const [plain, transposed] = [product(false), product(true)];
  const binary = (name: string) => (a: Handle, b: Handle) => native.one(name, float, [a, b]);
  return {
    native,
    float,
    add: binary('AddV2'),
    sub: binary('Sub'),
    mul: binary('Mul'),
    matMul: (a: Handle, b: Handle) => native.one('MatMul', plain, [a, b]),
    matMulTransposedA: (a: Handle, b: Handle) => native.one('MatMul', transposed, [a, b]),
    pack: (steps: readonly Handle[]) => native.one('Pack', pack, steps), // [time, batch, size]
    unpack: (sequence: Handle) => native.run('Unpack', unpack, [sequence], time),
  };
}

function forward({ x, h0, gates, candidate }: GruInput): GruOutput {
  const [time] = x.shape;
  const hidden = h0.shape[1];
  const { native, float, add, sub, mul, matMul, pack, unpack } = operations(time);
  const handles = native.scope((): Handle[] => {
    const [h0Handle, gatesHandle, candidateHandle] = [h0, gates, candidate].map((t) => native.from(t)) as [
      Handle,
      Handle,
      Handle,
    ];
    const axis = native.constant([], 'int32', [1]);
    const two = native.attributes({ ...FLOAT, num_split: { int: 2 }, Tlen: { type: 'int32' } });
    const halves = native.constant([2], 'int32', [hidden, hidden]);
    const inputWidths = native.constant([2], 'int32', [2 * hidden, hidden]);
    const hs: Handle[] = [];
    const rs: Handle[] = [];
    const zs: Handle[] = [];
    const ns: Handle[] = [];
    let h = h0Handle;
    for (const xt of unpack(native.from(x))) {
      const [xGates, xCandidate] = native.run('SplitV', two, [xt, inputWidths, axis], 2);
      const rz = native.one('Sigmoid', float, [add(xGates!, matMul(h, gatesHandle))]);
      const [r, z] = native.run('SplitV', two, [rz, halves, axis], 2);
      const n = native.one('Tanh', float, [add(xCandidate!, matMul(mul(r!, h), candidateHandle))]);
      h = add(n, mul(z!, sub(h, n)));
      hs.push(h);
      rs.push(r!);
      zs.push(z!);
      ns.push(n);
    }
    return [hs, rs, zs, ns].map(pack);
  });
  return handles.map((handle) => native.toTensor(handle)) as unknown as GruOutput;
}

/**
 * What does not depend on the gradient is formed for all steps at once: with dh the gradient of a state,
 *
 *     dn = dh (1 - z) (1 - n²),  dz = dh z (1 - z) (h_{t-1} - n),  dr = (dn U_n') r (1 - r) h_{t-1}
 */
function backward({ x, h0, gates, candidate }: GruInput, [h, r, z, n]: GruOutput, dh: Tensor3D): Tensor[] {
  const [time, batch] = x.shape;
  const hidden = h0.shape[1];
  const { native, float, add, sub, mul, matMul, matMulTransposedA, pack, unpack } = operations(time);
  const handles = native.scope((): Handle[] => {
    const before = pack([native.from(h0), ...unpack(native.from(h)).slice(0, -1)]);
    const [rh, zh, nh] = [r, z, n].map((t) => native.from(t)) as [Handle, Handle, Handle];
    const one = native.constant([], 'float32', [1]);
    const byCandidate = unpack(native.one('TanhGrad', float, [nh, sub(one, zh)]));
    const byUpdate = unpack(native.one('SigmoidGrad', float, [zh, sub(before, nh)]));
    const byReset = unpack(native.one('SigmoidGrad', float, [rh, before]));
    const [rs, zs, dhs] = [unpack(rh), unpack(zh), unpack(native.from(dh))];
    // Transposed once a call: a product with transpose_b costs about twice as much, and there are two a step.
    const swap = native.constant([2], 'int32', [1, 0]);
    const transposeAttributes = native.attributes({ ...FLOAT, Tperm: { type: 'int32' } });
    const [gatesT, candidateT] = [gates, candidate].map((t) =>
      native.one('Transpose', transposeAttributes, [native.from(t), swap]),
    ) as [Handle, Handle];
    const joint = native.attributes({ ...FLOAT, N: { int: 2 }, Tidx: { type: 'int32' } });
    const axis = native.constant([], 'int32', [1]);
    const sumOf3 = native.attributes({ ...FLOAT, N: { int: 3 } });

    const dGates: Handle[] = new Array(time);
    const dCandidates: Handle[] = new Array(time);
    let carried: Handle | null = null;
    for (let t = time - 1; t >= 0; t--) {
      const d: Handle = carried === null ? dhs[t]! : add(dhs[t]!, carried);
      const dn = mul(d, byCandidate[t]!);
      const dReset = matMul(dn, candidateT);
      const dg = native.one('ConcatV2', joint, [mul(dReset, byReset[t]!), mul(d, byUpdate[t]!), axis]);
      carried = native.one('AddN', sumOf3, [mul(d, zs[t]!), mul(dReset, rs[t]!), matMul(dg, gatesT)]);
      dGates[t] = dg;
      dCandidates[t] = dn;
    }

    const rows = (handle: Handle, width: number): Handle =>
      native.one('Reshape', native.attributes({ ...FLOAT, Tshape: { type: 'int32' } }), [
        handle,
        native.constant([2], 'int32', [time * batch, width]),
      ]);
    const [dg, dn] = [pack(dGates), pack(dCandidates)];
    const dx = native.one('ConcatV2', joint, [dg, dn, native.constant([], 'int32', [2])]);
    const dGatesMatrix = matMulTransposedA(rows(before, hidden), rows(dg, 2 * hidden));
    const dCandidateMatrix = matMulTransposedA(rows(mul(rh, before), hidden), rows(dn, hidden));
    return [dx, carried!, dGatesMatrix, dCandidateMatrix];
  });
  return handles.map((handle) => native.toTensor(handle));
}
