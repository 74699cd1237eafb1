import type { SoakReading } from '../bench/soak.js';
import type { SpeedResult } from '../bench/speed.js';
import type { Machine } from '../bench/speed-machine.js';
import type { SweepPoint } from '../bench/sweep.js';
import { resultTable } from './table.js';
import type { Terminal } from './terminal.js';

/** How `dragoman bench speed` prints. */
export type BenchFormat = 'table' | 'markdown' | 'json';

/** What a run came to; of `results`, `sweep` and `soak` there is the one that was asked for. */
export interface BenchReport {
  readonly machine: Machine;
  readonly quick: boolean;
  readonly seed: number;
  /** Where the sentences come from. */
  readonly data?: string;
  /** Rate of large matrix products, GFLOP/s. */
  readonly peak?: number;
  readonly results?: readonly SpeedResult[];
  readonly sweep?: readonly SweepPoint[];
  readonly soak?: readonly SoakReading[];
}

/** The report in the format that was asked for. */
export async function reportText(
  terminal: Terminal,
  format: BenchFormat,
  report: BenchReport,
): Promise<string> {
  if (format === 'json') return JSON.stringify(report, null, 1);
  const { markdownTable } = await import('../bench/speed-table.js');
  const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
    format === 'table' ? resultTable(terminal, head, rows) : markdownTable(head, rows);
  const { describeMachine } = await import('../bench/speed-machine.js');
  const end = [`${describeMachine(report.machine)}.`];
  if (report.data !== undefined) end.push(`Data: ${report.data}.`);
  return [...(await body(table, report)), '', end.join('\n')].join('\n');
}

async function body(
  table: (head: readonly string[], rows: readonly (readonly string[])[]) => string,
  { peak = Number.NaN, results, sweep, soak }: BenchReport,
): Promise<string[]> {
  const { digits, memoryLine, SPEED_HEAD, speedRows } = await import('../bench/speed-table.js');
  if (sweep !== undefined) {
    const rows = sweep.map(({ variable, value, milliseconds, relative }) => [
      variable,
      `${value}`,
      digits(milliseconds),
      relative.toFixed(2),
    ]);
    return [table(['size', 'value', 'ms', 'relative'], rows)];
  }
  if (soak !== undefined) {
    const rows = soak.map(({ work, done, tensors, residentMiB }) => [
      `${done} ${work}`,
      `${tensors}`,
      residentMiB.toFixed(0),
    ]);
    return [table(['after', 'tensors', 'resident MiB'], rows)];
  }
  const all = results ?? [];
  const memory = all.filter((result) => result.memory).map(memoryLine);
  return [
    table(
      SPEED_HEAD,
      all.flatMap((result) => speedRows(result, peak)),
    ),
    '',
    ...memory,
    `Peak of matrix products: ${peak.toFixed(0)} GFLOP/s.`,
  ];
}
