import { Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import type { SpeedResult } from '../bench/speed.js';
import type { Machine } from '../bench/speed-machine.js';
import { SPEED_ROW_NAMES, SPEED_ROWS, type SpeedRow } from '../bench/speed-names.js';
import { DragomanError } from '../errors.js';
import { integer, positiveInteger } from './arguments.js';
import { Interruption } from './interruption.js';
import { openOutput } from './output.js';
import { stopOnSignal } from './stop-on-signal.js';
import { resultTable } from './table.js';
import type { Terminal } from './terminal.js';

/** Rounds, and milliseconds of a program's turn in one. */
const ROUNDS = { full: 5, quick: 2 };
const WINDOW = { full: 400, quick: 40 };

/** `dragoman bench`: what this machine does with Dragoman. */
export function benchCommand(terminal: Terminal) {
  return new Command('bench')
    .description('measure the speed of this installation on this machine')
    .addCommand(speedCommand(terminal))
    .addHelpText(
      'after',
      `
Examples:
  dragoman bench speed
  dragoman bench speed --rows layer adam --python .venv/bin/python`,
    );
}

/** `dragoman bench speed`: training and decoding, beside the same in PyTorch. */
function speedCommand(terminal: Terminal) {
  const rows = SPEED_ROW_NAMES.map((name) => `  ${name.padEnd(14)} ${SPEED_ROWS[name]}`).join('\n');
  return new Command('speed')
    .description('measure training and decoding, in turn with the same work in PyTorch where a Python has it')
    .option('--rows <name...>', 'only these rows, with spaces or commas between; all by default', rowsOf)
    .option(
      '--rounds <n>',
      `turns of each program (default: ${ROUNDS.full}; --quick: ${ROUNDS.quick})`,
      positiveInteger,
    )
    .option('--quick', 'short turns and little work: shows that all works, not how fast it is')
    .option('--corpus <file...>', 'SOURCE TARGET: measure on these sentences; random ones by default')
    .option('--python <path>', 'a Python with PyTorch; python3 by default; "none" runs ours alone')
    .option('--seed <n>', 'of weights and random sentences', integer, 1)
    .addOption(
      new Option('--format <name>', 'of the result')
        .choices(['table', 'markdown', 'json'] as const)
        .default('table' as const),
    )
    .option('--json <file>', 'also write every figure of every round as JSON')
    .option('--overwrite', 'replace a file that exists')
    .addHelpText(
      'after',
      `
Rows:
${rows}

The ratio is the median over the rounds of our speed by theirs in the same round; "asked" is what Dragoman sets itself.
docs/performance.md tells what is measured and how.

Examples:
  dragoman bench speed
  dragoman bench speed --rows layer adam --python .venv/bin/python
  dragoman bench speed --corpus train.en train.de --json speed.json`,
    )
    .action(async (options) => {
      const { quick = false, seed, format, json, overwrite } = options;
      if (json === undefined && overwrite) throw new DragomanError('usage', '--overwrite needs --json');
      const files = twoFiles(options.corpus);
      const chosen = SPEED_ROW_NAMES.filter((name) => options.rows?.includes(name) ?? true);
      const output = json === undefined ? null : await openOutput(json, terminal, overwrite);
      const stop = stopOnSignal((text) => terminal.say(text), 'stopping after this turn');
      const size = quick ? 'quick' : 'full';
      try {
        const { currentEngine, startEngine } = await import('../engine/engine.js');
        const { machineOf } = await import('../bench/speed-machine.js');
        const { measurePeak, runSpeed } = await import('../bench/speed.js');
        const { corpusData, randomData } = await import('../bench/speed-data.js');
        await startEngine();
        const engine = currentEngine()!;
        const peers = await peersOf(options.python, terminal);
        const machine = machineOf(engine, peers);
        const data =
          files === null ? randomData(seed) : await corpusData(...files, (message) => terminal.say(message));
        if (quick) terminal.say('--quick: these figures show that all works, no more');
        const setting = { quick, seed, threads: engine.threads, peers, data };
        const measuring = {
          rounds: options.rounds ?? ROUNDS[size],
          window: WINDOW[size],
          signal: stop.signal,
          onCase: (what: string) => terminal.say(what),
        };
        const peak = await measurePeak(measuring);
        const results: SpeedResult[] = [];
        for await (const result of runSpeed(chosen, setting, measuring)) {
          for (const reason of result.leftOut) terminal.say(`  left out: ${reason}`);
          results.push(result);
        }
        const report = { machine, data: data.name, quick, peak, results };
        await show(terminal, format, report);
        if (stop.signal.aborted) throw new Interruption('interrupted; the rows above are whole');
        await output?.print(JSON.stringify(report, null, 1));
        await output?.close();
      } finally {
        output?.abandon();
        stop.release();
      }
    });
}

/** Collects `--rows a b` and `--rows a,b`. */
function rowsOf(text: string, before: readonly SpeedRow[] = []): SpeedRow[] {
  const names = text.split(',').map((name) => {
    const known = SPEED_ROW_NAMES.find((row) => row === name);
    if (known === undefined) {
      throw new InvalidArgumentError(`Allowed choices are ${SPEED_ROW_NAMES.join(', ')}.`);
    }
    return known;
  });
  return [...before, ...names];
}

function twoFiles(files: readonly string[] | undefined): readonly [string, string] | null {
  if (files === undefined) return null;
  const [source, target, ...more] = files;
  if (source === undefined || target === undefined || more.length > 0) {
    throw new DragomanError('usage', `--corpus: expected SOURCE TARGET, got ${files.length} files`);
  }
  return [source, target];
}

/** PyTorch programs, or null with one line why there are none. A Python that was named has to have it. */
async function peersOf(python: string | undefined, terminal: Terminal) {
  if (python === 'none') return null;
  const { findPeers } = await import('../bench/peer.js');
  const found = findPeers(python === undefined ? ['python3'] : [python]);
  if (typeof found !== 'string') return found;
  if (python !== undefined) {
    throw new DragomanError('usage', `--python: expected a Python with PyTorch, got ${found}`);
  }
  terminal.say(`nothing beside ours: no Python with PyTorch (${found}); --python PATH names one`);
  return null;
}

interface Report {
  readonly machine: Machine;
  readonly data: string;
  readonly quick: boolean;
  /** GFLOP/s */
  readonly peak: number;
  readonly results: readonly SpeedResult[];
}

async function show(
  terminal: Terminal,
  format: 'table' | 'markdown' | 'json',
  report: Report,
): Promise<void> {
  if (format === 'json') return terminal.print(JSON.stringify(report, null, 1));
  const { markdownTable, memoryLine, SPEED_HEAD, speedRows } = await import('../bench/speed-table.js');
  const { describeMachine } = await import('../bench/speed-machine.js');
  const rows = report.results.flatMap((result) => speedRows(result, report.peak));
  const table =
    format === 'table' ? resultTable(terminal, SPEED_HEAD, rows) : markdownTable(SPEED_HEAD, rows);
  const memory = report.results.filter((result) => result.memory).map(memoryLine);
  const lines = [
    table,
    '',
    ...memory,
    `${describeMachine(report.machine)}.`,
    `Data: ${report.data}. Peak of matrix products: ${report.peak.toFixed(0)} GFLOP/s.`,
  ];
  await terminal.print(lines.join('\n'));
}
