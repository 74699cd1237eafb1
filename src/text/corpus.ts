import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { CorpusSpec, TextCorpusSpec } from '../config.js';
import { DragomanError, excerpt, messageOf } from '../errors.js';
import { nameOf, STDIN } from './input.js';
import { readLineBlocks, readLines } from './lines.js';
import { readTable, type TableFormat } from './table.js';

export { readLines } from './lines.js';

/** A sentence and its translation. */
export interface SentencePair {
  source: string;
  target: string;
  /** Line of the file (of both files), from 1. */
  line: number;
}

type OneFile = Extract<CorpusSpec, { file: string }>;
type TwoFiles = Exclude<CorpusSpec, OneFile>;
type FileFormat = NonNullable<OneFile['format']>;

/**
 * The sentence pairs of a corpus, in order, none left out; paths are relative to `folder`. Streams: memory
 * does not depend on the size of the corpus. What is not as it should be is a {@link DragomanError} with file
 * and line.
 */
export async function* readPairs(spec: CorpusSpec, folder: string): AsyncGenerator<SentencePair> {
  if (!('file' in spec)) {
    yield* readTwoFiles(spec, folder);
    return;
  }
  const format = formatOf(spec);
  yield* format === 'jsonl' ? readJsonLines(spec, folder) : readColumns(spec, folder, format);
}

/** A sentence of one-sided text. */
export interface TextLine {
  text: string;
  /** Line of the file, from 1. */
  line: number;
}

/** The sentences of one-sided text, likewise. */
export async function* readTexts(spec: TextCorpusSpec, folder: string): AsyncGenerator<TextLine> {
  if ('file' in spec) {
    const { file, format, text } = spec;
    const pairs = readPairs({ file, format, source: text, target: text }, folder);
    for await (const { target, line } of pairs) yield { text: target, line };
    return;
  }
  let line = 0;
  for await (const text of readLines(spec.text, folder)) yield { text, line: ++line };
}

/** The files of a corpus. */
export function corpusFiles(spec: CorpusSpec | TextCorpusSpec): string[] {
  if ('file' in spec) return [spec.file];
  return 'text' in spec ? [spec.text] : [spec.source, spec.target];
}

/** The whole corpus in one name, for messages. */
export function corpusName(spec: CorpusSpec | TextCorpusSpec): string {
  return corpusFiles(spec).map(nameOf).join(' and ');
}

export function usesStandardInput(spec: CorpusSpec | TextCorpusSpec): boolean {
  return corpusFiles(spec).includes(STDIN);
}

/** A named pipe, such as a shell's `<(…)`, is empty the second time: an error where a corpus is read twice. */
export async function requireRereadable(spec: CorpusSpec | TextCorpusSpec, folder: string): Promise<void> {
  for (const path of corpusFiles(spec)) {
    if (path === STDIN) continue;
    // What is missing is said by the reader.
    const found = await stat(resolve(folder, path)).catch(() => null);
    if (found === null || !found.isFIFO()) continue;
    throw new DragomanError(
      'input',
      `${nameOf(path)}: expected a file or standard input (-), because it is read twice, got a pipe`,
    );
  }
}

async function* readTwoFiles(spec: TwoFiles, folder: string): AsyncGenerator<SentencePair> {
  if (spec.source === STDIN && spec.target === STDIN) {
    throw new DragomanError(
      'config',
      'expected standard input (-) for one side of a corpus, got it for both',
    );
  }
  const sources = readLineBlocks(spec.source, folder);
  const targets = readLineBlocks(spec.target, folder);
  try {
    let source = await sources.next();
    let target = await targets.next();
    let s = 0;
    let t = 0;
    for (let line = 1; ; line++) {
      // Blocks of the two files end at different lines; none is empty.
      if (!source.done && s === source.value.length) [source, s] = [await sources.next(), 0];
      if (!target.done && t === target.value.length) [target, t] = [await targets.next(), 0];
      if (source.done && target.done) return;
      if (source.done) throw ended(spec.source, spec.target, line);
      if (target.done) throw ended(spec.target, spec.source, line);
      yield { source: source.value[s++]!, target: target.value[t++]!, line };
    }
  } finally {
    await sources.return(undefined);
    await targets.return(undefined);
  }
}

