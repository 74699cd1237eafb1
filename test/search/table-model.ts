import * as tf from '@tensorflow/tfjs-core';
import type { DecodeState, Step, StepModel } from '../../src/search/step-model.js';
import type { Batch, PaddedIds } from '../../src/text/batch.js';
import { PAD } from '../../src/text/vocabulary.js';

/**
 * A language model without weights: its logits are a hash of the whole source and the whole prefix, so any mix-up
 * of rows, sentences or orders changes them. Its state lives in tensors and is moved by tensor operations, so a
 * search that leaks or uses a consumed state is caught. Each function of it is also plain, for the slow twins.
 */
export interface TableSpec {
  readonly targetSize: number;
  readonly seed: number;
  /** Spread of the logits. */
  readonly scale?: number;
  /** Added to the logit of EOS at each step: `endBias + endSlope * length`. */
  readonly endBias?: number;
  readonly endSlope?: number;
  /** Logits are rounded to this grid, to make ties. */
  readonly grid?: number;
  readonly attention?: boolean;
}

const MODULUS = 65_521;

function mix(hash: number, token: number): number {
  return (hash * 31 + token + 7) % MODULUS;
}

function uniform(...values: number[]): number {
  let h = 0x9e3779b9;
  for (const value of values) {
    h = Math.imul(h ^ (value | 0), 0x85ebca6b);
    h ^= h >>> 13;
    h = Math.imul(h, 0xc2b2ae35);
    h ^= h >>> 16;
  }
  return (h >>> 0) / 4294967296;
}

/** Hash of a source row, its EOS included, padding not. */
export function hashSource(ids: ArrayLike<number>): number {
  let hash = 1;
  for (let i = 0; i < ids.length; i++) hash = mix(hash, ids[i]!);
  return hash;
}

class TableState implements DecodeState {
  /** [rows, 3]: hash of source and prefix, prefix length, source length. */
  constructor(
    readonly sentences: number,
    readonly width: number,
    readonly rows: tf.Tensor2D,
    readonly time: number,
  ) {}
}

export class TableModel implements StepModel {
  readonly targetSize: number;
  steps = 0;
  /** Rows computed in all steps. */
  rows = 0;

  constructor(readonly spec: TableSpec) {
    this.targetSize = spec.targetSize;
  }

  logit(hash: number, length: number, token: number): number {
    const { seed, scale = 3, endBias = 0, endSlope = 0, grid } = this.spec;
    let value = scale * (2 * uniform(seed, hash, token) - 1);
    if (grid !== undefined) value = Math.round(value / grid) * grid;
    return Math.fround(token === 3 ? value + endBias + endSlope * length : value);
  }

  /** ln P of every next token after `prefix`, which starts with BOS. Plain numbers. */
  logProbabilities(sourceWithEos: ArrayLike<number>, prefix: readonly number[]): number[] {
    const hash = prefix.reduce(mix, hashSource(sourceWithEos));
    const logits = Array.from({ length: this.targetSize }, (_, v) => this.logit(hash, prefix.length, v));
    const max = Math.max(...logits);
    const norm = max + Math.log(logits.reduce((sum, x) => sum + Math.exp(x - max), 0));
    return logits.map((x) => x - norm);
  }

  /** Attention over the source (its EOS last) after `prefix`. */
  attention(sourceWithEos: ArrayLike<number>, prefix: readonly number[]): number[] {
    return this.#attention(prefix.reduce(mix, hashSource(sourceWithEos)), sourceWithEos.length);
  }

  #attention(hash: number, length: number): number[] {
    const weights = Array.from({ length }, (_, i) => Math.exp(4 * uniform(this.spec.seed, hash, i, 77)));
    const sum = weights.reduce((a, b) => a + b, 0);
    return weights.map((w) => w / sum);
  }

  start(source: PaddedIds): DecodeState {
    const rows: number[] = [];
    for (let r = 0; r < source.rows; r++) {
      const length = source.lengths[r]!;
      const ids = source.ids.subarray(r * source.time, r * source.time + length);
      if (ids.includes(PAD)) throw new Error('PAD inside a source row');
      rows.push(hashSource(ids), 0, length);
    }
    return new TableState(source.rows, 1, tf.tensor2d(rows, [source.rows, 3], 'int32'), source.time);
  }

  expand(state: DecodeState, width: number): DecodeState {
    const old = own(state);
    if (old.width !== 1) throw new Error('expand needs width 1');
    return this.#move(
      old,
      Int32Array.from({ length: old.sentences * width }, (_, i) => Math.floor(i / width)),
      width,
    );
  }

  reorder(state: DecodeState, parents: Int32Array): DecodeState {
    const old = own(state);
    if (parents.length !== old.sentences * old.width) throw new Error('reorder: one parent a row');
    parents.forEach((parent, row) => {
      if (Math.floor(parent / old.width) !== Math.floor(row / old.width))
        throw new Error('reorder across sentences');
    });
    return this.#move(old, parents, old.width);
  }

  keep(state: DecodeState, sentences: Int32Array): DecodeState {
    const old = own(state);
    const rows: number[] = [];
    for (const s of sentences) for (let i = 0; i < old.width; i++) rows.push(s * old.width + i);
    return this.#move(old, Int32Array.from(rows), old.width);
  }

  step(state: DecodeState, previous: Int32Array): Step {
    const old = own(state);
    const data = old.rows.dataSync();
    const count = old.sentences * old.width;
    if (previous.length !== count) throw new Error(`step: ${previous.length} tokens for ${count} rows`);
    this.steps++;
    this.rows += count;
    const next: number[] = [];
    const logits: number[] = [];
    const attention = new Float32Array(count * old.time);
    for (let r = 0; r < count; r++) {
      const hash = mix(data[r * 3]!, previous[r]!);
      const length = data[r * 3 + 1]! + 1;
      const sourceLength = data[r * 3 + 2]!;
      next.push(hash, length, sourceLength);
      for (let v = 0; v < this.targetSize; v++) logits.push(this.logit(hash, length, v));
      attention.set(this.#attention(hash, sourceLength), r * old.time);
    }
    old.rows.dispose();
    return {
      state: new TableState(old.sentences, old.width, tf.tensor2d(next, [count, 3], 'int32'), old.time),
      logits: tf.tensor2d(logits, [count, this.targetSize]),
      attention: this.spec.attention === false ? null : tf.tensor2d(attention, [count, old.time]),
    };
  }

  release(state: DecodeState): void {
    own(state).rows.dispose();
  }

  /** As the real model's: ln P of each target token, EOS last. */
  score(batch: Batch): Float32Array[] {
    return Array.from({ length: batch.target.rows }, (_, r) => {
      const source = rowOf(batch.source, r);
      const target = rowOf(batch.target, r);
      const prefix = [2];
      return Float32Array.from(target, (token) => {
        const score = this.logProbabilities(source, prefix)[token]!;
        prefix.push(token);
        return score;
      });
    });
  }

  dispose(): void {}

  #move(old: TableState, rows: Int32Array, width: number): TableState {
    const moved = tf.tidy(() => tf.gather(old.rows, tf.tensor1d(rows, 'int32')) as tf.Tensor2D);
    old.rows.dispose();
    return new TableState(rows.length / width, width, moved, old.time);
  }
}

function rowOf(padded: PaddedIds, r: number): Int32Array {
  return padded.ids.slice(r * padded.time, r * padded.time + padded.lengths[r]!);
}

function own(state: DecodeState): TableState {
  if (!(state instanceof TableState)) throw new Error('not my state');
  if (state.rows.isDisposed) throw new Error('a consumed state was used again');
  return state;
}
