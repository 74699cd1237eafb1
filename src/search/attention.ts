import type { Tensor2D } from '@tensorflow/tfjs-core';
import { DragomanError } from '../errors.js';
import type { PaddedIds } from '../text/batch.js';
import type { ResolvedSearchOptions } from './options.js';

/** The attention of one step, read back: `weights [rows, columns]`. */
export interface StepAttention {
  readonly weights: Float32Array;
  readonly columns: number;
}

/** Reads the attention of a step. Throws `usage` when the model has none, naming what asked for it. */
export function readAttention(attention: Tensor2D | null, asking: string): StepAttention {
  const tensor = requireAttention(attention, asking);
  return { weights: tensor.dataSync<'float32'>(), columns: tensor.shape[1] };
}

/** Which of the options wants attention, for the message where a model has none; null where none does. */
export function askedBy(options: ResolvedSearchOptions): string | null {
  if (options.coveragePenalty > 0) return 'a coverage penalty';
  return options.alignment ? 'an alignment' : null;
}

/** Throws `usage` when there is none. */
export function requireAttention<T>(attention: T | null, asking: string): T {
  if (attention !== null) return attention;
  throw new DragomanError(
    'usage',
    `${asking} needs a model with attention, got a model with attention: none`,
  );
}

/** The source token (from 0, EOS left out) that row `row` looks at most, the first of equal ones; -1 without source. */
export function strongest(attention: StepAttention, row: number, sourceLength: number): number {
  const start = row * attention.columns;
  let best = -1;
  let weight = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < sourceLength; i++) {
    const here = attention.weights[start + i]!;
    if (here > weight) {
      weight = here;
      best = i;
    }
  }
  return best;
}

/** Attention sums over the steps so far, [rows, source time]; the columns of EOS and padding are kept but not used. */
export class Coverage {
  readonly #sums: Float32Array;
  readonly #time: number;

  constructor(rows: number, time: number) {
    this.#sums = new Float32Array(rows * time);
    this.#time = time;
  }

  /** Row `row`: what `before` had in row `parent`, plus the attention of that row of the step. */
  extend(
    row: number,
    before: Coverage,
    parent: number,
    attention: StepAttention,
    attentionRow: number,
  ): void {
    const to = row * this.#time;
    const from = parent * this.#time;
    const added = attentionRow * attention.columns;
    const columns = Math.min(this.#time, attention.columns);
    for (let i = 0; i < columns; i++) {
      this.#sums[to + i] = before.#sums[from + i]! + attention.weights[added + i]!;
    }
  }

  /** A view of the sums of a row's source tokens. */
  row(row: number, sourceLength: number): Float32Array {
    return this.#sums.subarray(row * this.#time, row * this.#time + sourceLength);
  }
}

/** Lengths of the sources without their EOS. */
export function sourceLengths(source: PaddedIds): Int32Array {
  return source.lengths.map((length) => length - 1);
}
