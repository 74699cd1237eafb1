import Table from 'cli-table3';
import type { Terminal } from './terminal.js';

/** Columns are separated by so much, and the narrowest column is so wide. */
const GAP = 3;
const NARROWEST = 8;

/**
 * A table for results. On a terminal long cells are wrapped to its width and lines are drawn; elsewhere there is
 * no colour, no wrapping, and a line a row.
 */
export function resultTable(
  terminal: Terminal,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const { isTTY, columns = 100 } = terminal.stdout;
  const widths = head.map(
    (title, i) => Math.max(title.length, ...rows.map((row) => [...(row[i] ?? '')].length)) + 2,
  );
  const room = columns - GAP * head.length;
  const tooWide = widths.reduce((sum, width) => sum + width, 0) > room;
  const table = new Table({
    head: [...head],
    style: isTTY ? { head: ['bold'], border: ['gray'] } : { head: [], border: [] },
    ...(isTTY && tooWide
      ? { colWidths: shares(widths, room), wordWrap: true, wrapOnWordBoundary: true }
      : {}),
  });
  for (const row of rows) table.push([...row]);
  return table.toString();
}

/** Widths that fit the room together: narrow columns keep theirs, wide ones share the rest. */
function shares(widths: readonly number[], room: number): number[] {
  const result = [...widths];
  let left = room;
  const order = [...widths.keys()].sort((a, b) => widths[a]! - widths[b]!);
  order.forEach((column, done) => {
    const share = Math.max(NARROWEST, Math.floor(left / (order.length - done)));
    result[column] = Math.min(widths[column]!, share);
    left -= result[column]!;
  });
  return result;
}
