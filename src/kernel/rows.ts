// Rows of matrices in arrays, by the compiled kernels.
import { compiledKernels } from '../engine/compiled-kernels.js';

const NONE = new Int32Array(0);

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
  compiledKernels().join(
    count,
    parts.map(({ values }) => values),
    parts.map(({ size }) => size),
    parts.map(({ rows }) => rows ?? NONE),
    joined,
  );
}
