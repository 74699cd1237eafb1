import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Argument, Command, Option } from '@commander-js/extra-typings';
import type { FamilyOptions, FamilyResult } from '../bench/family.js';
import { FAMILY_TASK_NAMES, type FamilyTaskName } from '../bench/family-names.js';
import { DragomanError } from '../errors.js';
import { integer, positiveInteger, refuse } from './arguments.js';
import { cellNamed } from './cell.js';
import { Interruption } from './interruption.js';
import { openOutput, withOutput } from './output.js';
import { stopOnSignal } from './stop-on-signal.js';
import { resultTable } from './table.js';
import type { Terminal } from './terminal.js';

/** Seeds where none are asked for. */
const SEEDS = { full: 3, quick: 1 };

/** `dragoman family`: every member of the recurrent family, measured as its inventors did. */
export function familyCommand(terminal: Terminal) {
  return new Command('family')
    .description('measure the recurrent family: each member on the tasks that its inventors showed it on')
    .addArgument(new Argument('[task...]', 'all by default').choices(FAMILY_TASK_NAMES))
    .option(
      '--cells <kind...>',
      'only these members, of those in docs/family.md; by default those that a task is about',
    )
    .option(
      '--seeds <n>',
      `runs of each, with seeds in a row (default: ${SEEDS.full}; --quick: ${SEEDS.quick})`,
      positiveInteger,
    )
    .option('--seed <n>', 'the first of them', integer, 1)
    .option('--quick', 'a fraction of the training, all tasks in three minutes')
    .addOption(
      new Option('--format <name>', 'of the result')
        .choices(['text', 'json'] as const)
        .default('text' as const),
    )
    .option('--report <file>', 'also write tables and curves as one HTML page')
    .option(
      '--wiring <folder>',
      "measure nothing; write pictures of the members' wiring into a folder, as SVG",
    )
    .option('--overwrite', 'replace files that exist')
    .addHelpText(
      'after',
      `
Examples:
  dragoman family --quick
  dragoman family reber adding --cells elman lstm --seeds 5
  dragoman family mackey-glass --report family.html
  dragoman family --wiring pictures`,
    )
    .action(async (tasks, options, command) => {
      const { seed, quick = false, format, report, wiring, overwrite } = options;
      if (wiring !== undefined) {
        if (tasks.length > 0)
          throw new DragomanError('usage', '--wiring measures nothing: give no task with it');
        const given = (name: 'seed' | 'format') =>
          command.getOptionValueSource(name) === 'cli' ? name : undefined;
        const { cells, seeds } = options;
        refuse(
          { cells, seeds, seed: given('seed'), quick: options.quick, format: given('format'), report },
          'has no meaning with --wiring',
        );
        return writeWirings(wiring, terminal, overwrite);
      }
      if (report === undefined) refuse({ overwrite }, 'needs --report or --wiring');
      const seeds = options.seeds ?? SEEDS[quick ? 'quick' : 'full'];
      const chosen =
        tasks.length === 0 ? FAMILY_TASK_NAMES : FAMILY_TASK_NAMES.filter((name) => tasks.includes(name));
      const cells =
        options.cells === undefined
          ? null
          : await Promise.all(options.cells.map((text) => cellNamed('--cells', text)));
      const page = report === undefined ? null : await openOutput(report, terminal, overwrite, 'go on');
      const stop = stopOnSignal((text) => terminal.say(text), 'stopping after this step');
      try {
        const { startEngine } = await import('../engine/engine.js');
        const engine = await startEngine();
        if (quick)
          terminal.say('--quick: a fraction of the training; these figures show that all works, no more');
        const results = await runTasks(
          terminal,
          chosen,
          { cells, quick, seeds: Array.from({ length: seeds }, (_, k) => seed + k) },
          format === 'text',
          stop.signal,
        );
        if (format === 'json') await terminal.print(JSON.stringify(results, null, 1));
        if (stop.signal.aborted) throw new Interruption('interrupted; the rows above are whole');
        if (page !== null) {
          const { familyReport } = await import('../bench/family-report.js');
          await page.print(familyReport(results, engine.name));
          await page.close();
        }
      } finally {
        page?.abandon();
        stop.release();
      }
    });
}

/** A picture of each wiring, as a file of its name. */
async function writeWirings(folder: string, terminal: Terminal, overwrite?: boolean): Promise<void> {
  const { wiringPictures } = await import('../wiring/pictures.js');
  await mkdir(folder, { recursive: true });
  const pictures = wiringPictures();
  for (const [name, svg] of pictures) {
    const output = await openOutput(join(folder, `${name}.svg`), terminal, overwrite);
    await withOutput(output, () => output.print(svg));
  }
  terminal.say(`${folder}: ${pictures.size} pictures`);
}

/** Runs the tasks one after the other, and prints each one's table when it is done. */
async function runTasks(
  terminal: Terminal,
  tasks: readonly FamilyTaskName[],
  options: FamilyOptions,
  tables: boolean,
  signal: AbortSignal,
): Promise<FamilyResult[]> {
  const { runFamilyTask, whyUnavailable } = await import('../bench/family.js');
  const { tableOf } = await import('../bench/family-table.js');
  const results: FamilyResult[] = [];
  for (const name of tasks) {
    if (signal.aborted) break;
    const reason = await whyUnavailable(name, options);
    if (reason !== null) {
      terminal.say(`${name}: left out: ${reason}`);
      continue;
    }
    let progress: ReturnType<Terminal['progress']> | undefined;
    const result = await runFamilyTask(name, options, {
      signal,
      onProgress: (done, total, what) => {
        progress ??= terminal.progress(name, total);
        progress.update(done, what);
      },
    });
    progress?.finish();
    results.push(result);
    if (!tables || result.rows.length === 0) continue;
    const { head, rows } = tableOf(result);
    await terminal.print(`${result.title}\n(${result.source}; ${seedNames(result.seeds)})`);
    await terminal.print(`${resultTable(terminal, head, rows)}\n`);
  }
  return results;
}

function seedNames(seeds: readonly number[]): string {
  return seeds.length === 1
    ? `seed ${seeds[0]}`
    : `seeds ${seeds[0]} to ${seeds.at(-1)}: mean ± deviation (range)`;
}
