import { DragomanError, excerpt } from '../errors.js';
import type { NBestFormat } from './nbest.js';
import { parseId, parseScore } from './nbest-fields.js';

const REQUIRED = ['id', 'text'] as const;

/** Before the name of a feature that is called like a column with a meaning, such as the total of a reranked list. */
const FEATURE = 'feature.';
const MEANINGS: ReadonlySet<string> = new Set([...REQUIRED, 'total']);

/** The column of a feature, and back. */
function columnOf(feature: string): string {
  return MEANINGS.has(feature) ? FEATURE + feature : feature;
}
function featureOf(column: string): string {
  const name = column.startsWith(FEATURE) ? column.slice(FEATURE.length) : column;
  return MEANINGS.has(name) ? name : column;
}

/**
 * Tab-separated with a header: columns `id` and `text`, optionally `total`, every other one a feature. No quoting:
 * a tab or line break inside a text is written as a space. A feature of several values has several columns,
 * `name.0`, `name.1`, …; one that is called `id`, `text` or `total` has the column `feature.total`.
 */
export const tsvFormat: NBestFormat = {
  reader: () => {
    let columns: string[] | null = null;
    return (line, where) => {
      const cells = line.split('\t');
      if (columns === null) {
        columns = header(cells, where);
        return null;
      }
      if (cells.length !== columns.length) {
        throw new DragomanError('input', `${where}: expected ${columns.length} columns, got ${cells.length}`);
      }
      const features = new Map<string, number[]>();
      let id = 0;
      let text = '';
      let total: number | null = null;
      columns.forEach((name, i) => {
        const cell = cells[i]!;
        if (name === 'id') id = parseId(cell, where);
        else if (name === 'text') text = cell;
        else if (name === 'total') total = parseScore(cell, 'the total', where);
        else features.set(featureOf(name), [parseScore(cell, `feature ${excerpt(name)}`, where)]);
      });
      return { id, entries: [{ text, features, total, rest: {} }], whole: false };
    };
  },

  writer: () => {
    let columns: string[] | null = null;
    return ({ id, entries }) => {
      const lines: string[] = [];
      for (const { text, features, total } of entries) {
        const cells = new Map<string, string>([
          ['id', String(id)],
          ['text', text.replaceAll(/[\t\r\n]+/g, ' ')],
        ]);
        for (const [name, values] of features) {
          values.forEach((value, i) => {
            cells.set(values.length === 1 ? columnOf(name) : `${name}.${i}`, String(value));
          });
        }
        if (total !== null) cells.set('total', String(total));
        const names = [...cells.keys()];
        if (columns === null) {
          columns = names;
          lines.push(names.join('\t'));
        } else if (names.length !== columns.length || columns.some((name) => !cells.has(name))) {
          throw new DragomanError(
            'input',
            `expected the columns ${columns.join(', ')} for every hypothesis of a TSV file, got ${names.join(', ')} in sentence ${id}`,
          );
        }
        lines.push(columns.map((name) => cells.get(name)!).join('\t'));
      }
      return lines;
    };
  },
};

function header(cells: string[], where: string): string[] {
  for (const name of REQUIRED) {
    if (!cells.includes(name)) {
      throw new DragomanError(
        'input',
        `${where}: expected a header with the columns ${REQUIRED.join(' and ')}, got ${excerpt(cells.join(' '))}`,
      );
    }
  }
  const twice = cells.find((name, i) => cells.indexOf(name) !== i);
  if (twice !== undefined)
    throw new DragomanError('input', `${where}: expected each column once, got ${excerpt(twice)} again`);
  return cells;
}
