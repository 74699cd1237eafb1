import { Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import type { SpeedData, TrainedModel } from '../bench/speed-case.js';
import { SPEED_ROW_NAMES, SPEED_ROWS, type SpeedRow } from '../bench/speed-names.js';
import { DragomanError } from '../errors.js';
import { integer, positiveInteger, refuse } from './arguments.js';
import { curvesCommand } from './bench-curves.js';
import type { BenchFormat, BenchReport } from './bench-report.js';
import { benchSubwordCommand } from './bench-subword.js';
import { Interruption } from './interruption.js';
import { openOutput } from './output.js';
import { stopOnSignal } from './stop-on-signal.js';
import type { Terminal } from './terminal.js';

/** Rounds, and milliseconds of a program's turn in one. */
const ROUNDS = { full: 5, quick: 2 };
const WINDOW = { full: 400, quick: 40 };
/** A long run: what is done, and how often memory is read. */
const SOAK = {
  full: { steps: 2000, sentences: 10_000, readings: 10 },
  quick: { steps: 50, sentences: 100, readings: 2 },
};

/** `dragoman bench`: what this machine does with Dragoman. */
export function benchCommand(terminal: Terminal) {
  return new Command('bench')
    .description('measure this installation on this machine: its speed, and that all engines learn the same')
    .addCommand(speedCommand(terminal))
    .addCommand(benchSubwordCommand(terminal))
    .addCommand(curvesCommand(terminal))
    .addHelpText(
      'after',
      `
Examples:
  dragoman bench speed
  dragoman bench speed --rows layer adam --python .venv/bin/python
  dragoman bench subword --corpus train.en train.de
  dragoman bench curves`,
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
    .option('--model <folder>', 'a trained model that decodes, scores and starts; needs --corpus')
    .option('--python <path>', 'a Python with PyTorch (default: python3); none runs ours alone')
    .option('--seed <n>', 'of weights and random sentences', integer, 1)
    .option('--sweep', 'instead: how cost grows with sentence length, sizes, batch and beam')
    .option('--svg <file>', 'with --sweep: also draw it')
    .option('--soak', 'instead: 2000 training steps and 10,000 sentences, and what memory they hold')
    .addOption(
      new Option('--format <name>', 'of the result')
        .choices(['table', 'markdown', 'json'] as const)
        .default('table' as const),
    )
    .option('--json <file>', 'also write every figure of every round as JSON')
    .option('--overwrite', 'replace files that exist')
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
  dragoman bench speed --corpus train.en train.de --json speed.json
  dragoman bench speed --rows decoding score --model models/mine --corpus test.en test.de
  dragoman bench speed --sweep --svg sweep.svg`,
    )
    .action(async (options) => {
      checkTogether(options);
      const { seed, format } = options;
      const quick = options.quick ?? false;
      const json = await fileFor(options.json, terminal, options.overwrite);
      const svg = await fileFor(options.svg, terminal, options.overwrite);
      const stop = stopOnSignal((text) => terminal.say(text), 'stopping after this turn');
      try {
        if (quick) terminal.say('--quick: these figures show that all works, no more');
        const work = options.sweep ? sweepReport : options.soak ? soakReport : tableReport;
        const report = await work(terminal, { ...options, quick, seed, signal: stop.signal });
        const { reportText } = await import('./bench-report.js');
        await terminal.print(await reportText(terminal, format, report));
        if (stop.signal.aborted) throw new Interruption('interrupted; what is shown above is whole');
        await json?.print(JSON.stringify(report, null, 1));
        await json?.close();
        if (svg !== null && report.sweep !== undefined) {
          const { sweepPlot } = await import('../bench/sweep.js');
          await svg.print(sweepPlot(report.sweep));
          await svg.close();
        }
      } finally {
        json?.abandon();
        svg?.abandon();
        stop.release();
      }
    });
}

/** What the command line gave, as the work needs it. */
interface BenchOptions {
  readonly rows?: readonly SpeedRow[];
  readonly rounds?: number;
  readonly quick: boolean;
  readonly corpus?: readonly string[];
  readonly model?: string;
  readonly python?: string;
  readonly seed: number;
  readonly signal: AbortSignal;
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

/** @throws DragomanError `usage` for options that would do nothing */
function checkTogether(options: {
  readonly sweep?: true;
  readonly soak?: true;
  readonly svg?: string;
  readonly json?: string;
  readonly overwrite?: true;
  readonly rows?: unknown;
  readonly corpus?: readonly string[];
  readonly model?: string;
  readonly python?: string;
  readonly rounds?: number;
  readonly format: BenchFormat;
}): void {
  const { sweep, soak, svg, json, overwrite, rows, corpus, model, python, rounds } = options;
  if (sweep && soak) throw new DragomanError('usage', '--sweep and --soak are two works: give one of them');
  if (sweep) refuse({ rows, corpus, model, python }, 'has no meaning with --sweep');
  else refuse({ svg }, 'needs --sweep');
  if (soak) refuse({ rows, model, python, rounds }, 'has no meaning with --soak');
  if (json === undefined && svg === undefined) refuse({ overwrite }, 'needs --json or --svg');
  if (corpus === undefined) refuse({ model }, 'needs --corpus, for sentences to translate');
  if (corpus !== undefined && corpus.length !== 2) {
    throw new DragomanError('usage', `--corpus: expected SOURCE TARGET, got ${corpus.length} file names`);
  }
}

async function fileFor(path: string | undefined, terminal: Terminal, overwrite?: boolean) {
  return path === undefined ? null : openOutput(path, terminal, overwrite, 'go on');
}

function measuring(terminal: Terminal, { rounds, quick, signal }: BenchOptions) {
  const size = quick ? 'quick' : 'full';
  return {
    rounds: rounds ?? ROUNDS[size],
    window: WINDOW[size],
    signal,
    onWork: (what: string) => terminal.say(what),
  };
}

/** The table, row by row. */
async function tableReport(terminal: Terminal, options: BenchOptions): Promise<BenchReport> {
  const { quick, seed } = options;
  const { startEngine } = await import('../engine/engine.js');
  const { machineOf } = await import('../bench/speed-machine.js');
  const { measurePeak, runSpeed } = await import('../bench/speed.js');
  const { resultLine } = await import('../bench/speed-table.js');
  const engine = await startEngine();
  const peers = await peersOf(options.python, terminal);
  const trained = await trainedModel(options.model);
  const data = await dataOf(options, trained, terminal);
  const setting = { quick, seed, threads: engine.threads, peers, data, trained };
  const rounds = measuring(terminal, options);
  const peak = await measurePeak(rounds);
  const chosen = SPEED_ROW_NAMES.filter((name) => options.rows?.includes(name) ?? true);
  const results = [];
  for await (const result of runSpeed(chosen, setting, rounds)) {
    for (const reason of result.leftOut) terminal.say(`  left out: ${reason}`);
    terminal.say(`  ${resultLine(result)}`);
    results.push(result);
  }
  return { machine: machineOf(engine, peers), quick, seed, data: data.name, peak, results };
}

async function sweepReport(terminal: Terminal, options: BenchOptions): Promise<BenchReport> {
  const { quick, seed } = options;
  const { startEngine } = await import('../engine/engine.js');
  const { machineOf } = await import('../bench/speed-machine.js');
  const { sweep } = await import('../bench/sweep.js');
  const engine = await startEngine();
  const points = [];
  for await (const point of sweep({ ...measuring(terminal, options), quick, seed })) points.push(point);
  return { machine: machineOf(engine, null), quick, seed, sweep: points };
}

async function soakReport(terminal: Terminal, options: BenchOptions): Promise<BenchReport> {
  const { quick, seed, signal } = options;
  const { startEngine } = await import('../engine/engine.js');
  const { machineOf } = await import('../bench/speed-machine.js');
  const { soak } = await import('../bench/soak.js');
  const { benchmarkConfig } = await import('../bench/speed-model.js');
  const engine = await startEngine();
  const data = await dataOf(options, null, terminal);
  const readings = [];
  for await (const reading of soak(benchmarkConfig('whole-target'), data, {
    ...SOAK[quick ? 'quick' : 'full'],
    seed,
    signal,
  })) {
    const { done, work, tensors, residentMiB } = reading;
    terminal.say(`${done} ${work}: ${tensors} tensors, ${residentMiB.toFixed(0)} MiB`);
    readings.push(reading);
  }
  return { machine: machineOf(engine, null), quick, seed, data: data.name, soak: readings };
}

async function trainedModel(folder: string | undefined): Promise<TrainedModel | null> {
  if (folder === undefined) return null;
  const { loadTranslationConfig } = await import('../model/folder.js');
  return { folder, config: await loadTranslationConfig(folder) };
}

async function dataOf(
  { corpus, seed }: BenchOptions,
  trained: TrainedModel | null,
  terminal: Terminal,
): Promise<SpeedData> {
  const { corpusData, modelData, randomData } = await import('../bench/speed-data.js');
  const [source, target] = corpus ?? [];
  if (source === undefined || target === undefined) return randomData(seed);
  return trained === null
    ? corpusData({ source, target }, (message) => terminal.say(message))
    : modelData({ source, target }, trained);
}

/** PyTorch programs, or null with one line why there are none. A Python that was named has to have it. */
async function peersOf(python: string | undefined, terminal: Terminal) {
  if (python === 'none') return null;
  const { findPeers } = await import('../bench/peer.js');
  const found = findPeers(python ?? 'python3');
  if (typeof found !== 'string') return found;
  if (python !== undefined) {
    throw new DragomanError('usage', `--python: expected a Python with PyTorch, got ${found}`);
  }
  terminal.say(`nothing beside ours: no Python with PyTorch (${found}); --python PATH names one`);
  return null;
}
