import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type NBestEntry, nbestFormat, readNBest, type SourcedList } from '../../src/search/nbest.js';
import { defaultWeights, type FeatureFunction, rerank, rerankStream } from '../../src/search/rerank.js';
import { parseWeights, requireKnownFeatures } from '../../src/search/weights.js';
import { formatWeightsFile, parseWeightsFile, type WeightsFile } from '../../src/search/weights-file.js';

function entry(
  text: string,
  features: Record<string, number[]> = {},
  total: number | null = null,
): NBestEntry {
  return { text, features: new Map(Object.entries(features)), total, rest: {} };
}

function list(entries: NBestEntry[], id = 0, source = 'src'): SourcedList {
  return { id, source, entries, where: `list:${id + 1}` };
}

const characters: FeatureFunction = {
  name: 'characters',
  defaultWeight: 1,
  compute: (pairs) => pairs.map(({ target }) => target.length),
};

describe('reranking', () => {
  it('orders by the weighted sum, keeps the order of equal ones, and every hypothesis', async () => {
    const value = fc.integer({ min: -3, max: 3 });
    const lists = fc.array(fc.array(fc.tuple(value, value, value), { maxLength: 6 }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(lists, fc.tuple(value, value, value, value), async (groups, [wa, wb, wt, wc]) => {
        const given = groups.map((g, i) =>
          list(
            g.map(([a, b, t], k) => entry(`${'x'.repeat(k % 3)}`, { a: [a], b: [0, b] }, t)),
            i,
          ),
        );
        const got = await rerank(given, [characters], { a: wa, 'b.1': wb, total: wt, characters: wc });
        got.forEach((g, i) => {
          const want = given[i]!.entries.map((e, k) => ({
            k,
            e,
            s:
              wa * e.features.get('a')![0]! +
              wb * e.features.get('b')![1]! +
              wt * e.total! +
              wc * e.text.length,
          })).sort((x, y) => y.s - x.s || x.k - y.k);
          expect(g.entries.map((e) => e.total! + 0)).toEqual(want.map((w) => w.s + 0));
          g.entries.forEach((e, k) => {
            expect(e.text).toBe(want[k]!.e.text);
            expect([...e.features.keys()]).toEqual(['a', 'b', 'total', 'characters']);
            expect(e.features.get('b')).toEqual(want[k]!.e.features.get('b'));
            expect(e.features.get('total')).toEqual([want[k]!.e.total]);
          });
        });
      }),
    );
  });

  it('of a list that was reranked before keeps the total it had at first', async () => {
    const given = [list([entry('x', { lm: [9] }, 5), entry('xxx', { lm: [1] }, 1)])];
    const once = await rerank(given, [], { lm: -1 });
    expect(once[0]!.entries.map((e) => [e.total, e.features.get('total')])).toEqual([
      [-1, [1]],
      [-9, [5]],
    ]);
    const twice = await rerank(once, [], { total: 1 });
    expect(twice[0]!.entries.map((e) => [e.text, e.total, e.features.get('total')])).toEqual([
      ['x', 5, [5]],
      ['xxx', 1, [1]],
    ]);
    for (const format of ['moses', 'jsonl', 'tsv'] as const) {
      const lines = nbestFormat(format).writer()(twice[0]!);
      for await (const { entries } of readNBest(lines, { format, file: 'list' })) {
        expect(entries.map((e) => [e.total, Object.fromEntries(e.features)])).toEqual(
          twice[0]!.entries.map((e) => [e.total, Object.fromEntries(e.features)]),
        );
      }
    }
  });

  it('without weights counts what was computed, by default', async () => {
    const given = [list([entry('x', { lm: [9] }, 5), entry('xxx', { lm: [1] }, 1)])];
    expect(defaultWeights([characters])).toEqual({ characters: 1 });
    expect((await rerank(given, [characters]))[0]!.entries.map((e) => e.text)).toEqual(['xxx', 'x']);
  });

  it.each<[Record<string, number>, RegExp]>([
    [
      { lmm: 1 },
      /^list:1: hypothesis 1 of sentence 0: expected a feature "lmm".* there are lm, tm.0, tm.1, total, characters$/,
    ],
    [{ tm: 1 }, /expected a feature "tm"/],
    [{ 'tm.2': 1 }, /expected a feature "tm.2"/],
    [{ 'lm.0': 1 }, /expected a feature "lm.0"/],
    [{ rare: 1 }, /hypothesis 2 of sentence 0: expected a feature "rare"/],
    [{ lm: Number.NaN }, /expected a finite weight of "lm", got NaN/],
  ])('weights %j are an error that lists the choices', async (weights, message) => {
    const given = [
      list([
        entry('x', 'rare' in weights ? { rare: [1] } : { lm: [9], tm: [1, 2] }, 5),
        entry('y', { lm: [1], tm: [1, 2] }, 1),
      ]),
    ];
    await expect(rerank(given, [characters], weights)).rejects.toThrow(message);
  });

  it('refuses two features of one name, and features that return too few values', async () => {
    await expect(rerank([], [characters, characters])).rejects.toThrow(
      /different names, got "characters" twice/,
    );
    const short: FeatureFunction = { name: 'short', defaultWeight: 1, compute: () => [] };
    await expect(rerank([list([entry('x')])], [short])).rejects.toThrow(
      /expected 1 values of feature short, got 0/,
    );
  });

  it('takes lists without hypotheses', async () => {
    expect(
      (await rerank([list([]), list([entry('a')], 1)], [characters])).map((l) => l.entries.length),
    ).toEqual([0, 1]);
  });

  it('computes long inputs in pieces and loses nothing', async () => {
    const sizes: number[] = [];
    const watching: FeatureFunction = {
      ...characters,
      compute: (pairs) => {
        sizes.push(pairs.length);
        return pairs.map(({ source, target }) => Number(source) * 10 + target.length);
      },
    };
    const given = Array.from({ length: 900 }, (_, i) =>
      list([entry('x'), entry('xx'), entry('')], i, String(i)),
    );
    const got = await rerank(given, [watching]);
    expect(got.map((l) => l.entries.map((e) => e.total))).toEqual(
      given.map((_, i) => [i * 10 + 2, i * 10 + 1, i * 10]),
    );
    expect(Math.max(...sizes)).toBeLessThan(2700);
  });
});

describe('weights by hand', () => {
  it('are read', () => {
    expect(parseWeights('model=1, F0=-0.5,tm.1=2e-3')).toEqual({ model: 1, F0: -0.5, 'tm.1': 0.002 });
  });

  it.each([['model'], ['model=x'], [''], ['a=1,a=2'], ['=1'], ['a=1,,b=2']])('%j is refused', (text) => {
    expect(() => parseWeights(text)).toThrow(/expected/);
  });
});

describe('unbounded lists', () => {
  it('are read no further ahead than one round of scoring', async () => {
    let given = 0;
    // A stream without an end: whoever collected it would never answer.
    function* endless(): Generator<SourcedList> {
      for (let id = 0; ; id++) {
        given++;
        yield list([entry('x'), entry('xx')], id);
      }
    }
    let taken = 0;
    for await (const { entries } of rerankStream(endless(), [characters])) {
      expect(entries[0]!.text).toBe('xx');
      expect(given - taken).toBeLessThanOrEqual(1024);
      if (++taken === 4_000) break;
    }
  });

  it('without features to compute are read list by list', async () => {
    let given = 0;
    function* endless(): Generator<SourcedList> {
      for (let id = 0; ; id++) {
        given++;
        yield list([entry('a', { lm: [id] })], id);
      }
    }
    for await (const { id } of rerankStream(endless(), [], { lm: 1 })) {
      expect(given).toBe(id + 1);
      if (id === 100) break;
    }
  });
});

describe('weights of a file', () => {
  it('name features of which they have none', () => {
    const given = list(
      [entry('x', { lm: [1], tm: [1, 2] }), entry('y', { lm: [1], tm: [1, 2], new: [3] })],
      4,
    );
    const names = ['lm', 'tm.0', 'tm.1'];
    expect(() => requireKnownFeatures(given, new Set([...names, 'new']), 'w.yaml')).not.toThrow();
    expect(() => requireKnownFeatures(given, new Set(names), 'w.yaml')).toThrow(
      /^list:5: hypothesis 2 of sentence 4: expected only features that have a weight in w.yaml .* got "new" besides/,
    );
  });

  it('of 0 need no feature', async () => {
    const given = [list([entry('x', { lm: [1] }), entry('y', { lm: [2] })])];
    const [got] = await rerank(given, [], { lm: 1, reverse: 0 });
    expect(got!.entries.map(({ text }) => text)).toEqual(['y', 'x']);
  });

  it('come back from the file as they were', () => {
    const file: WeightsFile = {
      objective: 'BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:dragoman-0.1.0',
      development: { sentences: 3, candidates: 30, before: 20.5, after: 21.25, oracle: 30 },
      command: "dragoman rerank tune 'my model' --nbest a.txt",
      weights: { model: 0.5, 'tm.0': -0.25, 'model-per-token': 1e-7, 'no: "yaml" #trick': 0 },
    };
    expect(parseWeightsFile(formatWeightsFile(file), 'w.yaml')).toEqual(file);
    expect(parseWeightsFile('weights: { a: 1 }', 'w.yaml')).toEqual({ weights: { a: 1 } });
  });

  it.each([
    ['weights:\n  model: high\n', /^w.yaml:2:10: weights.model: expected a weights file .*expected number/],
    ['weights: {}\nwieghts: {}\n', /^w.yaml:2:10: wieghts: .*unknown key "wieghts"/],
    ['objective: x\n', /^w.yaml:1:1: weights: expected a weights file/],
    ['weights: {a: .nan}\n', /^w.yaml:1:14: weights.a: /],
    ['weights: {a: 1\n', /^w.yaml:\d+:\d+: not a YAML file/],
    ['', /^w.yaml:1:1: expected a weights file/],
  ])('%j is an error with its place', (text, message) => {
    expect(() => parseWeightsFile(text, 'w.yaml')).toThrow(message);
  });
});
