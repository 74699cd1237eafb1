import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createCell } from '../../src/cell/family.js';
import { LEGEND_SIZE, legendOf } from '../../src/wiring/draw.js';
import { type Box, boxOf, labelOf, textWidth, wayOf } from '../../src/wiring/layout.js';
import { WIRINGS, wiringPictures } from '../../src/wiring/pictures.js';
import type { Point, Wiring } from '../../src/wiring/wiring.js';

// `npx vitest run test/wiring -u` writes docs/wiring anew, as `dragoman family --wiring docs/wiring --overwrite` does.

const PICTURES = wiringPictures();

describe.each(Object.entries(WIRINGS))('%s', (name, picture) => {
  const svg = PICTURES.get(name)!;

  it('is what docs/wiring holds', async () => {
    await expect(`${svg}\n`).toMatchFileSnapshot(`../../docs/wiring/${name}.svg`);
  });

  it('is well-formed XML', () => {
    expect(wellFormed(svg)).toBe(true);
  });

  it('shows every weight of its cell, and no other', () => {
    const parameters =
      picture.cell === null ? [] : createCell(picture.cell, 3, 4).parameters.map((spec) => spec.name);
    expect(Object.keys(picture.weights).sort()).toEqual([...parameters].sort());
    const symbols = (text: string): string[] => text.split(/[ ,]+/);
    const drawn = [
      ...picture.arrows.flatMap(({ weight = '' }) => symbols(weight)),
      ...Object.values(picture.nodes).flatMap(({ kind, text = '' }) =>
        kind === 'constant' ? symbols(text) : [],
      ),
      ...symbols(picture.note ?? '').map((word) => word.replace(/^\(/, '')), // S is made of U
    ];
    for (const weight of Object.values(picture.weights).flatMap(symbols)) expect(drawn).toContain(weight);
  });

  it('has every node on an arrow', () => {
    const ends = picture.arrows.flatMap(({ from, to }) => [from, to]);
    expect([...new Set(ends)].sort()).toEqual(Object.keys(picture.nodes).sort());
  });

  it('has nothing over anything else, and nothing outside', () => {
    expect(overlaps(picture)).toEqual([]);
    for (const line of legendOf(picture)) {
      expect(textWidth(line, LEGEND_SIZE)).toBeLessThan(picture.size[0] - 8);
    }
  });
});

it('docs/family.md shows them all, and docs/wiring holds no other', () => {
  const docs = new URL('../../docs/', import.meta.url);
  const page = readFileSync(new URL('family.md', docs), 'utf8');
  const shown = [...page.matchAll(/\]\(wiring\/(.*?)\.svg\)/g)].map(([, name]) => name);
  expect(shown.sort()).toEqual([...PICTURES.keys()].sort());
  expect(readdirSync(new URL('wiring', docs)).sort()).toEqual(shown.map((name) => `${name}.svg`).sort());
});

/** Tags that open and close in pairs, attributes in quotes that occur once, and no bare sign between them. */
function wellFormed(xml: string): boolean {
  const open: string[] = [];
  const rest = xml.replace(
    /<(\/?)([a-z]+)((?: [A-Za-z-]+="[^"<&]*")*)(\/?)>/g,
    (_tag, closing: string, tag: string, attributes: string, alone: string) => {
      const names = [...attributes.matchAll(/ ([A-Za-z-]+)=/g)].map(([, attribute]) => attribute);
      if (new Set(names).size < names.length) open.push('twice');
      if (closing) {
        if (open.pop() !== tag) open.push('crossed');
      } else if (!alone) open.push(tag);
      return '';
    },
  );
  return open.length === 0 && !/[<>]|&(?!amp;|lt;|gt;|quot;)/.test(rest);
}

/** What stands in the way of what: arrows through boxes, texts on boxes, arrows or other texts. */
function overlaps(picture: Wiring): string[] {
  const found: string[] = [];
  const boxes = Object.entries(picture.nodes).map(([name, node]) => [name, boxOf(node)] as const);
  const [width, height] = picture.size;
  const labels = picture.arrows.flatMap((arrow) => {
    const label = labelOf(picture, arrow);
    return label === null
      ? []
      : [{ arrow, name: `"${label.text}" of ${arrow.from} > ${arrow.to}`, ...label }];
  });
  for (const [name, box] of [...boxes, ...labels.map((label) => [label.name, label.box] as const)]) {
    if (box.left < 4 || box.top < 4 || box.right > width - 4 || box.bottom > height)
      found.push(`${name} outside`);
  }
  for (const [k, [name, box]] of boxes.entries()) {
    for (const [other, second] of boxes.slice(k + 1))
      if (meet(box, second)) found.push(`${name} on ${other}`);
    for (const label of labels) if (meet(box, label.box)) found.push(`${label.name} on ${name}`);
  }
  for (const [k, label] of labels.entries()) {
    for (const other of labels.slice(k + 1)) {
      if (meet(label.box, other.box)) found.push(`${label.name} on ${other.name}`);
    }
  }
  for (const arrow of picture.arrows) {
    const way = wayOf(picture, arrow);
    for (let k = 1; k < way.length; k++) {
      for (const [name, box] of boxes) {
        if (name !== arrow.from && name !== arrow.to && crosses(way[k - 1]!, way[k]!, box)) {
          found.push(`${arrow.from} > ${arrow.to} through ${name}`);
        }
      }
      for (const label of labels) {
        if (crosses(way[k - 1]!, way[k]!, label.box))
          found.push(`${arrow.from} > ${arrow.to} through ${label.name}`);
      }
    }
  }
  return found;
}

function meet(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

/** Whether a line has a point inside a box: cut by each side in turn (Liang & Barsky 1984). */
function crosses([x0, y0]: Point, [x1, y1]: Point, box: Box): boolean {
  let [from, to] = [0, 1];
  const [dx, dy] = [x1 - x0, y1 - y0];
  for (const [change, room] of [
    [-dx, x0 - box.left],
    [dx, box.right - x0],
    [-dy, y0 - box.top],
    [dy, box.bottom - y0],
  ] as const) {
    if (change === 0) {
      if (room <= 0) return false;
    } else if (change < 0) from = Math.max(from, room / change);
    else to = Math.min(to, room / change);
  }
  return from < to;
}
