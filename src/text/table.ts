import type { ParserOptionsArgs } from 'fast-csv';
import { DragomanError, excerpt, messageOf } from '../errors.js';
import { nameOf } from './input.js';
import { readLineBlocks } from './lines.js';

export type TableFormat = 'csv' | 'tsv';

/** One record of a table and the line on which it begins. */
export interface TableRow {
  readonly line: number;
  readonly cells: readonly string[];
}

interface RawRecord {
  readonly line: number;
  readonly text: string;
}

/**
 * fast-csv reads a quote that is never closed to the end of the file. So much may follow the line that opened
 * it, in characters, before this says where it was opened.
 */
const LONGEST_QUOTE = 1 << 20;

/** Characters handed to fast-csv at a time. */
const BLOCK = 1 << 16;

// TSV knows no quotes: a `"` is a character like any other.
const FORMATS: Readonly<Record<TableFormat, ParserOptionsArgs>> = {
  csv: { headers: false, delimiter: ',', quote: '"' },
  tsv: { headers: false, delimiter: '\t', quote: null },
};

/**
 * The records of a CSV or TSV file (or `-`), its header first. fast-csv parses them; the lines are cut into
 * records here, because fast-csv does not number them and does not bound a quote.
 */
export async function* readTable(
  path: string,
  folder: string,
  format: TableFormat,
): AsyncGenerator<TableRow> {
  const name = nameOf(path);
  let block: RawRecord[] = [];
  let size = 0;
  const cut = format === 'csv' ? new RecordCutter(name) : null;
  let line = 0;
  for await (const lines of readLineBlocks(path, folder)) {
    for (const text of lines) {
      line++;
      const record = cut === null ? { line, text } : cut.push(text, line);
      if (record === null) continue;
      block.push(record);
      size += record.text.length;
      if (size < BLOCK) continue;
      yield* await parseBlock(block, format, name);
      block = [];
      size = 0;
    }
    // Also at the end of what has arrived, so that a pipe is answered at once.
    yield* await parseBlock(block, format, name);
    block = [];
    size = 0;
  }
  cut?.end();
}

/** Puts lines together while a quote is open. */
class RecordCutter {
  readonly #name: string;
  #lines: string[] = [];
  #length = 0;
  #start = 0;
  #opened = 0;

  constructor(name: string) {
    this.#name = name;
  }

  /** The record that ends with this line, if one does. */
  push(text: string, line: number): RawRecord | null {
    const inside = this.#lines.length > 0;
    if (!inside && !text.includes('"')) return { line, text };
    const open = leavesQuoteOpen(text, inside);
    if (!inside) this.#start = line;
    if (open && (!inside || open === 'anew')) this.#opened = line;
    if (inside) this.#length += text.length + 1;
    if (this.#length > LONGEST_QUOTE) throw this.#unclosed(`${LONGEST_QUOTE} characters without one`);
    this.#lines.push(text);
    if (open) return null;
    const record = { line: this.#start, text: this.#lines.join('\n') };
    this.#lines = [];
    this.#length = 0;
    return record;
  }

  end(): void {
    if (this.#lines.length > 0) throw this.#unclosed('the end of the file');
  }

  #unclosed(got: string): DragomanError {
    return new DragomanError(
      'input',
      `${this.#name}:${this.#opened}: expected a closing quote for the one opened on this line, got ${got}`,
    );
  }
}

/**
 * Whether a quoted field goes on after this line: the one that was open before (`still`) or a later one
 * (`anew`). A field is quoted if a quote is its first character but blanks; in it, two quotes stand for one.
 */
function leavesQuoteOpen(text: string, inside: boolean): false | 'still' | 'anew' {
  let at = 0;
  let anew: 'still' | 'anew' = 'still';
  let open = inside;
  while (true) {
    if (!open) {
      const blank = /\s*/y;
      blank.lastIndex = at;
      blank.exec(text);
      at = blank.lastIndex;
      if (text[at] === '"') {
        open = true;
        anew = 'anew';
        at++;
      }
    }
    if (open) {
      let quote = text.indexOf('"', at);
      while (quote >= 0 && text[quote + 1] === '"') quote = text.indexOf('"', quote + 2);
      if (quote < 0) return anew;
      open = false;
      at = quote + 1;
    }
    const comma = text.indexOf(',', at);
    if (comma < 0) return false;
    at = comma + 1;
  }
}

async function parseBlock(
  block: readonly RawRecord[],
  format: TableFormat,
  name: string,
): Promise<TableRow[]> {
  if (block.length === 0) return [];
  const text = block.map((record) => `${record.text}\n`).join('');
  try {
    const rows = await parse(text, format);
    if (rows.length === block.length) return rows.map((cells, i) => restore(cells, block[i]!, format));
  } catch {
    // Below, record by record, is found out which one it was.
  }
  const rows: TableRow[] = [];
  for (const record of block) rows.push(await parseRecord(record, format, name));
  return rows;
}

async function parseRecord(record: RawRecord, format: TableFormat, name: string): Promise<TableRow> {
  const where = `${name}:${record.line}`;
  const kind = format.toUpperCase();
  let rows: string[][];
  try {
    rows = await parse(`${record.text}\n`, format);
  } catch (error) {
    // fast-csv puts what it could not read into its message, however long it is.
    const reason = excerpt(messageOf(error).replace(/^Parse Error: /, ''));
    throw new DragomanError(
      'input',
      `${where}: expected a ${kind} record, got ${excerpt(record.text)} (${reason})`,
    );
  }
  if (rows.length !== 1) {
    const got = record.text.includes('\r') ? 'a carriage return within one' : `${rows.length} in it`;
    throw new DragomanError('input', `${where}: expected one ${kind} record a line, got ${got}`);
  }
  return restore(rows[0]!, record, format);
}

async function parse(text: string, format: TableFormat): Promise<string[][]> {
  // Loaded here, because most corpora are plain lines and need not wait for it.
  const { parseString } = await import('fast-csv');
  // fast-csv takes a byte-order mark off whatever it is given; the file's own is gone already.
  const given = text.startsWith('\uFEFF') ? `\uFEFF${text}` : text;
  const rows: string[][] = [];
  for await (const row of parseString<string[], string[]>(given, FORMATS[format])) rows.push(row);
  return rows;
}

/** fast-csv loses a first cell of blanks, and gives an empty line no cell at all. */
function restore(cells: string[], record: RawRecord, format: TableFormat): TableRow {
  if (cells.length === 0) return { line: record.line, cells: [record.text] };
  if (cells[0] === '' && record.text[0] !== '"') {
    const end = record.text.indexOf(FORMATS[format].delimiter ?? ',');
    const first = end < 0 ? record.text : record.text.slice(0, end);
    if (!first.includes('"') || format === 'tsv') cells[0] = first;
  }
  return { line: record.line, cells };
}