function ended(short: string, long: string, line: number): DragomanError {
  const expected = `expected as many lines as in ${nameOf(long)}`;
  return new DragomanError('input', `${nameOf(short)}:${line}: ${expected}, got the end after ${line - 1}`);
}

async function* readColumns(
  spec: OneFile,
  folder: string,
  format: TableFormat,
): AsyncGenerator<SentencePair> {
  const name = nameOf(spec.file);
  let columns: { source: number; target: number; count: number } | null = null;
  for await (const { line, cells } of readTable(spec.file, folder, format)) {
    if (columns === null) {
      const source = columnOf(spec.source, cells, name);
      columns = { source, target: columnOf(spec.target, cells, name), count: cells.length };
      continue;
    }
    if (cells.length !== columns.count) {
      const got = cells.length === 1 && cells[0] === '' ? 'an empty line' : `${cells.length}`;
      throw new DragomanError(
        'input',
        `${name}:${line}: expected ${columns.count} columns as in the header, got ${got}`,
      );
    }
    const source = sentence(cells[columns.source]!, spec.source, name, line);
    yield { source, target: sentence(cells[columns.target]!, spec.target, name, line), line };
  }
  if (columns === null) {
    throw new DragomanError(
      'input',
      `${name}:1: expected a header line with the columns' names, got an empty file`,
    );
  }
}

function columnOf(column: string, header: readonly string[], name: string): number {
  const index = header.indexOf(column);
  if (index >= 0 && header.lastIndexOf(column) === index) return index;
  const got = index < 0 ? header.slice(0, 20).map(excerpt).join(', ') : 'two of that name';
  throw new DragomanError(
    'input',
    `${name}:1: expected a column ${excerpt(column)} in the header, got ${got}`,
  );
}

async function* readJsonLines(spec: OneFile, folder: string): AsyncGenerator<SentencePair> {
  const name = nameOf(spec.file);
  let line = 0;
  for await (const block of readLineBlocks(spec.file, folder)) {
    for (const text of block) {
      line++;
      const value = parseObject(text, `${name}:${line}`);
      const source = field(value, spec.source, name, line);
      yield { source, target: field(value, spec.target, name, line), line };
    }
  }
}

function parseObject(text: string, where: string): object {
  let value: unknown;
  let reason = '';
  try {
    value = JSON.parse(text);
  } catch (error) {
    reason = ` (${excerpt(messageOf(error))})`;
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  const got = text.trim() === '' ? 'an empty line' : `${excerpt(text)}${reason}`;
  throw new DragomanError('input', `${where}: expected a JSON object, got ${got}`);
}

function field(object: object, key: string, name: string, line: number): string {
  const value: unknown = Object.hasOwn(object, key) ? Reflect.get(object, key) : undefined;
  if (typeof value === 'string') return sentence(value, key, name, line);
  const got =
    value === undefined
      ? `the keys ${Object.keys(object).slice(0, 20).map(excerpt).join(', ') || '(none)'}`
      : excerpt(JSON.stringify(value));
  throw new DragomanError('input', `${name}:${line}: expected a string under ${excerpt(key)}, got ${got}`);
}

/** What a line of text could not hold, a quoted cell or a JSON string can: it would break what is line by line. */
function sentence(text: string, column: string, name: string, line: number): string {
  const wrong = text.includes('\n')
    ? 'a line break'
    : text.includes('\0')
      ? 'a NUL character'
      : text.isWellFormed()
        ? null
        : 'half a surrogate pair';
  if (wrong === null) return text;
  throw new DragomanError(
    'input',
    `${name}:${line}: expected one line of text in ${excerpt(column)}, got ${wrong} in it: ${excerpt(text)}`,
  );
}

function formatOf(spec: OneFile): FileFormat {
  if (spec.format !== undefined) return spec.format;
  const ending = /\.(tsv|csv|jsonl)(\.gz)?$/i.exec(spec.file)?.[1]?.toLowerCase();
  if (ending === 'tsv' || ending === 'csv' || ending === 'jsonl') return ending;
  throw new DragomanError(
    'config',
    `${nameOf(spec.file)}: expected a name ending in .tsv, .csv or .jsonl, or a format, got neither`,
  );
}
