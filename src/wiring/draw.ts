import { escapeXml } from '../xml.js';
import { type Box, boxOf, FONT_SIZE, INDEX_DEPTH, labelOf, SMALL, textRuns, wayOf } from './layout.js';
import type { NodeKind, Point, Wiring, WiringArrow, WiringNode } from './wiring.js';

// The picture brings its own light ground, so that it reads the same on a light and on a dark page; it needs no style
// sheet, and no identifiers that two pictures on one page could share.

const GROUND = '#ffffff';
const FRAME = '#d0d7de';
const INK = '#1f2328';
const WEIGHT = '#0550ae';
const QUIET = '#59636e';
const FILLS: Readonly<Record<NodeKind, string>> = {
  input: '#ddf4ff',
  before: '#f6f8fa',
  after: '#dafbe1',
  sum: GROUND,
  product: GROUND,
  function: '#fff8c5',
  constant: 'none',
  fork: INK,
  output: 'none',
};
const MARKS: Readonly<Partial<Record<NodeKind, string>>> = { sum: '+', product: '∘' };
export const LEGEND_SIZE = 12;
const LEGEND_LINE = 17;
const LEGEND_MARGIN = 10;
const CORNER = 5;
const HEAD = 7;

/** A wiring as an SVG element. */
export function drawWiring(picture: Wiring): string {
  const [width, above] = picture.size;
  const legend = legendOf(picture);
  const height = above + legend.length * LEGEND_LINE + LEGEND_MARGIN;
  const labels = picture.arrows.flatMap((arrow) => {
    const label = labelOf(picture, arrow);
    if (label === null) return [];
    const bold = arrow.weight !== undefined;
    const colour = bold ? WEIGHT : QUIET;
    return [text(label.text, label.at, { anchor: label.anchor, colour, bold, rim: true })];
  });
  const parts = [
    `<title>${escapeXml(picture.title)}</title>`,
    `<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" fill="${GROUND}" stroke="${FRAME}"/>`,
    ...picture.arrows.map((arrow) => drawArrow(picture, arrow)),
    ...Object.values(picture.nodes).map(drawNode),
    ...labels,
    ...legend.map((line, k) =>
      text(line, [width / 2, above + (k + 0.75) * LEGEND_LINE], { size: LEGEND_SIZE, colour: QUIET }),
    ),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif">\n${parts.join('\n')}\n</svg>`;
}

/** The lines below a picture: which parameter each weight is, `W: kernel, U: recurrent`, and its note. */
export function legendOf({ weights, note }: Wiring): readonly string[] {
  const names = Object.entries(weights).map(([parameter, symbols]) => `${symbols}: ${parameter}`);
  return [names.join(',  '), note ?? ''].filter((line) => line !== '');
}

function drawNode(node: WiringNode): string {
  const { kind, at } = node;
  const box = boxOf(node);
  const shape = outline(kind, box);
  const said = node.text ?? MARKS[kind];
  if (said === undefined) return shape;
  const bold = kind === 'constant';
  const middle: Point = [at[0], at[1] + FONT_SIZE * 0.35];
  const words = text(said, middle, { colour: bold ? WEIGHT : INK, bold });
  return `${shape}${words}`;
}

function outline(kind: NodeKind, { left, top, right, bottom }: Box): string {
  const [width, height] = [right - left, bottom - top];
  const paint = `fill="${FILLS[kind]}" stroke="${INK}"`;
  switch (kind) {
    case 'constant':
    case 'output':
      return '';
    case 'sum':
    case 'product':
    case 'fork':
      return `<circle cx="${round(left + width / 2)}" cy="${round(top + height / 2)}" r="${width / 2}" ${paint}/>`;
    default: {
      const rx = kind === 'function' ? 4 : height / 2;
      const dashes = kind === 'before' ? ' stroke-dasharray="4 3"' : '';
      return `<rect x="${round(left)}" y="${round(top)}" width="${round(width)}" height="${round(height)}" rx="${rx}" ${paint}${dashes}/>`;
    }
  }
}

function drawArrow(picture: Wiring, arrow: WiringArrow): string {
  const way = wayOf(picture, arrow);
  const end = way.at(-1)!;
  const dashes = arrow.dashed ? ' stroke-dasharray="5 4"' : '';
  const line = `<path d="${pathOf(way)}" fill="none" stroke="${INK}" stroke-width="1.3"${dashes}/>`;
  const joins = picture.nodes[arrow.to]!.kind === 'fork' && !arrow.dashed;
  return joins ? line : `${line}${head(way.at(-2)!, end)}`;
}

/** The line through the points, its corners rounded. */
function pathOf(way: readonly Point[]): string {
  const parts = [`M${show(way[0]!)}`];
  for (let k = 1; k < way.length - 1; k++) {
    const corner = way[k]!;
    parts.push(`L${show(near(corner, way[k - 1]!))}`, `Q${show(corner)} ${show(near(corner, way[k + 1]!))}`);
  }
  parts.push(`L${show(way.at(-1)!)}`);
  return parts.join('');
}

/** The point a corner's radius before `corner` on the way to `other`. */
function near(corner: Point, other: Point): Point {
  const [dx, dy] = [other[0] - corner[0], other[1] - corner[1]];
  const share = Math.min(CORNER / Math.hypot(dx, dy), 0.5);
  return [corner[0] + dx * share, corner[1] + dy * share];
}

function head([x0, y0]: Point, [x, y]: Point): string {
  const length = Math.hypot(x - x0, y - y0);
  const [dx, dy] = [((x - x0) / length) * HEAD, ((y - y0) / length) * HEAD];
  const wing = (side: number): Point => [x - dx - (side * dy) / 2, y - dy + (side * dx) / 2];
  return `<path d="M${show([x, y])}L${show(wing(1))}L${show(wing(-1))}Z" fill="${INK}"/>`;
}

interface TextStyle {
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly size?: number;
  readonly colour: string;
  readonly bold?: boolean;
  /** Whether a rim of the ground's colour keeps lines off the letters. */
  readonly rim?: boolean;
}

function text(markup: string, [x, y]: Point, style: TextStyle): string {
  const { anchor = 'middle', size = FONT_SIZE, colour, bold = false, rim = false } = style;
  let lowered = false;
  const runs = textRuns(markup).map(({ text: run, index }) => {
    const shift = index === lowered ? '' : ` dy="${index ? INDEX_DEPTH : -INDEX_DEPTH}"`;
    lowered = index;
    const small = index ? ` font-size="${Math.round(size * SMALL)}"` : '';
    const escaped = escapeXml(run);
    return shift + small === '' ? escaped : `<tspan${shift}${small}>${escaped}</tspan>`;
  });
  const weight = bold ? ' font-weight="bold"' : '';
  const around = rim ? ` stroke="${GROUND}" stroke-width="3" paint-order="stroke"` : '';
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" font-size="${size}" fill="${colour}"${weight}${around}>${runs.join('')}</text>`;
}

function show([x, y]: Point): string {
  return `${round(x)} ${round(y)}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
