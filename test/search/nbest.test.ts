import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  NBEST_FORMATS,
  type NBestEntry,
  type NBestFormatName,
  type NBestList,
  nbestFormat,
  nbestFormatOf,
  readNBest,
  withSources,
} from '../../src/search/nbest.js';

async function read(
  lines: string[],
  format: NBestFormatName = 'moses',
  perSource?: number,
): Promise<NBestList[]> {
  const lists: NBestList[] = [];
  for await (const list of readNBest(lines, { format, file: 'list', perSource })) lists.push(list);
  return lists;
}

function write(
  lists: readonly { id: number; entries: readonly NBestEntry[] }[],
  format: NBestFormatName,
): string[] {
  const writer = nbestFormat(format).writer();
  return lists.flatMap((list) => writer(list));
}

const features = (entry: NBestEntry) => Object.fromEntries(entry.features);

describe('Moses n-best lists', () => {
  it('reads what Moses writes: several values a name, alignments after the total', async () => {
    const [list] = await read([
      '0 ||| das haus  ||| LexicalReordering0= -1.2 0 0 Distortion0= 0 LM0= -24.5 ||| -0.75 ||| 0-0 1-1',
    ]);
    const entry = list!.entries[0]!;
    expect(entry.text).toBe('das haus');
    expect(features(entry)).toEqual({ LexicalReordering0: [-1.2, 0, 0], Distortion0: [0], LM0: [-24.5] });
    expect(entry.total).toBe(-0.75);
    expect(entry.rest.moses!.after).toEqual(['0-0 1-1']);
  });

  it('reads what Marian writes: no space after the name, alignment or word scores before the features', async () => {
    const lists = await read([
      '0 ||| ein Haus ||| F0= -1.5 F1= -2 ||| -0.9',
      '0 ||| ein Heim ||| 0-0 1-1 ||| F0=-1.75 ||| -1.1',
      '0 |||  ||| WordScores= -0.5 -1 ||| F0= -1.5 ||| -1.5',
    ]);
    expect(lists.length).toBe(1);
    const [a, b, c] = lists[0]!.entries;
    expect(features(a!)).toEqual({ F0: [-1.5], F1: [-2] });
    expect(features(b!)).toEqual({ F0: [-1.75] });
    expect(b!.rest.moses!.before).toEqual(['0-0 1-1']);
    expect(c!.text).toBe('');
    expect(features(c!)).toEqual({ F0: [-1.5] });
    expect(c!.rest.moses!.before).toEqual(['WordScores= -0.5 -1']);
  });

  it('takes a number before Marian’s features for a soft alignment, not for the total', async () => {
    // src/translator/output_printer.h: id ||| words ||| alignment ||| F0= … ||| score
    const line = '3 |||  ||| 1 ||| F0= -0.25 ||| -0.125';
    const [list] = await read([line]);
    const entry = list!.entries[0]!;
    expect([features(entry), entry.total]).toEqual([{ F0: [-0.25] }, -0.125]);
    expect(entry.rest.moses?.before).toEqual(['1']);
    expect(write([list!], 'moses')).toEqual([line]);
  });

  it('reads names with a colon (older Moses), and lines without features or total', async () => {
    const lists = await read(['3 ||| a b ||| d: 0 -1 lm: -12.5 ||| -3', '4 ||| a', '7 ||| b ||| -2']);
    expect(features(lists[0]!.entries[0]!)).toEqual({ d: [0, -1], lm: [-12.5] });
    expect(lists.map(({ id, entries }) => [id, entries[0]!.text, entries[0]!.total])).toEqual([
      [3, 'a b', -3],
      [4, 'a', null],
      [7, 'b', -2],
    ]);
  });

  it('writes Moses’ and Marian’s own lines back as they were', async () => {
    const lines = [
      '0 ||| das haus ||| LR0= -1.2 0 0.5 LM0= -24.5 ||| -0.75 ||| 0-0 1-1',
      '0 ||| ein ||| 0-0 ||| F0= -1e-7 ||| -0.9',
      '5 |||  ||| F0= -1.5 ||| -1.5',
      '6 ||| ein Haus ||| 0-0 1-1 ||| WordScores= -0.5 -0.25 -0.125 ||| F0= -0.5 F1= -0.375 ||| -0.875',
    ];
    expect(write(await read(lines), 'moses')).toEqual(lines);
  });

  it('keeps a hypothesis that holds the separator in one field', async () => {
    const entry: NBestEntry = { text: 'a ||| b||||', features: new Map([['x', [1]]]), total: 1, rest: {} };
    const lines = write([{ id: 0, entries: [entry] }], 'moses');
    expect(lines[0]!.split('|||').length).toBe(4);
    expect((await read(lines))[0]!.entries[0]!.text).toBe(entry.text);
  });
});

