// Rows of matrices in arrays.

/** Rows of a table. @returns `[places, size]` */
export function lookedUp(table: Float32Array, size: number, places: Int32Array): Float32Array<ArrayBuffer> {
  const rows = new Float32Array(places.length * size);
  joinRows([{ values: table, size, rows: places }], places.length, rows);
  return rows;
}

/** Columns of a matrix, and which of its rows stands in each row of a joined one; null where it is the same. */
export interface RowColumns {
  readonly values: Float32Array;
  readonly size: number;
  readonly rows: Int32Array | null;
}

/**
 * Columns side by side.
 * @param joined where they go, `[count, the sum of their sizes]`
 */
export function joinRows(parts: readonly RowColumns[], count: number, joined: Float32Array): void {
  const width = joined.length / count;
  let column = 0;
  for (const { values, size, rows } of parts) {
    for (let k = 0; k < count; k++) {
      const from = (rows === null ? k : rows[k]!) * size;
      joined.set(values.subarray(from, from + size), k * width + column);
    }
    column += size;
  }
}
