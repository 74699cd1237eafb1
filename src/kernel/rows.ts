// Rows of matrices in arrays.

/** Rows of a table. @returns `[places, size]` */
export function lookedUp(table: Float32Array, size: number, places: Int32Array): Float32Array<ArrayBuffer> {
  return joinedRows([{ values: table, size, rows: places }], places.length);
}

/** Columns of a matrix, and which of its rows stands in each row of a joined one; null where it is the same. */
export interface RowColumns {
  readonly values: Float32Array;
  readonly size: number;
  readonly rows: Int32Array | null;
}

/** Columns side by side. @returns `[count, the sum of their sizes]` */
export function joinedRows(parts: readonly RowColumns[], count: number): Float32Array<ArrayBuffer> {
  const width = parts.reduce((sum, { size }) => sum + size, 0);
  const joined = new Float32Array(count * width);
  let column = 0;
  for (const { values, size, rows } of parts) {
    for (let k = 0; k < count; k++) {
      const from = (rows === null ? k : rows[k]!) * size;
      joined.set(values.subarray(from, from + size), k * width + column);
    }
    column += size;
  }
  return joined;
}
