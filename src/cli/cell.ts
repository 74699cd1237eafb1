import type { CellKind } from '../cell/options.js';
import { DragomanError, excerpt } from '../errors.js';
import { nearest } from '../nearest.js';

/**
 * The kind of cell that an option names. Checked once a command runs: the table of cells takes longer to load than
 * `--help` should.
 *
 * @throws DragomanError `usage`, naming the kinds.
 */
export async function cellNamed(flag: string, text: string): Promise<CellKind> {
  const { CELL_KINDS } = await import('../cell/options.js');
  const kind = CELL_KINDS.find((known) => known === text);
  if (kind !== undefined) return kind;
  const close = nearest(text, CELL_KINDS);
  const hint = close === undefined ? '' : `, did you mean ${close}?`;
  throw new DragomanError(
    'usage',
    `${flag}: expected one of ${CELL_KINDS.join(', ')}, got ${excerpt(text)}${hint}`,
  );
}
