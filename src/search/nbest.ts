import { DragomanError } from '../errors.js';
import { jsonFormat } from './nbest-json.js';
import { mosesFormat } from './nbest-moses.js';
import { opennmtFormat } from './nbest-opennmt.js';
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
  /** OpenNMT: whether the score stands before the hypothesis, and the fields after it (alignments, token scores). */
  readonly opennmt?: { readonly scoreFirst: boolean; readonly after: readonly string[] };
}

/** The hypotheses of one sentence. */
export interface NBestList {
  /** Line of the source, from 0. */
  readonly id: number;
  readonly entries: readonly NBestEntry[];
  /** Where it begins, for errors: `file:line`. */
  readonly where: string;
  /** What else a format holds of the sentence, kept in place: JSON keys. */
  readonly rest?: SentenceRest;
}

/** Parts of a sentence's line that nothing here reads. */
export interface SentenceRest {
  /** JSONL: keys beside `id` and `hypotheses`; where `text` is one, it is the first hypothesis'. */
  readonly json?: Readonly<Record<string, unknown>>;
}

export interface NBestReadOptions {
  /** Hypotheses a source line, for formats without ids. */
  readonly perSource?: number | undefined;
}

/** How a format is read, line by line, and written. */
export interface NBestFormat {
  /** Lines have no ids: so many belong to each source line, and an empty line is an empty hypothesis. */
  readonly idsByPosition?: true;
  /** A reader for one file: what a line holds, or null for a header. Throws `input` with `where`. */
  reader(options: NBestReadOptions): (line: string, where: string) => NBestLine | null;
  /** A writer for one file: the lines of one sentence, a header before the first where the format has one. */
  writer(): (list: Pick<NBestList, 'id' | 'entries' | 'rest'>) => string[];
}

/** What one line holds: one hypothesis (`whole` false: more may follow), or the whole list of a sentence. */
export interface NBestLine {
  readonly id: number;
  readonly entries: readonly NBestEntry[];
  readonly whole: boolean;
  readonly rest?: SentenceRest;
}

const FORMATS = {
  moses: mosesFormat,
  jsonl: jsonFormat,
  tsv: tsvFormat,
  opennmt: opennmtFormat,
} satisfies Record<string, NBestFormat>;

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
  options: NBestReadOptions & { readonly format: NBestFormatName; readonly file: string },
): AsyncGenerator<NBestList> {
  const { perSource } = options;
  const { idsByPosition = false, reader } = nbestFormat(options.format);
  if (!idsByPosition && perSource !== undefined) {
    throw new DragomanError(
      'usage',
      `expected no number of hypotheses a source line for the format ${options.format}, which has ids, got ${perSource}`,
    );
  }
  const read = reader(options);
  let group: {
    id: number;
    entries: NBestEntry[];
    where: string;
    whole: boolean;
    rest?: SentenceRest;
  } | null = null;
  let number = 0;
  for await (const line of lines) {
    number++;
    const where = `${options.file}:${number}`;
    if (line.trim() === '' && !idsByPosition) {
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
    const { rest } = got;
    group = { id: got.id, entries: [...got.entries], where, whole: got.whole, ...(rest && { rest }) };
  }
  if (perSource !== undefined && number % perSource !== 0) {
    throw new DragomanError(
      'input',
      `${options.file}: expected ${perSource} lines for each source line, got ${number} lines, of which the last has ${number % perSource}`,
    );
  }
  if (group !== null) yield group;
}

/** An n-best list beside the source line it belongs to. */
export interface SourcedList extends NBestList {
  readonly source: string;
}

/**
 * Joins lists to their source lines: one for every line, in order, without entries where the list has none for it.
 * Throws `input` where an id is beyond the last line. Without source lines (null) the source is the empty text, and
 * the lists end with the last id.
 */
export async function* withSources(
  lists: AsyncIterable<NBestList>,
  sources: Iterable<string> | AsyncIterable<string> | null,
): AsyncGenerator<SourcedList> {
  if (sources === null) {
    let id = 0;
    for await (const list of lists) {
      for (; id < list.id; id++) yield { id, source: '', entries: [], where: list.where };
      yield { ...list, source: '' };
      id++;
    }
    return;
  }
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
