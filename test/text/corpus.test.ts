import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { CorpusSpec } from '../../src/config.js';
import { DragomanError } from '../../src/errors.js';
import { readLines, readPairs } from '../../src/text/corpus.js';

const folder = mkdtempSync(join(tmpdir(), 'dragoman-test-'));

/** Writes files into the folder, gzipped where the name says so. */
function write(files: Record<string, string | Uint8Array>): void {
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), name.endsWith('.gz') ? gzipSync(content) : content);
  }
}

async function lines(content: string | Uint8Array, name = 'file.txt'): Promise<string[]> {
  write({ [name]: content });
  return collect(readLines(name, folder));
}

async function pairs(spec: CorpusSpec): Promise<[string, string, number][]> {
  const all = await collect(readPairs(spec, folder));
  return all.map(({ source, target, line }) => [source, target, line]);
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** The message of the one clear error that this must end in. */
async function failure(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => null,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(DragomanError);
  const { message, exitCode } = error as DragomanError;
  expect(exitCode).toBe(2);
  expect(message).not.toContain('\n');
  expect(message.length).toBeLessThan(300);
  return message;
}

const two = { source: 'a.en', target: 'a.de' };
const table = (file: string): CorpusSpec => ({ file, source: 'en', target: 'de' });

describe('lines', () => {
  test('only line feeds end them, with or without a carriage return', async () => {
    expect(await lines('a\nb\r\nc\u2028d\u0085e\rf\n')).toEqual(['a', 'b', 'c\u2028d\u0085e\rf']);
  });

  test('empty ones keep their place, and the last needs no end', async () => {
    expect(await lines('')).toEqual([]);
    expect(await lines('\n')).toEqual(['']);
    expect(await lines('\n\na')).toEqual(['', '', 'a']);
    expect(await lines('a\n\n')).toEqual(['a', '']);
    expect(await lines('\r\n \r\n')).toEqual(['', ' ']);
  });

  test('a byte-order mark is taken off the file, and only there', async () => {
    expect(await lines('\uFEFFa\n\uFEFFb')).toEqual(['a', '\uFEFFb']);
    expect(await lines('\uFEFF')).toEqual([]);
    expect(await lines('\uFEFF\n')).toEqual(['']);
  });

  test('longer than any block of the file, at any place of it', async () => {
    const long = `${'ä'.repeat(200_000)}x`;
    expect(await lines(`a\n${long}\n\n${long}`)).toEqual(['a', long, '', long]);
  });

  test('as JavaScript would split them', async () => {
    const character = fc.constantFrom('a', 'ä', '你', '🎉', ' ', '\n', '\n', '\r', '\u2028');
    await fc.assert(
      fc.asyncProperty(fc.array(character), fc.boolean(), async (characters, zip) => {
        const text = characters.join('');
        const expected = text.split('\n').map((line) => line.replace(/\r$/, ''));
        if (text === '' || text.endsWith('\n')) expected.pop();
        expect(await lines(text, zip ? 'p.txt.gz' : 'p.txt')).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });

  test('gzipped, in one or several members, under any name', async () => {
    expect(await lines('a\nb\n', 'z.gz')).toEqual(['a', 'b']);
    expect(await lines(Buffer.concat([gzipSync('a\nb'), gzipSync('c\nd\n')]), 'z.txt')).toEqual([
      'a',
      'bc',
      'd',
    ]);
    expect(await lines('', 'z.gz')).toEqual([]);
  });

  test('reading can stop at any line', async () => {
    write({ 'many.gz': 'line\n'.repeat(500_000) });
    for await (const line of readLines('many.gz', folder)) {
      expect(line).toBe('line');
      break;
    }
  });
});

describe('lines that are none', () => {
  const text = 'a\nb\n';
  const bytes = (...parts: (string | number[])[]) =>
    Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));

  const cases: [string, string, Uint8Array | string, string][] = [
    ['Latin-1', 'f', bytes('a\nna', [0xef], 've\n'), 'f:2: expected UTF-8 text, got 0xEF at byte 3'],
    [
      'after true U+FFFD',
      'f',
      bytes('\uFFFD\n\uFFFD', [0xff]),
      'f:2: expected UTF-8 text, got 0xFF at byte 4',
    ],
    ['a cut-off character', 'f', bytes('a\nb', [0xe4, 0xbd]), 'f:2: expected UTF-8 text, got 0xE4 at byte 2'],
    ['a surrogate', 'f', bytes([0xed, 0xa0, 0x80]), 'f:1: expected UTF-8 text, got 0xED at byte 1'],
    ['an overlong form', 'f', bytes('x\n\n', [0xc0, 0xaf]), 'f:3: expected UTF-8 text, got 0xC0 at byte 1'],
    ['UTF-16', 'f', bytes([0xff, 0xfe], 'a\0'), 'f:1: expected UTF-8 text, got UTF-16'],
    ['a NUL', 'f', 'a\nb\nxy\0z\n', 'f:3: expected text, got a NUL character at byte 3'],
    ['late NUL', 'f', `${'line\n'.repeat(100_000)}\0`, 'f:100001: expected text, got a NUL'],
    [
      'plain text named .gz',
      'f.gz',
      text,
      'f.gz: expected gzipped data as the name says, got something else',
    ],
    [
      'an empty file named .gz',
      'f.gz',
      '',
      'f.gz: expected gzipped data as the name says, got an empty file',
    ],
    [
      'cut-off gzip',
      'f.gz',
      gzipSync(text).subarray(0, -6),
      'f.gz:3: expected intact gzipped data, got unexpected end of file',
    ],
    [
      'rest after gzip',
      'f.gz',
      bytes([...gzipSync(text)], 'rest'),
      'f.gz:1: expected intact gzipped data, got incorrect header check',
    ],
  ];
  test.each(cases)('%s', async (_, name, content, message) => {
    writeFileSync(join(folder, name), content);
    expect(await failure(collect(readLines(name, folder)))).toContain(message);
  });

  test('broken gzip', async () => {
    const packed = gzipSync(text);
    packed[12]! ^= 0xff;
    packed[packed.length - 8]! ^= 0xff;
    writeFileSync(join(folder, 'g.gz'), packed);
    expect(await failure(collect(readLines('g.gz', folder)))).toMatch(
      /^g.gz:\d+: expected intact gzipped data, got/,
    );
  });

  test('no file, a folder', async () => {
    expect(await failure(collect(readLines('none.txt', folder)))).toBe(
      'none.txt: expected a readable file, got no such file',
    );
    expect(await failure(collect(readLines('.', folder)))).toBe('.: expected a readable file, got a folder');
  });
});

describe('two files', () => {
  test('line by line, empty ones too', async () => {
    write({ 'a.en': 'one\n\nthree\n', 'a.de': 'eins\r\nzwei\r\n' + '\r\n' });
    expect(await pairs(two)).toEqual([
      ['one', 'eins', 1],
      ['', 'zwei', 2],
      ['three', '', 3],
    ]);
  });

  test('large ones stay aligned', async () => {
    const n = 30_000;
    const numbers = Array.from({ length: n }, (_, i) => i);
    write({
      'a.en': numbers.map((i) => `${i}\n`).join(''),
      'b.gz': numbers.map((i) => `${i} ${'x'.repeat(i % 90)}\n`).join(''),
    });
    let count = 0;
    for await (const { source, target, line } of readPairs({ source: 'a.en', target: 'b.gz' }, folder)) {
      if (line !== ++count || Number(source) !== count - 1 || !target.startsWith(`${source} `)) throw line;
    }
    expect(count).toBe(n);
  });

  test('of unequal length', async () => {
    write({ 'a.en': 'one\ntwo\n', 'a.de': 'eins\n' });
    expect(await failure(pairs(two))).toBe('a.de:2: expected as many lines as in a.en, got the end after 1');
    write({ 'a.en': '', 'a.de': 'eins' });
    expect(await failure(pairs(two))).toBe('a.en:1: expected as many lines as in a.de, got the end after 0');
  });

  test('errors name the file', async () => {
    write({ 'a.en': 'one\ntwo\n', 'a.de': Buffer.from([0x61, 0x0a, 0xff, 0x0a]) });
    expect(await failure(pairs(two))).toBe('a.de:2: expected UTF-8 text, got 0xFF at byte 1');
    expect(await failure(pairs({ source: 'a.en', target: 'none' }))).toContain(
      'none: expected a readable file',
    );
  });
});

describe('TSV', () => {
  test('columns by name, quotes as they are', async () => {
    write({ 't.tsv': 'id\tde\ten\r\n1\t"Ja"\t"yes\r\n2\t\t\r\n3\t  \t a \u2028\r\n' });
    expect(await pairs(table('t.tsv'))).toEqual([
      ['"yes', '"Ja"', 2],
      ['', '', 3],
      [' a \u2028', '  ', 4],
    ]);
  });

  test('any text without tabs comes through', async () => {
    const cell = fc
      .array(fc.constantFrom('a', ' ', '"', ',', '\u00A0', '\uFEFF', '\\', 'ä', '#'), { maxLength: 6 })
      .map((characters) => characters.join(''));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(cell, cell)), fc.boolean(), async (rows, zip) => {
        const name = zip ? 'p.tsv.gz' : 'p.tsv';
        write({ [name]: [['en', 'de'], ...rows].map((row) => row.join('\t')).join('\n') });
        expect(await pairs(table(name))).toEqual(rows.map((row, i) => [...row, i + 2]));
      }),
      { numRuns: 100 },
    );
  });

  test('what is wrong, and on which line', async () => {
    const cases: [string, string][] = [
      ['', 't.tsv:1: expected a header line'],
      ['en\tfr\na\tb\n', 't.tsv:1: expected a column "de" in the header, got "en", "fr"'],
      ['en\tde\ten\n', 't.tsv:1: expected a column "en" in the header, got two of that name'],
      ['en\tde\na\tb\na\n', 't.tsv:3: expected 2 columns as in the header, got 1'],
      ['en\tde\na\tb\tc\n', 't.tsv:2: expected 2 columns as in the header, got 3'],
      ['en\tde\na\tb\n\nc\td\n', 't.tsv:3: expected 2 columns as in the header, got an empty line'],
      ['en\tde\na\tb\n   ', 't.tsv:3: expected 2 columns as in the header, got 1'],
      [
        'en\tde\na\tb\nc\rc\td\n',
        't.tsv:3: expected one TSV record a line, got a carriage return within one',
      ],
    ];
    for (const [content, message] of cases) {
      write({ 't.tsv': content });
      expect(await failure(pairs(table('t.tsv')))).toContain(message);
    }
  });
});

