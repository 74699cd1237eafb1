import { gather, type Tensor, type Tensor2D, type Tensor3D, tensor1d, tidy } from '@tensorflow/tfjs-core';
import type { State } from '../cell/cell.js';
import { at, repeated, rowsOf, type SearchSize, SearchState } from './search-state.js';

/** What a {@link TensorState} is made of. */
export interface StateTensors extends SearchSize {
  /** Per sentence: `memory`, `keys`, `bias`, each `[sentences, …]`; empty without attention. */
  readonly source: Readonly<Record<string, Tensor3D>>;
  /** The summary c of each row, `[rows, memory]`; null where only the start depends on it. */
  readonly summary: Tensor2D | null;
  /** The decoder's state, each `[any, size]`. */
  readonly state: State;
  /** Row of `state` that each row stands for: moved only when the next step needs them; null where all are in place. */
  readonly rows: Int32Array | null;
}

/** A search state in the engine's tensors. */
export class TensorState extends SearchState<StateTensors> {
  expanded(width: number): TensorState {
    const { parts } = this;
    const rows = repeated(parts.sentences, width);
    return new TensorState({
      ...parts,
      width,
      summary: moved(parts.summary, rows),
      rows: composed(parts.rows, rows),
    });
  }

  reordered(parents: Int32Array): TensorState {
    return new TensorState({ ...this.parts, rows: composed(this.parts.rows, parents) });
  }

  kept(sentences: Int32Array): TensorState {
    const { parts } = this;
    const rows = rowsOf(sentences, parts.width);
    return new TensorState({
      ...parts,
      sentences: sentences.length,
      lengths: at(parts.lengths, sentences),
      source: allMoved(parts.source, sentences),
      summary: moved(parts.summary, rows),
      rows: composed(parts.rows, rows),
    });
  }

  release(): void {
    const { source, summary, state } = this.parts;
    summary?.dispose();
    for (const tensor of [...Object.values(source), ...Object.values(state)]) tensor.dispose();
  }

  /** The decoder's state with every row in its place. */
  inPlace(): State {
    const { state, rows } = this.parts;
    if (rows === null) return state;
    const index = tensor1d(rows, 'int32');
    return Object.fromEntries(Object.entries(state).map(([name, tensor]) => [name, gather(tensor, index)]));
  }
}

/** These rows of every tensor; the old ones are disposed. One tensor may have several names. */
function allMoved(
  tensors: Readonly<Record<string, Tensor3D>>,
  rows: Int32Array,
): Readonly<Record<string, Tensor3D>> {
  const gathered = tidy(() => {
    const index = tensor1d(rows, 'int32');
    return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, gather(tensor, index)]));
  });
  for (const tensor of Object.values(tensors)) tensor.dispose();
  return gathered;
}

/** These rows of a tensor, which is disposed. */
function moved<T extends Tensor>(tensor: T | null, rows: Int32Array): T | null {
  if (tensor === null) return null;
  const gathered = tidy(() => gather(tensor, tensor1d(rows, 'int32')));
  tensor.dispose();
  return gathered;
}

/** Rows of rows. */
function composed(first: Int32Array | null, then: Int32Array): Int32Array {
  return first === null ? then : at(first, then);
}