describe('every n-best format', () => {
  const word = fc.stringMatching(/^[a-zäß|0-9]{1,6}$/);
  const text = fc.array(word, { maxLength: 5 }).map((words) => words.join(' '));
  const names = fc.uniqueArray(fc.stringMatching(/^[A-Za-z][A-Za-z0-9_]{0,5}$/), {
    minLength: 1,
    maxLength: 3,
  });
  const score = fc.float({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0 || 0);
  const lists = names
    .filter((all) => !all.some((name) => ['id', 'text', 'total', 'features', '__proto__'].includes(name)))
    .chain((all) => {
      const entry = fc.record({ text, values: fc.tuple(...all.map(() => score)), total: score }).map(
        (e): NBestEntry => ({
          text: e.text,
          features: new Map(all.map((name, i) => [name, [e.values[i]!]])),
          total: e.total,
          rest: {},
        }),
      );
      return fc.array(fc.array(entry, { minLength: 1, maxLength: 3 }), { maxLength: 4 });
    });

  // OpenNMT's lists have no ids and no features; they have tests of their own.
  it.each(NBEST_FORMATS.filter((format) => format !== 'opennmt'))(
    '%s: reads back what it wrote',
    async (format) => {
      await fc.assert(
        fc.asyncProperty(lists, async (groups) => {
          const given = groups.map((entries, i) => ({ id: i * 2, entries }));
          const got = await read(write(given, format), format);
          expect(got.map(({ id, entries }) => [id, entries.map((e) => [e.text, features(e)])])).toEqual(
            given.map(({ id, entries }) => [id, entries.map((e) => [e.text, features(e)])]),
          );
          got.forEach(({ entries }, i) => {
            entries.forEach(({ total }, k) => {
              expect(total).toBeCloseTo(
                given[i]!.entries[k]!.total!,
                4 - Math.log10(Math.max(1, Math.abs(total!))),
              );
            });
          });
        }),
        { numRuns: 60 },
      );
    },
  );

  it.each<[NBestFormatName, string[], RegExp]>([
    ['moses', ['0 ||| a ||| F0= -1 ||| -1', ''], /^list:2: expected a hypothesis, got an empty line/],
    ['moses', ['just text'], /^list:1: expected "id \|\|\| hypothesis/],
    ['moses', ['x ||| a'], /^list:1: expected a sentence id .* got "x"/],
    ['moses', ['-1 ||| a'], /^list:1: expected a sentence id/],
    ['moses', ['0 ||| a ||| F0= abc ||| 1'], /^list:1: expected a finite number as feature "F0", got "abc"/],
    ['moses', ['0 ||| a ||| F0= 1 F0= 2 ||| 1'], /^list:1: expected each feature once, got "F0"/],
    ['moses', ['0 ||| a ||| F0= 1 ||| nan'], /^list:1: expected a finite number as the total, got "nan"/],
    ['moses', ['1 ||| a', '0 ||| a'], /^list:2: expected ids in ascending groups, got 0 after 1/],
    ['moses', ['0 ||| a', '1 ||| a', '0 ||| a'], /^list:3: expected ids in ascending groups/],
    ['jsonl', ['{"id":0,"text":"a"}', '{'], /^list:2: expected a JSON object/],
    ['jsonl', ['[]'], /^list:1: expected a JSON object/],
    ['jsonl', ['{"text":"a"}'], /^list:1: "id": expected a sentence id/],
    ['jsonl', ['{"id":0}'], /^list:1: expected a string as "text", got nothing/],
    ['jsonl', ['{"id":0,"text":"a","features":{"x":"1"}}'], /expected a number as feature "x", got/],
    ['jsonl', ['{"id":0,"hypotheses":{}}'], /^list:1: expected a list as "hypotheses"/],
    ['jsonl', ['{"id":0,"hypotheses":[{"text":"a"},3]}'], /^list:1: "hypotheses"\[1\]: expected an object/],
    ['jsonl', ['{"id":0,"hypotheses":[]}', '{"id":0,"hypotheses":[]}'], /^list:2: expected ids in ascending/],
    ['tsv', ['0\ta\t1'], /^list:1: expected a header with the columns id and text/],
    ['tsv', ['id\ttext\tx\tx'], /^list:1: expected each column once, got "x"/],
    ['tsv', ['id\ttext\tx', '0\ta'], /^list:2: expected 3 columns, got 2/],
    ['tsv', ['id\ttext\tx', '0\ta\t'], /^list:2: expected a finite number as feature "x", got ""/],
  ])('%s: %j is an error with its place', async (format, lines, message) => {
    await expect(read(lines, format)).rejects.toThrow(message);
  });

  it('TSV: every hypothesis must have the same features', () => {
    const entry = (name: string): NBestEntry => ({
      text: '',
      features: new Map([[name, [1]]]),
      total: 1,
      rest: {},
    });
    expect(() => write([{ id: 0, entries: [entry('a'), entry('b')] }], 'tsv')).toThrow(
      /columns id, text, a, total/,
    );
  });

  it('JSONL: takes whole sentences as translate writes them, and single hypotheses', async () => {
    const lists = await read(
      [
        '{"id":0,"source":"x","text":"a","hypotheses":[{"text":"a","score":-1,"total":-2,"tokens":["a"]},{"text":"b","score":-3}]}',
        '{"id":2,"text":"c","lm":-3,"features":{"tm":[1,2]}}',
        '{"id":2,"text":"d","lm":-4}',
      ],
      'jsonl',
    );
    expect(lists.map((l) => [l.id, l.entries.map((e) => [e.text, features(e), e.total])])).toEqual([
      [
        0,
        [
          ['a', { score: [-1] }, -2],
          ['b', { score: [-3] }, null],
        ],
      ],
      [
        2,
        [
          ['c', { lm: [-3], tm: [1, 2] }, null],
          ['d', { lm: [-4] }, null],
        ],
      ],
    ]);
    expect(write(lists, 'jsonl')[0]).toContain('"tokens":["a"]');
  });

  it('is named by the file, or by hand', () => {
    expect([
      nbestFormatOf('a.tsv'),
      nbestFormatOf('b.jsonl.gz'),
      nbestFormatOf('c.nbest'),
      nbestFormatOf('-'),
    ]).toEqual(['tsv', 'jsonl', 'moses', 'moses']);
    expect(() => nbestFormat('toString')).toThrow(
      /expected an n-best format of moses, jsonl, tsv, opennmt, got toString/,
    );
  });
});

describe('OpenNMT n-best lists', () => {
  const py = ['ein Haus\t-0.5', 'ein Heim\t-1.25', '', 'das Haus'];
  const tf = ['-0.500000 ||| ein Haus ||| -0.25 -0.25 ||| 0-0 1-1', '-1.250000 ||| ein Heim'];

  it('OpenNMT-py: so many lines a source line, scores behind a tab or none', async () => {
    const lists = await read(py, 'opennmt', 2);
    expect(lists.map(({ id, entries }) => [id, entries.map(({ text, total }) => [text, total])])).toEqual([
      [
        0,
        [
          ['ein Haus', -0.5],
          ['ein Heim', -1.25],
        ],
      ],
      [
        1,
        [
          ['', null],
          ['das Haus', null],
        ],
      ],
    ]);
    expect(write(lists, 'opennmt')).toEqual(py);
  });

  it('OpenNMT-py: alignments (--report_align), with scores and without', async () => {
    // onmt/translate/translator.py: pred + " ||| " + align, then "\\t" + score
    const lines = [
      'ein Haus ||| 0-0 1-1\t-0.5',
      'das Haus ||| 0-0 1-1\t-0.75',
      ' ||| \t-3',
      '42 ||| 0-0\t-0.125',
    ];
    const lists = await read(lines, 'opennmt', 2);
    expect(lists.flatMap(({ entries }) => entries.map(({ text, total }) => [text, total]))).toEqual([
      ['ein Haus', -0.5],
      ['das Haus', -0.75],
      ['', -3],
      ['42', -0.125],
    ]);
    expect(write(lists, 'opennmt')).toEqual(lines);
    const plain = lines.map((line) => line.slice(0, line.indexOf('\t')));
    expect(write(await read(plain, 'opennmt', 2), 'opennmt')).toEqual(plain);
  });

  it('OpenNMT-tf: scores before the hypothesis, token scores and alignments behind', async () => {
    const lists = await read(tf, 'opennmt', 2);
    expect(lists[0]!.entries.map(({ text, total }) => [text, total])).toEqual([
      ['ein Haus', -0.5],
      ['ein Heim', -1.25],
    ]);
    expect(write(lists, 'opennmt')).toEqual(tf);
  });

  it.each<[string[], number | undefined, RegExp]>([
    [py, undefined, /expected the number of hypotheses a source line for .* opennmt, got none/],
    [py.slice(1), 2, /^list: expected 2 lines for each source line, got 3 lines, of which the last has 1/],
    [
      ['0 ||| a ||| F0= -1 ||| -1'],
      1,
      /^list:1: expected a hypothesis of an OpenNMT list, got a line of a Moses/,
    ],
    [['a\tnan'], 1, /^list:1: expected a finite number as the score, got "nan"/],
  ])('%j, %s a line, is an error', async (lines, perSource, message) => {
    await expect(read(lines, 'opennmt', perSource)).rejects.toThrow(message);
  });

  it('a number of lines is refused where lists have ids', async () => {
    await expect(read(['0 ||| a'], 'moses', 2)).rejects.toThrow(/expected no number of hypotheses .*moses/);
  });
});

describe('JSON lists', () => {
  it('keep what else is said of a sentence, and its text is the first hypothesis', async () => {
    const line =
      '{"id":3,"source":"a house","text":"ein","hypotheses":[{"text":"ein","total":-2,"features":{}},{"text":"Haus","total":-1,"features":{}}]}';
    const [list] = await read([line], 'jsonl');
    expect(JSON.parse(write([list!], 'jsonl')[0]!)).toEqual(JSON.parse(line));
    const turned = { ...list!, entries: list!.entries.toReversed() };
    const { source, text } = JSON.parse(write([turned], 'jsonl')[0]!) as Record<string, unknown>;
    expect([source, text]).toEqual(['a house', 'Haus']);
  });
});

describe('lists beside their sources', () => {
  async function join(lines: string[], sources: string[] | null) {
    const out: [number, string, number][] = [];
    for await (const list of withSources(readNBest(lines, { format: 'moses', file: 'list' }), sources)) {
      out.push([list.id, list.source, list.entries.length]);
    }
    return out;
  }

  it('gives one list a source line, empty where there is none', async () => {
    expect(await join(['1 ||| a', '1 ||| b', '3 ||| c'], ['s0', 's1', 's2', 's3', 's4'])).toEqual([
      [0, 's0', 0],
      [1, 's1', 2],
      [2, 's2', 0],
      [3, 's3', 1],
      [4, 's4', 0],
    ]);
  });

  it('without sources fills the gaps, up to the last id', async () => {
    expect(await join(['1 ||| a', '1 ||| b', '3 ||| c'], null)).toEqual([
      [0, '', 0],
      [1, '', 2],
      [2, '', 0],
      [3, '', 1],
    ]);
  });

  it('refuses an id beyond the last line', async () => {
    await expect(join(['0 ||| a', '2 ||| b'], ['s0', 's1'])).rejects.toThrow(
      /^list:2: expected an id below 2, the number of source lines \(ids count from 0\), got 2/,
    );
  });
});