describe('CSV', () => {
  test('quoted cells, and line breaks in other columns', async () => {
    write({ 't.csv': 'note,en,de\n"a\n""b""\n,c",one,"eins, ""1"""\n,"","x"\n"",two, "zwei" \n' });
    expect(await pairs(table('t.csv'))).toEqual([
      ['one', 'eins, "1"', 2],
      ['', 'x', 5],
      ['two', 'zwei', 6],
    ]);
  });

  test('any text comes through when quoted, with the right lines', async () => {
    const text = (...more: string[]) =>
      fc
        .array(fc.constantFrom('a', ' ', '"', ',', '\u2028', '\uFEFF', '\\', 'ä', ...more), { maxLength: 6 })
        .map((characters) => characters.join(''));
    const quote = (cell: string, always: boolean) =>
      always || /["\n]|^\s|,/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(text('\n'), text(), text(), fc.boolean())), async (rows) => {
        const records = rows.map(([note, en, de, always]) =>
          [note, en, de].map((c) => quote(c, always)).join(','),
        );
        write({ 'p.csv': ['note,en,de', ...records].join('\r\n') });
        let line = 2;
        const expected = rows.map(([note, en, de]) => {
          const row = [en, de, line];
          line += note.split('\n').length;
          return row;
        });
        expect(await pairs(table('p.csv'))).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });

  test('blocks of fast-csv do not show', async () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => `${i},"v ${i}"`);
    write({ 'big.csv.gz': `en,de\n${rows.join('\n')}\n` });
    const read = await pairs(table('big.csv.gz'));
    expect(read).toEqual(rows.map((_, i) => [`${i}`, `v ${i}`, i + 2]));
  });

  test('what is wrong, and on which line', async () => {
    const filler = 'a,b\n'.repeat(3000);
    const cases: [string, string][] = [
      [
        'en,de\na,b\n"c,d\ne,f\n',
        't.csv:3: expected a closing quote for the one opened on this line, got the end',
      ],
      [
        'en,de\n"a\nb","c\nd',
        't.csv:3: expected a closing quote for the one opened on this line, got the end',
      ],
      [
        `en,de\na,"b\n${'c,d\n'.repeat(400_000)}`,
        't.csv:2: expected a closing quote for the one opened on this line',
      ],
      [`en,de\n${filler}"a" b,c\n${filler}`, 't.csv:3002: expected a CSV record, got "\\"a\\" b,c" ('],
      ['en,de\n"a\nb",c\n', 't.csv:2: expected one line of text in "en", got a line break in it: "a\\nb"'],
      ['en,de\na,b,\n', 't.csv:2: expected 2 columns as in the header, got 3'],
      ['en,de\na\n', 't.csv:2: expected 2 columns as in the header, got 1'],
      ['en,fr\n', 't.csv:1: expected a column "de" in the header, got "en", "fr"'],
      [`en,de\na,b\n${'x'.repeat(100_000)}\n`, 't.csv:3: expected 2 columns as in the header, got 1'],
      [`en,de\n"x"${'y'.repeat(100_000)},b\n`, 't.csv:2: expected a CSV record, got "\\"x\\"yyy'],
    ];
    for (const [content, message] of cases) {
      write({ 't.csv': content });
      expect(await failure(pairs(table('t.csv')))).toContain(message);
    }
  });
});

