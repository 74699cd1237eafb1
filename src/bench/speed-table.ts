import { type Measured, median, speed } from './rounds.js';
import type { SpeedResult } from './speed.js';

export const SPEED_HEAD = [
  'what',
  'ours',
  'beside',
  'theirs',
  'ratio',
  'asked',
  'GFLOP/s',
  'of the peak',
] as const;

/** A result as rows of a table: one for each program beside ours, or one alone. `peak` in GFLOP/s. */
export function speedRows(result: SpeedResult, peak: number): string[][] {
  const { what, unit, ours, others, asked, rate } = result;
  const share = rate === null ? null : rate / peak;
  const own = [
    ...(asked.share === undefined ? [] : [`≥ ${percent(asked.share)} of the peak`]),
    ...(asked.milliseconds === undefined ? [] : [`≤ ${asked.milliseconds} ms`]),
  ].join(', ');
  const end = [rate === null ? '' : rate.toFixed(1), share === null ? '' : percent(share)];
  const show = (measured: Measured): string => figure(unit, measured);
  if (others.length === 0) return [[what, show(ours), '', '', '', own, ...end]];
  return others.map((other, k) => [
    k === 0 ? what : '',
    k === 0 ? show(ours) : '',
    other.name,
    show(other),
    other.ratio.toFixed(2),
    other.asked === null ? (k === 0 ? own : '') : `≥ ${other.asked}`,
    ...(k === 0 ? end : ['', '']),
  ]);
}

function figure(unit: string | null, measured: Measured): string {
  return unit === null
    ? `${digits(median(measured.milliseconds))} ms`
    : `${digits(speed(measured))} ${unit}/s`;
}

/** A result in one short line, for who watches. */
export function resultLine({ unit, ours, others }: SpeedResult): string {
  const beside = others.map(
    (other) => `${other.name} ${figure(unit, other)}, ratio ${other.ratio.toFixed(2)}`,
  );
  return [figure(unit, ours), ...beside].join('; ');
}

/** Peak memory of a case's contenders, in one line. */
export function memoryLine({ what, ours, others }: SpeedResult): string {
  const parts = [ours, ...others].map(({ name, memory }) => `${name} ${Math.round(memory)} MiB`);
  return `${what}: peak memory: ${parts.join(', ')}`;
}

/** The table in Markdown, columns of equal width. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, k) => Math.max(3, ...[title, ...rows.map((row) => row[k]!)].map(width)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, k) => cell + ' '.repeat(widths[k]! - width(cell))).join(' | ')} |`;
  return [line(head), line(widths.map((n) => '-'.repeat(n))), ...rows.map(line)].join('\n');
}

function width(text: string): number {
  return [...text].length;
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

/** Three figures that count, or all before the point. */
export function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
