import type { Tensor, Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { type Cell, type Weights, weight } from '../cell/cell.js';

/** One recurrent layer, as a kernel of decoding takes it. */
export interface StepLayer {
  readonly kind: 'lstm' | 'gru';
  /** `[input, gates * hidden]` */
  readonly kernel: Tensor2D;
  /** `[hidden, gates * hidden]` */
  readonly recurrent: Tensor2D;
  /** `[gates * hidden]` */
  readonly bias: Tensor1D;
}

/** A layer's parameters laid open; null for a cell that no kernel of decoding has. @param w the cell's own */
export function stepLayer({ kind }: Cell, w: Weights): StepLayer | null {
  if (kind !== 'lstm' && kind !== 'gru') return null;
  return {
    kind,
    kernel: weight(w, 'kernel'),
    recurrent: weight(w, 'recurrent'),
    bias: weight<Tensor1D>(w, 'bias'),
  };
}

/** How a step compares its state with the keys. */
export type StepAttention =
  | { readonly kind: 'product' }
  | {
      readonly kind: 'additive';
      /** `[query, query]` */
      readonly kernel: Tensor2D;
      /** `[query]` */
      readonly bias: Tensor1D;
      /** `[query]` */
      readonly vector: Tensor1D;
    };

/** A decoder with its parameters laid open, for a kernel that runs a whole step of it. */
export interface StepParts {
  /** Embeddings of the target, `[vocabulary, embedding]`. */
  readonly table: Tensor2D;
  readonly layers: readonly StepLayer[];
  /** The summary c enters every step. */
  readonly everyStep: boolean;
  /** o_{t-1} enters step t. */
  readonly inputFeeding: boolean;
  /** null without attention. */
  readonly attention: StepAttention | null;
  readonly readout: { readonly kernel: Tensor2D; readonly bias: Tensor1D };
  /** V, `[output, vocabulary]`, or the table that is V transposed; and its bias, `[vocabulary]`. */
  readonly output: { readonly matrix: Tensor2D; readonly transposed: boolean; readonly bias: Tensor1D };
}

/** What a step needs of the source. */
export interface StepSource {
  /** c of each row, `[rows, memory]`; null where it does not enter every step. */
  readonly summary: Tensor2D | null;
  /** `[batch, source, memory]`, `[batch, source, query]`, `[batch, 1, source]`; null without attention. */
  readonly attention: { readonly memory: Tensor3D; readonly keys: Tensor3D; readonly bias: Tensor3D } | null;
}

/** Whether these are the same parameters with the same values: a changed one has another tensor. */
export function areSame(first: StepParts, second: StepParts): boolean {
  const [made, now] = [tensorsOf(first), tensorsOf(second)];
  return now.length === made.length && now.every((tensor, k) => tensor === made[k]);
}

function tensorsOf({ table, layers, attention, readout, output }: StepParts): Tensor[] {
  return [
    table,
    ...layers.flatMap(({ kernel, recurrent, bias }) => [kernel, recurrent, bias]),
    ...(attention?.kind === 'additive' ? [attention.kernel, attention.bias, attention.vector] : []),
    readout.kernel,
    readout.bias,
    output.matrix,
    output.bias,
  ];
}
