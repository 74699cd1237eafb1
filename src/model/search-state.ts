import { gather, type Tensor, type Tensor2D, type Tensor3D, tensor1d, tidy } from '@tensorflow/tfjs-core';
import type { State } from '../cell/cell.js';
import type { DecodeState } from '../search/step-model.js';

/** {@link DecodeState} as the encoder-decoder keeps it. */
export interface SearchState extends DecodeState {
  /** Real source positions of each sentence. */
  readonly lengths: Int32Array;
  readonly time: number;
  /** Per sentence: `memory`, `keys`, `bias`, each `[sentences, …]`; empty without attention. */
  readonly source: Readonly<Record<string, Tensor3D>>;
  /** The summary c of each row, `[rows, memory]`; null where only the start depends on it. */
  readonly summary: Tensor2D | null;
  /** The decoder's state, each `[any, size]`. */
  readonly state: State;
  /** Row of `state` that each row stands for: moved only when the next step needs them; null where all are in place. */
  readonly rows: Int32Array | null;
}

/** Each row `width` times. */
export function expanded(old: SearchState, width: number): SearchState {
  const rows = Int32Array.from({ length: old.sentences * width }, (_, k) => Math.floor(k / width));
  return { ...old, width, summary: moved(old.summary, rows), rows: composed(old.rows, rows) };
}

/** Row i continues row `parents[i]`, of the same sentence. */
export function reordered(old: SearchState, parents: Int32Array): SearchState {
  return { ...old, rows: composed(old.rows, parents) };
}

/** Only these sentences. */
export function kept(old: SearchState, sentences: Int32Array): SearchState {
  const { width } = old;
  const rows = Int32Array.from(
    { length: sentences.length * width },
    (_, k) => sentences[Math.floor(k / width)]! * width + (k % width),
  );
  return {
    ...old,
    sentences: sentences.length,
    lengths: sentences.map((sentence) => old.lengths[sentence]!),
    source: allMoved(old.source, sentences),
    summary: moved(old.summary, rows),
    rows: composed(old.rows, rows),
  };
}

/** Disposes all of it. */
export function release({ source, summary, state }: SearchState): void {
  summary?.dispose();
  for (const tensor of [...Object.values(source), ...Object.values(state)]) tensor.dispose();
}

/** The decoder's state with every row in its place. */
export function inPlace({ state, rows }: SearchState): State {
  if (rows === null) return state;
  const index = tensor1d(rows, 'int32');
  return Object.fromEntries(Object.entries(state).map(([name, tensor]) => [name, gather(tensor, index)]));
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
  return first === null ? then : then.map((row) => first[row]!);
}