describe('JSONL', () => {
  test('any strings, other keys are passed over', async () => {
    write({ 't.jsonl.gz': '{"en":"a","de":"\\u00e4","n":[1]}\r\n{"de":"","en":"\\t\u2028"}' });
    expect(await pairs(table('t.jsonl.gz'))).toEqual([
      ['a', 'ä', 1],
      ['\t\u2028', '', 2],
    ]);
  });

  test('what is wrong, and on which line', async () => {
    const good = '{"en":"a","de":"b"}\n';
    const cases: [string, string][] = [
      ['{"en":"a","de":"b"\n', 't.jsonl:1: expected a JSON object, got "{\\"en\\"'],
      [`${good}\n${good}`, 't.jsonl:2: expected a JSON object, got an empty line'],
      [`${good}["a","b"]\n`, 't.jsonl:2: expected a JSON object, got "[\\"a\\"'],
      [`${good}null\n`, 't.jsonl:2: expected a JSON object, got "null"'],
      [`${good}{"en":"a","fr":"b"}\n`, 't.jsonl:2: expected a string under "de", got the keys "en", "fr"'],
      [`${good}{"en":"a","de":7}\n`, 't.jsonl:2: expected a string under "de", got "7"'],
      ['{"en":"a","de":null}\n', 't.jsonl:1: expected a string under "de", got "null"'],
      ['{"en":"a\\nb","de":"c"}\n', 't.jsonl:1: expected one line of text in "en", got a line break in it'],
      [
        '{"en":"a\\u0000","de":"c"}\n',
        't.jsonl:1: expected one line of text in "en", got a NUL character in it',
      ],
      [
        '{"en":"a\\ud83d","de":"c"}\n',
        't.jsonl:1: expected one line of text in "en", got half a surrogate pair',
      ],
    ];
    for (const [content, message] of cases) {
      write({ 't.jsonl': content });
      expect(await failure(pairs(table('t.jsonl')))).toContain(message);
    }
  });
});

