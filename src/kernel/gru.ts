import type { Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { type Cell, type State, type Weights, weight } from '../cell/cell.js';
import type { Handle } from '../engine/native.js';
import { product } from '../engine/products.js';
import { customOperation } from './custom-operation.js';
import type { SequenceMask } from './mask.js';
import { operations } from './operations.js';
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
  const h = customOperation(
    [cell.project(w, x), h0, weight(prepared, 'gates'), weight(prepared, 'candidate')],
    (inputs) => {
      const output = forward(inputOf(inputs));
      return { value: output[0], kept: output };
    },
    (dh, inputs, kept) => backward(inputOf(inputs), kept as unknown as GruOutput, dh),
  );
  return { outputs: mask.apply(h), final: wanted === 'states' ? { h: mask.last(h0, h) } : {} };
}

function inputOf(tensors: readonly Tensor[]): GruInput {
  const [x, h0, gates, candidate] = tensors as [Tensor3D, Tensor2D, Tensor2D, Tensor2D];
  return { x, h0, gates, candidate };
}

function forward({ x, h0, gates, candidate }: GruInput): GruOutput {
  const hidden = h0.shape[1];
  const { native, add, sub, mul, sigmoid, tanh, transpose, splitter, pack, unpack } = operations();
  const handles = native.scope((): Handle[] => {
    const [gatesT, candidateT] = [gates, candidate].map((t) => transpose(native.from(t))) as [Handle, Handle];
    const inputs = splitter([2 * hidden, hidden], 1);
    const halves = splitter([hidden, hidden], 1);
    const hs: Handle[] = [];
    const rs: Handle[] = [];
    const zs: Handle[] = [];
    const ns: Handle[] = [];
    let h = native.from(h0);
    for (const xt of unpack(native.from(x))) {
      const [xGates, xCandidate] = inputs(xt) as [Handle, Handle];
      const [r, z] = halves(sigmoid(add(xGates, product(h, gatesT, false, true)))) as [Handle, Handle];
      const n = tanh(add(xCandidate, product(mul(r, h), candidateT, false, true)));
      h = add(n, mul(z, sub(h, n)));
      hs.push(h);
      rs.push(r);
      zs.push(z);
      ns.push(n);
    }
    return [hs, rs, zs, ns].map((steps) => pack(steps));
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
  const run = operations();
  const { native, add, sub, mul, pack, unpack } = run;
  const handles = native.scope((): Handle[] => {
    const before = pack([native.from(h0), ...unpack(native.from(h)).slice(0, -1)]);
    const [rh, zh, nh] = [r, z, n].map((t) => native.from(t)) as [Handle, Handle, Handle];
    const one = native.constant([], 'float32', [1]);
    const byCandidate = unpack(run.tanhGrad(nh, sub(one, zh)));
    const byUpdate = unpack(run.sigmoidGrad(zh, sub(before, nh)));
    const byReset = unpack(run.sigmoidGrad(rh, before));
    const [rs, zs, dhs] = [unpack(rh), unpack(zh), unpack(native.from(dh))];
    const [gatesHandle, candidateHandle] = [native.from(gates), native.from(candidate)];
    const sideBySide = run.joiner(2, 1);

    const dGates: Handle[] = new Array(time);
    const dCandidates: Handle[] = new Array(time);
    let carried: Handle | null = null;
    for (let t = time - 1; t >= 0; t--) {
      const d: Handle = carried === null ? dhs[t]! : add(dhs[t]!, carried);
      const dn = mul(d, byCandidate[t]!);
      const dReset = product(dn, candidateHandle, false, true);
      const dg = sideBySide([mul(dReset, byReset[t]!), mul(d, byUpdate[t]!)]);
      carried = run.addN([mul(d, zs[t]!), mul(dReset, rs[t]!), product(dg, gatesHandle, false, true)]);
      dGates[t] = dg;
      dCandidates[t] = dn;
    }

    const rows = (handle: Handle, width: number): Handle => run.reshape(handle, [time * batch, width]);
    const [dg, dn] = [pack(dGates), pack(dCandidates)];
    const dx = run.joiner(2, 2)([dg, dn]);
    const dGatesMatrix = product(rows(before, hidden), rows(dg, 2 * hidden), true);
    const dCandidateMatrix = product(rows(mul(rh, before), hidden), rows(dn, hidden), true);
    return [dx, carried!, dGatesMatrix, dCandidateMatrix];
  });
  return handles.map((handle) => native.toTensor(handle));
}
