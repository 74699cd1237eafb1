import { PassThrough } from 'node:stream';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from '../../src/engine/engine.js';
import { lengthFeature, modelFeature, reverseFeature } from '../../src/search/features.js';
import { TRANSLATION_FORMATS, translationFormatter } from '../../src/search/format.js';
import { readNBest, withSources } from '../../src/search/nbest.js';
import { rerank } from '../../src/search/rerank.js';
import { ScoreSummary } from '../../src/search/scorer.js';
import { type TranslateOptions, Translator } from '../../src/search/translator.js';
import { letterCodec, wordCodec } from './codecs.js';
import { TableModel } from './table-model.js';

const LETTERS = 'abcdefgh';
let translator: Translator;
let model: TableModel;
let disposals = 0;

beforeAll(async () => {
  await startEngine();
  const codec = await letterCodec(LETTERS);
  model = new TableModel({ targetSize: codec.vocabulary.size, seed: 4, endSlope: 0.2 });
  translator = new Translator({ source: codec, target: codec, model, dispose: () => void disposals++ });
});

afterAll(() => {
  translator.dispose();
});

async function* linesOf(input: PassThrough): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of input) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    yield* lines;
  }
}

const line = fc.stringMatching(/^[a-hz ]{0,7}$/);

describe('Translator.translate', () => {
  it('gives line i for line i, whatever the batch size, look-ahead and neighbours', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 12 }), async (lines) => {
        const options: TranslateOptions = { beam: 3, nbest: 2, alignment: true };
        const want = [];
        for (const one of lines) want.push((await translator.translate([one], options))[0]!);
        for (const cut of [{}, { batchSize: 1 }, { batchSize: 3, lookAhead: 4 }]) {
          const got = await translator.translate(lines, { ...options, ...cut });
          expect(got.map((t) => [t.id, t.source])).toEqual([...lines.entries()]);
          expect(got.map((t) => t.hypotheses.map((h) => [h.text, h.alignment]))).toEqual(
            want.map((t) => t.hypotheses.map((h) => [h.text, h.alignment])),
          );
        }
      }),
      { numRuns: 15 },
    );
  });

  it('samples do not depend on the cut either, only on the line number', async () => {
    const lines = ['abc', '', 'abc', 'hg', 'abc'];
    const options: TranslateOptions = { nbest: 3, sample: { seed: 9 } };
    const texts = async (o: TranslateOptions) =>
      (await translator.translate(lines, o)).map((t) => t.hypotheses.map((h) => h.text));
    const got = await texts(options);
    expect(await texts({ ...options, batchSize: 1 })).toEqual(got);
    expect(await texts({ ...options, lookAhead: 2 })).toEqual(got);
    expect(got[0]).not.toEqual(got[2]);
  });

  it('gives an empty line for an empty one, without asking the model', async () => {
    const before = model.steps;
    const got = await translator.translate(['', '  ', '\t'], { nbest: 2 });
    expect(model.steps).toBe(before);
    expect(got.map((t) => t.text)).toEqual(['', '', '']);
    expect(got[0]!.hypotheses).toMatchObject([{ text: '', score: 0, tokens: [], normalised: 0 }]);
  });

  it('translates a line longer than any batch', async () => {
    const long = 'abcdefgh'.repeat(1200);
    const got = await translator.translate(['ab', long, 'c'], { beam: 1, maxLength: 5 });
    expect(got.map((t) => t.source.length)).toEqual([2, 9600, 1]);
    expect(got[1]!.text).toBe((await translator.translate([long], { beam: 1, maxLength: 5 }))[0]!.text);
  });

  it('refuses options it does not know, naming them', async () => {
    await expect(translator.translate(['a'], { bema: 5 } as TranslateOptions)).rejects.toThrow(/bema/);
    await expect(translator.translate(['a'], { batchSize: 0 })).rejects.toThrow(/batchSize/);
    await expect(translator.translate([], { beam: -1 })).rejects.toThrow(/beam/);
  });

  it('gives a target of characters room for its length', async () => {
    const source = await wordCodec(['a', 'house']);
    const target = await letterCodec(LETTERS);
    const endless = new TableModel({ targetSize: target.vocabulary.size, seed: 1, endBias: -50 });
    const words = new Translator({ source, target, model: endless, dispose: () => {} });
    const [t] = await words.translate(['a house'], { beam: 1 });
    const tokens = source.encode('a house').length;
    expect(t!.hypotheses[0]).toMatchObject({ limited: true });
    expect(t!.hypotheses[0]!.tokens.length).toBe(12 * tokens + 10);
  });

  it('leaks no tensor', async () => {
    const before = tf.memory().numTensors;
    await translator.translate(['abc', 'dd', ''], { nbest: 3 });
    await translator.score([{ source: 'abc', target: 'ab' }]);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('Translator.translateStream', () => {
  it('answers each line of somebody who waits for the answer', async () => {
    const input = new PassThrough();
    const lines = linesOf(input);
    const stream = translator.translateStream(lines, { beam: 2 });
    for (const [i, text] of ['abc', '', 'gh'].entries()) {
      input.write(`${text}\n`);
      const { value } = await stream.next();
      expect(value).toMatchObject({ id: i, source: text });
    }
    input.end();
    expect((await stream.next()).done).toBe(true);
  });

  it('reads no further than its window ahead, and stops reading when the reader stops', async () => {
    let read = 0;
    let closed = false;
    async function* lines() {
      try {
        for (;;) {
          read++;
          yield 'abc';
        }
      } finally {
        closed = true;
      }
    }
    for await (const t of translator.translateStream(lines(), { beam: 1, lookAhead: 7 })) {
      expect(read).toBeLessThanOrEqual(t.id + 8);
      if (t.id === 20) break;
    }
    expect(closed).toBe(true);
  });

  it('passes on an error of its input', async () => {
    async function* lines() {
      yield 'abc';
      throw new Error('disk on fire');
    }
    await expect(async () => {
      for await (const _ of translator.translateStream(lines())) {
      }
    }).rejects.toThrow('disk on fire');
  });

  it('stops while its input is silent', async () => {
    const input = new PassThrough();
    const lines = linesOf(input);
    input.write('abc\n');
    for await (const _ of translator.translateStream(lines, { beam: 1 })) break;
    input.end();
  });
});

describe('Translator.score', () => {
  it('gives what translate gave, to the token', async () => {
    const lines = ['abc', 'h', 'gfedcba'];
    const translations = await translator.translate(lines, { beam: 4, nbest: 4 });
    const pairs = translations.flatMap((t) =>
      t.hypotheses.map((h) => ({ source: t.source, target: h.text, h })),
    );
    // A text is its tokens here, unless a token is unknown.
    const known = pairs.filter(({ target }) => !target.includes('<unk>'));
    const scores = await translator.score(known);
    expect(known.length).toBeGreaterThan(0);
    scores.forEach((s, i) => {
      const { h } = known[i]!;
      expect(s.tokens).toEqual(h.tokens);
      expect(s.score).toBeCloseTo(h.score, 4);
      expect(s.perToken).toBeCloseTo(h.score / (h.tokens.length + 1), 4);
      expect(Array.from(s.tokenScores, (x) => x.toFixed(3))).toEqual(
        Array.from(h.tokenScores, (x) => x.toFixed(3)),
      );
    });
  });

  it('takes empty sides, and sums up a perplexity', async () => {
    const pairs = [
      { source: 'abc', target: '' },
      { source: '', target: 'abc' },
      { source: '', target: '' },
    ];
    const scores = await translator.score(pairs);
    const end = model.logProbabilities([...translator.source.encode('abc'), 3], [2])[3]!;
    expect(scores[0]!.score).toBeCloseTo(end, 5);
    expect(scores.map((s) => s.tokenScores.length)).toEqual([1, 4, 1]);
    const summary = new ScoreSummary();
    for (const s of scores) summary.add(s);
    expect(summary.tokens).toBe(6);
    expect(summary.perplexity).toBeCloseTo(Math.exp(-scores.reduce((sum, s) => sum + s.score, 0) / 6), 6);
    expect(await translator.score([])).toEqual([]);
  });
});

describe('output formats', () => {
  it('text: one line a line', async () => {
    const [t] = await translator.translate(['abc'], { alignment: true });
    const pairs = t!.hypotheses[0]!.alignment!.map(([s, u]) => `${s}-${u}`).join(' ');
    expect(translationFormatter('text')(t!)).toEqual([`${t!.text} ||| ${pairs}`]);
    const [plain] = await translator.translate(['abc']);
    expect(translationFormatter('text')(plain!)).toEqual([plain!.text]);
  });

  it.each(['moses', 'jsonl'] as const)('%s: is an n-best list that can be reranked', async (format) => {
    const lines = ['abc', '', 'gh'];
    const translations = await translator.translate(lines, { nbest: 3, alignment: true });
    const written = translations.flatMap(translationFormatter(format, 3));
    const lists = [];
    for await (const list of withSources(readNBest(written, { format, file: 'x' }), lines)) lists.push(list);
    expect(lists.map((l) => l.entries.map((e) => e.text))).toEqual(
      translations.map((t) => t.hypotheses.map((h) => h.text)),
    );
    lists.forEach((l, i) => {
      l.entries.forEach((e, k) => {
        const h = translations[i]!.hypotheses[k]!;
        expect(e.features.get('score')![0]).toBeCloseTo(h.score, 5);
        expect(e.total).toBeCloseTo(h.normalised ?? h.score, 5);
      });
    });
    // Reranking by the very score the list is ranked by changes nothing.
    const again = await rerank(lists, [modelFeature(translator), lengthFeature(translator)], { total: 1 });
    expect(again.map((l) => l.entries.map((e) => e.text))).toEqual(
      lists.map((l) => l.entries.map((e) => e.text)),
    );
    for (const { entries } of again) {
      for (const e of entries) {
        if (e.text.includes('<unk>') || e.text === '') continue;
        expect(e.features.get('model')![0]).toBeCloseTo(e.features.get('score')![0]!, 3);
      }
    }
  });

  it('refuses what would break the lines, and unknown names', () => {
    expect(() => translationFormatter('text', 5)).toThrow(/jsonl or moses for 5 hypotheses/);
    expect(() => translationFormatter('xml')).toThrow(
      `expected an output format of ${TRANSLATION_FORMATS.join(', ')}`,
    );
  });
});

describe('features of models', () => {
  it('score both directions and count tokens', async () => {
    const pairs = [
      { source: 'abc', target: 'de' },
      { source: '', target: 'h' },
    ];
    const turned = pairs.map(({ source, target }) => ({ source: target, target: source }));
    expect(await modelFeature(translator).compute(pairs)).toEqual(
      (await translator.score(pairs)).map((s) => s.score),
    );
    expect(await reverseFeature(translator).compute(pairs)).toEqual(
      (await translator.score(turned)).map((s) => s.score),
    );
    expect(await lengthFeature(translator).compute(pairs)).toEqual([2, 1]);
  });
});

describe('Translator.dispose', () => {
  it('frees the model once, and says so to later callers', async () => {
    const codec = await letterCodec(LETTERS);
    const own = new Translator({ source: codec, target: codec, model, dispose: () => void disposals++ });
    const before = disposals;
    own.dispose();
    own.dispose();
    expect(disposals).toBe(before + 1);
    await expect(own.translate(['a'])).rejects.toThrow(/after dispose/);
    await expect(own.score([{ source: 'a', target: 'b' }])).rejects.toThrow(/after dispose/);
  });
});
