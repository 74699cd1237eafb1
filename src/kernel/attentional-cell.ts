import type { CellKind } from '../cell/options.js';
import type { Algebra, LstmGates, Product, Way } from './algebra.js';

/** Weights of one layer, columns in the order of the cell's gates. */
export interface LayerWeights<H> {
  /** W_u, of what a step feeds in: `[input, width]`. */
  readonly input: H;
  /** U, `[hidden, width]`. */
  readonly recurrent: H;
}

/** What one step leaves: its states, the first of them the output, and what its gradient needs. Each `[batch, any]`. */
export interface CellStep<H> {
  readonly states: readonly H[];
  readonly trace: readonly H[];
}

/**
 * A cell in a loop whose input of a step is known in part only: z = known + u W_u + h_{t-1} U, where `known` is the
 * product of what is given beforehand.
 */
export interface LoopCell<H> {
  forward(known: H, u: H, before: readonly H[]): CellStep<H>;
  /** Gradients of z, u and the states before, from those of the states after. */
  back(
    step: CellStep<H>,
    before: readonly H[],
    by: readonly H[],
  ): { readonly z: H; readonly u: H; readonly before: readonly H[] };
  /**
   * The gradient of U from all steps at once.
   * @param before h_{t-1} of all steps, `[steps * batch, hidden]`
   * @param trace of all steps, each `[steps * batch, any]`
   * @param dz `[steps * batch, width]`
   */
  recurrentGradient(before: H, trace: readonly H[], dz: H): H;
}

type Create = <H>(ops: Algebra<H>, w: LayerWeights<H>, way: Way, batch: number) => LoopCell<H>;

/** The cells that the loop knows; the equations stand in `cell/`. */
export const LOOP_CELLS = { elman, lstm, gru } as const satisfies Partial<Record<CellKind, Create>>;

export type LoopCellKind = keyof typeof LOOP_CELLS;

export function isLoopCell(kind: CellKind): kind is LoopCellKind {
  return kind in LOOP_CELLS;
}

/** [u ; h] times W_u above U. */
function joint<H>(ops: Algebra<H>, { input, recurrent }: LayerWeights<H>, way: Way) {
  const product = ops.product(ops.concat([input, recurrent], 0), way);
  const widths = [ops.shape(input)[0]!, ops.shape(recurrent)[0]!];
  return {
    times: (u: H, h: H): H => product(ops.concat([u, h], 1)),
    back: (dz: H) => ops.split(product(dz), widths, 1) as [du: H, dh: H],
  };
}

function elman<H>(ops: Algebra<H>, w: LayerWeights<H>, way: Way): LoopCell<H> {
  const matrix = joint(ops, w, way);
  return {
    forward: (known, u, [h]) => ({ states: [ops.tanh(ops.add(matrix.times(u, h!), known))], trace: [] }),
    back({ states }, _, [dh]) {
      const z = ops.throughTanh(dh!, states[0]!);
      const [u, h] = matrix.back(z);
      return { z, u, before: [h] };
    },
    recurrentGradient: (before, _, dz) => ops.matMul(before, dz, true),
  };
}

function lstm<H>(ops: Algebra<H>, w: LayerWeights<H>, way: Way, batch: number): LoopCell<H> {
  const matrix = joint(ops, w, way);
  const step = ops.lstm(batch, ops.shape(w.recurrent)[0]!);
  return {
    forward(known, u, before) {
      const [h, c] = before as [H, H];
      const { gates, h: after } = step.forward(ops.add(matrix.times(u, h), known), c);
      return { states: [after, gates.c], trace: [gates.i, gates.g, gates.f, gates.o, gates.squashed] };
    },
    back({ states, trace }, before, by) {
      const [i, g, f, o, squashed] = trace as [H, H, H, H, H];
      const gates: LstmGates<H> = { i, g, f, o, squashed, c: states[1]! };
      const [dh, dc] = by as [H, H];
      const [z, dcBefore] = step.back(gates, before[1]!, dc, dh);
      const [u, h] = matrix.back(z);
      return { z, u, before: [h, dcBefore] };
    },
    recurrentGradient: (before, _, dz) => ops.matMul(before, dz, true),
  };
}

function gru<H>(ops: Algebra<H>, w: LayerWeights<H>, way: Way): LoopCell<H> {
  const [hidden] = ops.shape(w.recurrent) as [number];
  const parts = [2 * hidden, hidden];
  const [ofGates, ofCandidate] = ops.split(w.recurrent, parts, 1) as [H, H];
  const [byU, byState, byReset] = [w.input, ofGates, ofCandidate].map((matrix) =>
    ops.product(matrix, way),
  ) as [Product<H>, Product<H>, Product<H>];
  return {
    forward(known, u, [before]) {
      const h = before!;
      const [xGates, xCandidate] = ops.split(ops.add(byU(u), known), parts, 1) as [H, H];
      const both = ops.sigmoid(ops.add(xGates, byState(h)));
      const [r, z] = ops.split(both, [hidden, hidden], 1) as [H, H];
      const reset = ops.mul(r, h);
      const n = ops.tanh(ops.add(xCandidate, byReset(reset)));
      return { states: [ops.add(n, ops.mul(z, ops.sub(h, n)))], trace: [r, z, n, reset] };
    },
    back({ trace }, [before], [by]) {
      const [r, z, n] = trace as [H, H, H, H];
      const [h, dh] = [before!, by!];
      const kept = ops.mul(dh, z);
      const dn = ops.throughTanh(ops.sub(dh, kept), n);
      const dReset = byReset(dn);
      const dGates = ops.concat(
        [ops.throughSigmoid(ops.mul(dReset, h), r), ops.throughSigmoid(ops.mul(dh, ops.sub(h, n)), z)],
        1,
      );
      const dz = ops.concat([dGates, dn], 1);
      const through = ops.add(byState(dGates), ops.mul(dReset, r));
      return { z: dz, u: byU(dz), before: [ops.add(kept, through)] };
    },
    recurrentGradient(before, trace, dz) {
      const [dGates, dn] = ops.split(dz, parts, 1) as [H, H];
      const reset = trace[3]!;
      return ops.concat([ops.matMul(before, dGates, true), ops.matMul(reset, dn, true)], 1);
    },
  };
}
