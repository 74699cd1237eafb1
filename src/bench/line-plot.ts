import { escapeXml } from '../xml.js';

/** One line of a plot. */
export interface PlotLine {
  readonly label: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface PlotAxes {
  readonly x: string;
  readonly y: string;
  /** Whether y is drawn by its logarithm; what is not above zero is then left out. */
  readonly logarithmic: boolean;
  /** Whether x, all above zero, is drawn by its logarithm. */
  readonly logarithmicX?: true;
}

const WIDTH = 640;
const HEIGHT = 320;
const LEFT = 70;
const RIGHT = 20;
const TOP = 12;
const BOTTOM = 44;
const TICKS = 5;

/** A plot of lines as an SVG element, with a legend below it; needs no script and no style sheet. */
export function linePlot(lines: readonly PlotLine[], axes: PlotAxes): string {
  const drawn = lines.map(({ label, points }) => ({
    label,
    points: points.filter(([, y]) => Number.isFinite(y) && (!axes.logarithmic || y > 0)),
  }));
  const all = drawn.flatMap(({ points }) => points);
  if (all.length === 0) return '';
  const along = (x: number): number => (axes.logarithmicX ? Math.log10(x) : x);
  const up = (y: number): number => (axes.logarithmic ? Math.log10(y) : y);
  const ends = all.map(([x]) => along(x));
  const [x0, x1] = axes.logarithmicX ? decades(ends) : range(ends);
  const [y0, y1] = axes.logarithmic
    ? decades(all.map(([, y]) => up(y)))
    : range([0, ...all.map(([, y]) => y)]);
  const atX = (x: number): number => LEFT + ((along(x) - x0) / (x1 - x0)) * (WIDTH - LEFT - RIGHT);
  const atY = (y: number): number => HEIGHT - BOTTOM - ((y - y0) / (y1 - y0)) * (HEIGHT - TOP - BOTTOM);
  const rows = Math.ceil(drawn.length / LEGEND_COLUMNS);
  const parts = [
    `<title>${escapeXml(`${axes.y} by ${axes.x}`)}</title>`,
    // Ground of its own: dark lines stay readable on a dark page.
    '<rect width="100%" height="100%" rx="6" fill="#fff"/>',
    ...(axes.logarithmicX ? wholeTicks(x0, x1).map((x) => 10 ** x) : ticks(x0, x1)).map((x) =>
      text(atX(x), HEIGHT - BOTTOM + 16, shortNumber(x), 'middle'),
    ),
    ...(axes.logarithmic ? wholeTicks(y0, y1) : ticks(y0, y1)).flatMap((y) => [
      `<path d="M${LEFT} ${round(atY(y))}H${WIDTH - RIGHT}" stroke="#ddd"/>`,
      text(LEFT - 6, atY(y) + 4, axes.logarithmic ? shortNumber(10 ** y) : shortNumber(y), 'end'),
    ]),
    `<path d="M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}" fill="none" stroke="#444"/>`,
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, axes.x, 'middle'),
    `<g transform="translate(14 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)">${text(0, 0, axes.y, 'middle')}</g>`,
    ...drawn.flatMap(({ label, points }, k) => {
      const path = points.map(([x, y]) => `${round(atX(x))} ${round(atY(up(y)))}`).join('L');
      const [left, line] = [
        LEGEND_LEFT + (k % LEGEND_COLUMNS) * LEGEND_WIDTH,
        HEIGHT + 8 + 18 * Math.floor(k / LEGEND_COLUMNS),
      ];
      return [
        `<path d="M${path}" fill="none" stroke="${colour(k)}" stroke-width="1.6"${dash(k)}/>`,
        `<path d="M${left} ${line}h22" stroke="${colour(k)}" stroke-width="2.5"${dash(k)}/>`,
        text(left + 28, line + 4, label, 'start'),
      ];
    }),
  ];
  const height = HEIGHT + 18 * rows + 8;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">${parts.join('')}</svg>`;
}

const LEGEND_COLUMNS = 2;
const LEGEND_LEFT = 20;
const LEGEND_WIDTH = 310;

/** Colours that stay apart for most colour-blind readers (Okabe & Ito 2008); where they end, dashes tell lines apart. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'];
const DASHES = ['', '6 3', '2 3', '8 3 2 3', '12 4', '1 2', '4 1', '10 2', '3 6'];

function colour(k: number): string {
  return COLOURS[k % COLOURS.length]!;
}

function dash(k: number): string {
  const pattern = DASHES[Math.floor(k / COLOURS.length) % DASHES.length]!;
  return pattern === '' ? '' : ` stroke-dasharray="${pattern}"`;
}

function range(values: readonly number[]): [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low === high ? [low - 1, high + 1] : [low, high];
}

function decades(values: readonly number[]): [number, number] {
  const [low, high] = [Math.floor(Math.min(...values)), Math.ceil(Math.max(...values))];
  return low === high ? [low, high + 1] : [low, high];
}

/** About {@link TICKS} round numbers between two. */
function ticks(low: number, high: number): number[] {
  const raw = (high - low) / TICKS;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= raw)!;
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, k) => (first + k) * step);
}

function wholeTicks(low: number, high: number): number[] {
  return Array.from({ length: high - low + 1 }, (_, k) => low + k);
}

function shortNumber(value: number): string {
  return `${Number(value.toPrecision(3))}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${escapeXml(content)}</text>`;
}
