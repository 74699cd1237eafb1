import type { Point, Wiring, WiringArrow, WiringNode } from './wiring.js';

// Where the parts of a picture come to stand: outlines of nodes, ways of arrows, places of their texts.

export const FONT_SIZE = 14;
/** Of the widest letters that occur, as a share of the font's size. */
const LETTER = 0.62;
/** Size of an index, as a share of what it stands at. */
export const SMALL = 0.75;
/** How far an index hangs below the line. */
export const INDEX_DEPTH = 4;
const RADIUS = 11;
const DOT = 2.5;
/** Between an arrow and its text. */
const GAP = 7;

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** A piece of text, and whether it is an index. */
export interface TextRun {
  readonly text: string;
  readonly index: boolean;
}

/** `h_{t-1}` and `h_t` cut at their indices; a hyphen becomes a minus sign. */
export function textRuns(markup: string): TextRun[] {
  const runs: TextRun[] = [];
  for (const [whole, braced, single] of markup.matchAll(/_\{([^}]*)\}|_(\S)|[^_]+/g)) {
    const index = braced ?? single;
    runs.push({ text: (index ?? whole).replaceAll('-', '−'), index: index !== undefined });
  }
  return runs;
}

/** How wide a text is, about. */
export function textWidth(markup: string, size = FONT_SIZE): number {
  return textRuns(markup).reduce(
    (sum, { text, index }) => sum + [...text].length * size * LETTER * (index ? SMALL : 1),
    0,
  );
}

/** The outline of a node. */
export function boxOf(node: WiringNode): Box {
  const [width, height] = sizeOf(node);
  const [x, y] = node.at;
  return { left: x - width / 2, top: y - height / 2, right: x + width / 2, bottom: y + height / 2 };
}

function sizeOf({ kind, text = '', width }: WiringNode): readonly [width: number, height: number] {
  switch (kind) {
    case 'sum':
    case 'product':
      return [2 * RADIUS, 2 * RADIUS];
    case 'fork':
      return [2 * DOT, 2 * DOT];
    case 'constant':
    case 'output':
      return [textWidth(text) + 6, FONT_SIZE + 6];
    case 'function':
      return [width ?? Math.max(36, textWidth(text) + 16), 28];
    default:
      return [Math.max(48, textWidth(text) + 22), 32];
  }
}

/** An arrow's corners, from the outline of the node that it leaves to that of the node that it enters. */
export function wayOf({ nodes }: Wiring, arrow: WiringArrow): Point[] {
  const [from, to] = [nodes[arrow.from]!, nodes[arrow.to]!];
  const { rail } = arrow;
  const via: readonly Point[] =
    rail === undefined
      ? (arrow.via ?? [])
      : [
          [from.at[0], rail],
          [to.at[0], rail],
        ];
  const start = borderPoint(from, via[0] ?? to.at);
  const end = borderPoint(to, via.at(-1) ?? from.at);
  return [start, ...via, end];
}

/** Where a line towards a point crosses a node's outline: straight up, down or sideways where that leads there. */
function borderPoint(node: WiringNode, towards: Point): Point {
  const [x, y] = node.at;
  const [width, height] = sizeOf(node);
  const [dx, dy] = [towards[0] - x, towards[1] - y];
  const round = node.kind === 'sum' || node.kind === 'product' || node.kind === 'fork';
  if (round) {
    const length = Math.hypot(dx, dy);
    return [x + (dx / length) * (width / 2), y + (dy / length) * (height / 2)];
  }
  if (Math.abs(dx) < width / 2 && Math.abs(dy) > height / 2) {
    return [towards[0], y + Math.sign(dy) * (height / 2)];
  }
  if (Math.abs(dy) < height / 2) return [x + Math.sign(dx) * (width / 2), towards[1]];
  const share = Math.min(width / 2 / Math.abs(dx), height / 2 / Math.abs(dy));
  return [x + dx * share, y + dy * share];
}

/** Where an arrow's text stands. */
export interface Label {
  readonly text: string;
  readonly at: Point;
  readonly anchor: 'start' | 'middle' | 'end';
  readonly box: Box;
}

/** The place of an arrow's text; null for an arrow without one. */
export function labelOf(picture: Wiring, arrow: WiringArrow): Label | null {
  const text = arrow.weight ?? arrow.label;
  if (text === undefined) return null;
  const way = wayOf(picture, arrow);
  const segments = way.slice(1).map((end, k) => [way[k]!, end] as const);
  const chosen =
    arrow.segment ?? segments.reduce((best, s, k) => (length(s) > length(segments[best]!) ? k : best), 0);
  const [[x0, y0], [x1, y1]] = segments[chosen]!;
  const [x, y] = [(x0 + x1) / 2, (y0 + y1) / 2];
  const width = textWidth(text);
  if (Math.abs(x1 - x0) >= Math.abs(y1 - y0)) {
    const below = textRuns(text).some(({ index }) => index) ? INDEX_DEPTH : 0;
    const baseline = arrow.flip ? y + GAP + FONT_SIZE * 0.75 : y - GAP - below;
    return { text, at: [x, baseline], anchor: 'middle', box: textBox(x - width / 2, baseline, width) };
  }
  const left = arrow.flip ? x - GAP - width : x + GAP;
  const baseline = y + FONT_SIZE * 0.35;
  const anchor = arrow.flip ? 'end' : 'start';
  return {
    text,
    at: [arrow.flip ? x - GAP : x + GAP, baseline],
    anchor,
    box: textBox(left, baseline, width),
  };
}

function length([[x0, y0], [x1, y1]]: readonly [Point, Point]): number {
  return Math.hypot(x1 - x0, y1 - y0);
}

function textBox(left: number, baseline: number, width: number): Box {
  return { left, top: baseline - FONT_SIZE * 0.8, right: left + width, bottom: baseline + INDEX_DEPTH };
}
