import { type Tensor1D, tensor1d } from '@tensorflow/tfjs-core';
import type { PaddedIds } from '../text/batch.js';
import { BOS } from '../text/vocabulary.js';

// How the ids of a batch are laid out for the model.

/** Ids `[rows, time]` as int32 `[time * rows]`: the model computes time-major, one step is one contiguous block. */
export function timeMajor(ids: Int32Array, layout: PaddedIds): Tensor1D {
  return tensor1d(timeMajorIds(ids, layout), 'int32');
}

/** The same as an array. */
export function timeMajorIds(ids: Int32Array, { rows, time }: PaddedIds): Int32Array {
  const out = new Int32Array(ids.length);
  for (let t = 0, k = 0; t < time; t++) {
    for (let row = 0; row < rows; row++, k++) out[k] = ids[row * time + t]!;
  }
  return out;
}

/** Each row's words in reverse, EOS and padding left behind them (Sutskever et al. 2014, section 3.3). */
export function reversed({ ids, lengths, rows, time }: PaddedIds): Int32Array {
  const out = Int32Array.from(ids);
  for (let row = 0; row < rows; row++) out.subarray(row * time, row * time + lengths[row]! - 1).reverse();
  return out;
}

/** Decoder inputs: BOS, then all tokens but the last. */
export function shifted({ ids, rows, time }: PaddedIds): Int32Array {
  const out = new Int32Array(ids.length);
  for (let row = 0; row < rows; row++) {
    out[row * time] = BOS;
    out.set(ids.subarray(row * time, (row + 1) * time - 1), row * time + 1);
  }
  return out;
}

/** Time-major row numbers of the real target positions, and the tokens there. */
export function realPositions({ ids, lengths, rows, time }: PaddedIds): {
  rows: Int32Array;
  labels: Int32Array;
} {
  const count = lengths.reduce((a, b) => a + b, 0);
  const positions = new Int32Array(count);
  const labels = new Int32Array(count);
  for (let t = 0, k = 0; t < time; t++) {
    for (let row = 0; row < rows; row++) {
      if (t >= lengths[row]!) continue;
      positions[k] = t * rows + row;
      labels[k++] = ids[row * time + t]!;
    }
  }
  return { rows: positions, labels };
}
