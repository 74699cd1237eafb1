import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from '@commander-js/extra-typings';
import type { SubwordCost, SubwordResult } from '../bench/subword.js';
import { DragomanError } from '../errors.js';
import { integer, positiveInteger } from './arguments.js';
import type { BenchFormat } from './bench-report.js';
import { Interruption } from './interruption.js';
import { stopOnSignal } from './stop-on-signal.js';
import { resultTable } from './table.js';
import type { Terminal } from './terminal.js';

/** Of src/bench/subword.ts, repeated because `--help` should not wait for what that module loads. */
const TYPES = ['bpe', 'unigram'] as const;

/** Lines of made-up text, about as many as both sides of Multi30k. */
const MADE_UP_LINES = 58_000;

/** `dragoman bench subword`: training of SentencePiece models, beside Google's. */
export function benchSubwordCommand(terminal: Terminal) {
  return new Command('subword')
    .description("measure subword training, in turn with Google's SentencePiece where a Python has it")
    .option('--corpus <file...>', 'train on this text; made-up words by default')
    .option('--lines <n>', 'train on so many lines drawn from the words of the text', positiveInteger)
    .addOption(new Option('--types <name...>', 'only these models; both by default').choices(TYPES))
    .option(
      '--vocab-size <n>',
      'pieces of the models, fewer where the text has no more',
      positiveInteger,
      8000,
    )
    .option('--rounds <n>', 'turns of each program', positiveInteger, 3)
    .option('--python <path>', 'a Python with sentencepiece (default: python3); none runs ours alone')
    .option('--seed <n>', 'of made-up and drawn lines', integer, 1)
    .addOption(
      new Option('--format <name>', 'of the result')
        .choices(['table', 'markdown', 'json'] as const)
        .default('table' as const),
    )
    .addHelpText(
      'after',
      `
Times are seconds of the processor, of the whole command and of the system for it; Google's has one thread. The ratio is
the median over the rounds of ours by Google's in the same round: below 1 ours is faster. The first of our trainings also
makes the table of replacements, which is kept in the cache.

Examples:
  dragoman bench subword --python .venv/bin/python
  dragoman bench subword --corpus train.en train.de
  dragoman bench subword --corpus train.en train.de --lines 1000000 --rounds 1`,
    )
    .action(async ({ corpus, lines, types, vocabSize, rounds, python, seed, format }) => {
      const { findSentencePiece, runSubwordBench } = await import('../bench/subword.js');
      const google = python === 'none' ? null : findSentencePiece(python ?? 'python3');
      if (google === null && python !== undefined && python !== 'none') {
        throw new DragomanError('usage', `--python: expected a Python with sentencepiece, got ${python}`);
      }
      if (google === null && python === undefined) {
        terminal.say('nothing beside ours: no Python with sentencepiece (python3); --python PATH names one');
      }
      const folder = await mkdtemp(join(tmpdir(), 'dragoman-bench-'));
      const stop = stopOnSignal((text) => terminal.say(text), 'stopping after this turn');
      try {
        const files = await textFiles(corpus, lines, seed, folder);
        const results: SubwordResult[] = [];
        const options = { files, vocabSize, rounds, python: google === null ? null : (python ?? 'python3') };
        for await (const result of runSubwordBench({
          ...options,
          types: types ?? TYPES,
          signal: stop.signal,
          onWork: (what) => terminal.say(what),
        })) {
          results.push(result);
        }
        await terminal.print(await report(terminal, format, results, google));
        if (stop.signal.aborted) throw new Interruption('interrupted; what is shown above is whole');
      } finally {
        stop.release();
        await rm(folder, { recursive: true, force: true });
      }
    });
}

/** The text to train on: the files themselves, or one of drawn or made-up lines. */
async function textFiles(
  corpus: readonly string[] | undefined,
  lines: number | undefined,
  seed: number,
  folder: string,
): Promise<readonly string[]> {
  if (corpus !== undefined && lines === undefined) {
    const { readLines } = await import('../text/lines.js');
    for (const file of corpus) for await (const _ of readLines(file)) break; // is there one to read?
    return corpus;
  }
  const { createWriteStream } = await import('node:fs');
  const { Readable } = await import('node:stream');
  const { pipeline } = await import('node:stream/promises');
  const { drawnLines, madeUpLines } = await import('../bench/subword.js');
  const { readAll } = await import('./lines.js');
  const text: string[] = [];
  for (const file of corpus ?? []) text.push(...(await readAll(file)));
  const drawn =
    corpus === undefined ? madeUpLines(lines ?? MADE_UP_LINES, seed) : drawnLines(text, lines!, seed);
  const path = join(folder, 'text');
  const ended = Readable.from(drawn).map((line: string) => `${line}\n`);
  await pipeline(ended, createWriteStream(path));
  return [path];
}

async function report(
  terminal: Terminal,
  format: BenchFormat,
  results: readonly SubwordResult[],
  google: string | null,
): Promise<string> {
  if (format === 'json') return JSON.stringify({ google, results }, null, 1);
  const { median } = await import('../bench/rounds.js');
  const { markdownTable } = await import('../bench/speed-table.js');
  const cost = (costs: readonly SubwordCost[]): string =>
    costs.length === 0
      ? '-'
      : `${median(costs.map(({ seconds }) => seconds)).toFixed(2)} s, ${Math.max(...costs.map(({ mebibytes }) => mebibytes)).toFixed(0)} MiB`;
  const head = [
    'type',
    google === null ? 'Google' : `Google ${google}`,
    'ours',
    'ours, the first time',
    'ratio',
  ];
  const rows = results.map(({ type, first, ours, google: theirs, ratio }) => [
    type,
    cost(theirs),
    cost(ours),
    cost([first]),
    Number.isNaN(ratio) ? '-' : ratio.toFixed(2),
  ]);
  return format === 'table' ? resultTable(terminal, head, rows) : markdownTable(head, rows);
}
