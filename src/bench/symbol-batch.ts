/** Lengths are rounded up to a multiple of this: a training step is fastest where few shapes occur. */
const ROUNDING = 4;

/**
 * Sequences of symbols, one-hot and padded, `[time, batch, symbols]`.
 * @param rows numbers below `symbols`
 */
export function symbolBatch(
  rows: readonly (readonly number[])[],
  symbols: number,
): { values: Float32Array; shape: [time: number, batch: number, symbols: number] } {
  const longest = Math.max(...rows.map((row) => row.length));
  const time = Math.ceil(longest / ROUNDING) * ROUNDING;
  const values = new Float32Array(time * rows.length * symbols);
  rows.forEach((row, b) => {
    row.forEach((symbol, t) => {
      values[(t * rows.length + b) * symbols + symbol] = 1;
    });
  });
  return { values, shape: [time, rows.length, symbols] };
}