describe('formats', () => {
  test('by the name or as given', async () => {
    write({ 't.txt': 'en\tde\na\tb\n', 't.TSV': 'en\tde\na\tb\n' });
    expect(await pairs({ ...table('t.txt'), format: 'tsv' } as CorpusSpec)).toEqual([['a', 'b', 2]]);
    expect(await pairs(table('t.TSV'))).toEqual([['a', 'b', 2]]);
    expect(await failure(pairs(table('t.txt')))).toContain('expected a name ending in .tsv, .csv or .jsonl');
    expect(await failure(pairs(table('-')))).toContain('standard input: expected a name ending in');
  });
});

describe('standard input', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.resetModules();
  });

  /** The module with a fresh standard input that holds this. */
  async function withInput(...chunks: (string | Uint8Array)[]) {
    vi.resetModules();
    const stdin = Readable.from(
      chunks.map((chunk) => Buffer.from(chunk)),
      { objectMode: false },
    );
    vi.spyOn(process, 'stdin', 'get').mockReturnValue(stdin as unknown as typeof process.stdin);
    const corpus = await import('../../src/text/corpus.js');
    const { keepStandardInput } = await import('../../src/text/stdin.js');
    return { ...corpus, keepStandardInput };
  }

  test('as lines, plain or gzipped', async () => {
    const plain = await withInput('a\n', '\n', 'ä', '\nb');
    expect(await collect(plain.readLines('-'))).toEqual(['a', '', 'ä', 'b']);
    const packed = gzipSync('a\nb\n');
    const zipped = await withInput(packed.subarray(0, 1), packed.subarray(1, 9), packed.subarray(9));
    expect(await collect(zipped.readLines('-'))).toEqual(['a', 'b']);
    const empty = await withInput();
    expect(await collect(empty.readLines('-'))).toEqual([]);
  });

  test('as one side of a corpus, and as a table', async () => {
    write({ 'a.en': 'one\ntwo\n' });
    const side = await withInput('eins\nzwei\n');
    const read = await collect(side.readPairs({ source: 'a.en', target: '-' }, folder));
    expect(read.map((pair) => pair.target)).toEqual(['eins', 'zwei']);
    const tsv = await withInput('en\tde\na\tb\n');
    expect(await collect(tsv.readPairs({ ...table('-'), format: 'tsv' } as CorpusSpec, folder))).toHaveLength(
      1,
    );
  });

  test('is named in errors', async () => {
    const { readLines: read } = await withInput('a\n\0');
    await expect(collect(read('-'))).rejects.toThrow('standard input:2: expected text, got a NUL');
  });

  test('once only, unless it is kept', async () => {
    const once = await withInput('a\n');
    await collect(once.readLines('-'));
    await expect(collect(once.readLines('-'))).rejects.toThrow(
      'standard input: expected one reader, got a second',
    );
    await expect(collect(once.readPairs({ source: '-', target: '-' }, folder))).rejects.toThrow(
      'got it for both',
    );
    const kept = await withInput('a\nb\n');
    await kept.keepStandardInput();
    expect(await collect(kept.readLines('-'))).toEqual(['a', 'b']);
    expect(await collect(kept.readLines('-'))).toEqual(['a', 'b']);
  });
});
