import { type Tensor3D, tensor3d } from '@tensorflow/tfjs-core';
import { SequenceMask } from '../kernel/mask.js';

/**
 * Sequences of symbols, one-hot and padded: `[time, batch, symbols]` with its mask.
 * @param rows numbers below `symbols`
 */
export function symbolBatch(
  rows: readonly (readonly number[])[],
  symbols: number,
): { x: Tensor3D; mask: SequenceMask } {
  const lengths = Int32Array.from(rows, (row) => row.length);
  const time = Math.max(...lengths);
  const values = new Float32Array(time * rows.length * symbols);
  rows.forEach((row, b) => {
    row.forEach((symbol, t) => {
      values[(t * rows.length + b) * symbols + symbol] = 1;
    });
  });
  return { x: tensor3d(values, [time, rows.length, symbols]), mask: new SequenceMask(lengths, time) };
}
