import { DragomanError } from '../errors.js';
import { jsonFormat } from './nbest-json.js';
import { mosesFormat } from './nbest-moses.js';
import { tsvFormat } from './nbest-tsv.js';

/** Named scores of a hypothesis in the order they came in; a name can stand for several values (Moses). */
export type Features = ReadonlyMap<string, readonly number[]>;

/** One hypothesis of an n-best list of any system. */
export interface NBestEntry {
  readonly text: string;
  readonly features: Features;
  /** The score the list was ranked by, where it has one. */
  readonly total: number | null;
  /** What else the format holds, kept in place: Moses fields, JSON keys. */
  readonly rest: EntryRest;
}

/** Parts of an entry that nothing here reads; each format keeps its own and passes by the others'. */
export interface EntryRest {
  /** Moses: fields between hypothesis and features (Marian's alignment), and after the total (Moses' alignment). */
  readonly moses?: { readonly before: readonly string[]; readonly after: readonly string[] };
  /** JSONL: keys other than text, total and numbers. */
  readonly json?: Readonly<Record<string, unknown>>;
}

/** The hypotheses of one sentence. */
export interface NBestList {
  /** Line of the source, from 0. */
  readonly id: number;
  readonly entries: readonly NBestEntry[];
  /** Where it begins, for errors: `file:line`. */
  readonly where: string;
}

/** How a format is read, line by line, and written. */
export interface NBestFormat {
  /** A reader for one file: what a line holds, or null for a header. Throws `input` with `where`. */
  reader(): (line: string, where: string) => NBestLine | null;
  /** A writer for one file: the lines of one sentence, a header before the first where the format has one. */
  writer(): (list: Pick<NBestList, 'id' | 'entries'>) => string[];
}

/** What one line holds: one hypothesis (`whole` false: more may follow), or the whole list of a sentence. */
export interface NBestLine {
  readonly id: number;
  readonly entries: readonly NBestEntry[];
  readonly whole: boolean;
}

const FORMATS = { moses: mosesFormat, jsonl: jsonFormat, tsv: tsvFormat } satisfies Record<
  string,
  NBestFormat
>;

export type NBestFormatName = keyof typeof FORMATS;
export const NBEST_FORMATS = Object.keys(FORMATS) as NBestFormatName[];

/** The format of this name. Throws `usage` listing the choices. */
export function nbestFormat(name: string): NBestFormat {
  const format = Object.hasOwn(FORMATS, name) ? FORMATS[name as NBestFormatName] : undefined;
  if (format === undefined) {
    throw new DragomanError('usage', `expected an n-best format of ${NBEST_FORMATS.join(', ')}, got ${name}`);
  }
  return format;
}

/** The format a file's name suggests; Moses where it says nothing. */
export function nbestFormatOf(file: string): NBestFormatName {
  const ending = /\.(jsonl|json|tsv)(\.gz)?$/i.exec(file)?.[1]?.toLowerCase();
  if (ending === 'tsv') return 'tsv';
  return ending === undefined ? 'moses' : 'jsonl';
}

/**
 * Reads an n-best list sentence by sentence: memory holds one group. Ids count source lines from 0; each id is one
 * run of lines and ids ascend, though some may be missing. `file` stands in errors. Throws `input`.
 */
export async function* readNBest(
  lines: Iterable<string> | AsyncIterable<string>,
  options: { readonly format: NBestFormatName; readonly file: string },
): AsyncGenerator<NBestList> {
  const read = nbestFormat(options.format).reader();
  let group: { id: number; entries: NBestEntry[]; where: string; whole: boolean } | null = null;
  let number = 0;
  for await (const line of lines) {
    number++;
    const where = `${options.file}:${number}`;
    if (line.trim() === '') {
      throw new DragomanError('input', `${where}: expected a hypothesis, got an empty line`);
    }
    const got = read(line, where);
    if (got === null) continue;
    if (group !== null && got.id === group.id && !got.whole && !group.whole) {
      group.entries.push(...got.entries);
      continue;
    }
    if (group !== null && got.id <= group.id) {
      throw new DragomanError(
        'input',
        `${where}: expected ids in ascending groups, got ${got.id} after ${group.id}`,
      );
    }
    if (group !== null) yield group;
    group = { id: got.id, entries: [...got.entries], where, whole: got.whole };
  }
  if (group !== null) yield group;
}

/** An n-best list beside the source line it belongs to. */
export interface SourcedList extends NBestList {
  readonly source: string;
}

/**
 * Joins lists to their source lines: one for every line, in order, without entries where the list has none for it.
 * Throws `input` where an id is beyond the last line.
 */
export async function* withSources(
  lists: AsyncIterable<NBestList>,
  sources: Iterable<string> | AsyncIterable<string>,
): AsyncGenerator<SourcedList> {
  const iterator = lists[Symbol.asyncIterator]();
  let next = await iterator.next();
  let id = 0;
  for await (const source of sources) {
    if (!next.done && next.value.id === id) {
      yield { ...next.value, source };
      next = await iterator.next();
    } else {
      yield { id, source, entries: [], where: `source line ${id + 1}` };
    }
    id++;
  }
  if (!next.done) {
    throw new DragomanError(
      'input',
      `${next.value.where}: expected an id below ${id}, the number of source lines (ids count from 0), got ${next.value.id}`,
    );
  }
}
