import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../src/random.js';
import { CharacterTokenizer } from '../../src/text/character.js';
import { TextCodec } from '../../src/text/codec.js';
import type { SentencePair } from '../../src/text/corpus.js';
import { EncodedCorpus, encodeCorpus } from '../../src/text/encoded.js';
import { Overflow } from '../../src/text/overflow.js';
import { Vocabulary } from '../../src/text/vocabulary.js';
import { fingerprint } from '../../src/train/resume.js';

const codec = new TextCodec(new CharacterTokenizer({ lowercase: false }), Vocabulary.of(['a', 'b', 'c']));
const codecs = { source: codec, target: codec };

async function* pairsOf(...texts: [string, string][]): AsyncGenerator<SentencePair> {
  for (const [i, [source, target]] of texts.entries()) yield { source, target, line: i + 1 };
}

const corpusFolders = () => readdirSync(tmpdir()).filter((name) => name.startsWith('dragoman-corpus-'));

describe('EncodedCorpus', () => {
  test.each([10, 65_536, 65_537, 2_000_000])('gives back what it was given, ids below %i', (size) => {
    const ids = fc.array(fc.integer({ min: 0, max: size - 1 }), { maxLength: 8 });
    fc.assert(
      fc.property(fc.array(fc.tuple(ids, ids), { maxLength: 20 }), (pairs) => {
        const corpus = new EncodedCorpus({ source: size, target: size });
        pairs.forEach(([source, target], i) => {
          corpus.push(source, target, 2 * i + 1);
        });
        expect(corpus.length).toBe(pairs.length);
        pairs.forEach(([source, target], i) => {
          expect([...corpus.source(i)]).toEqual(source);
          expect([...corpus.target(i)]).toEqual(target);
          expect([corpus.sourceLength(i), corpus.targetLength(i)]).toEqual([source.length, target.length]);
          expect(corpus.line(i)).toBe(2 * i + 1);
        });
        expect(corpus.targetTokens).toBe(pairs.reduce((sum, [, target]) => sum + target.length, 0));
      }),
      { numRuns: 50 },
    );
  });

  test('sentences across blocks, and the memory they take', () => {
    const corpus = new EncodedCorpus({ source: 8000, target: 8000 });
    const n = 20_000;
    const source = (i: number) => Int32Array.from({ length: i % 23 }, (_, t) => (i * 7 + t) % 8000);
    const target = (i: number) => Int32Array.from({ length: i % 29 }, (_, t) => (i * 5 + t) % 8000);
    for (let i = 0; i < n; i++) corpus.push(source(i), target(i));
    for (let i = 0; i < n; i += 1 + (i % 3)) {
      if (`${corpus.source(i)}|${corpus.target(i)}` !== `${source(i)}|${target(i)}`)
        throw new Error(`pair ${i}`);
    }
    const tokens = corpus.sourceTokens + corpus.targetTokens;
    // 2 bytes a token, 20 a pair, and at most one block of each kind not full.
    expect(corpus.bytes).toBeLessThan(2 * tokens + 20 * n + 2 ** 16 * (2 + 2 + 8 + 8 + 4));
  });

  test('what is beyond the limit is in a file, which is removed', () => {
    const before = new Set(corpusFolders());
    const small = new Overflow(300_000);
    const [kept, spilled] = [undefined, small].map(
      (overflow) => new EncodedCorpus({ source: 8000, target: 70_000 }, overflow),
    ) as [EncodedCorpus, EncodedCorpus];
    const random = new Random(3);
    const sentence = (size: number) =>
      Int32Array.from({ length: random.integer(40) }, () => random.integer(size));
    for (let i = 0; i < 20_000; i++) {
      const [source, target] = [sentence(8000), sentence(70_000)];
      for (const corpus of [kept, spilled]) corpus.push(source, target);
    }
    // 800,000 tokens: 12 blocks of either side, of 131,072 and 262,144 bytes.
    expect(small.size).toBeGreaterThan(1_000_000);
    expect(spilled.bytes).toBeLessThan(kept.bytes - 1_000_000);
    expect(corpusFolders().filter((name) => !before.has(name))).toHaveLength(1);
    expect(fingerprint(spilled)).toBe(fingerprint(kept));
    for (let n = 0; n < 2000; n++) {
      const i = random.integer(20_000);
      const [ours, theirs] = [spilled, kept].map((c) => `${c.source(i)}|${c.target(i)}`);
      if (ours !== theirs) throw new Error(`pair ${i}: ${ours} for ${theirs}`);
    }
    spilled.dispose();
    expect(corpusFolders().filter((name) => !before.has(name))).toEqual([]);
  });

  test('a sentence longer than a block', () => {
    const corpus = new EncodedCorpus({ source: 100, target: 100 });
    const long = Int32Array.from({ length: 700_001 }, (_, i) => i % 97);
    corpus.push([1], [2]);
    corpus.push(long, [3]);
    expect(Buffer.from(corpus.source(1).buffer).equals(Buffer.from(long.buffer))).toBe(true);
  });
});

describe('encodeCorpus', () => {
  test('drops and counts what is empty or too long, and keeps the rest in order', async () => {
    const pairs = pairsOf(
      ['ab', 'c'],
      ['', 'a'],
      ['a', ''],
      ['abca', 'a'],
      ['a', 'abca'],
      ['abc', 'xaa'],
      ['', ''],
    );
    const corpus = await encodeCorpus(pairs, codecs, { maxLength: 3 });
    expect(corpus.dropped).toEqual({ empty: 3, tooLong: 2 });
    const rows = Array.from({ length: corpus.length }, (_, i) => [
      [...corpus.source(i)],
      [...corpus.target(i)],
      corpus.line(i),
    ]);
    expect(rows).toEqual([
      [[4, 5], [6], 1],
      [[4, 5, 6], [1, 4, 4], 6],
    ]);
  });

  test('keeps empty ones on request', async () => {
    const corpus = await encodeCorpus(pairsOf(['', ''], ['a', 'bbbb']), codecs, {
      maxLength: 3,
      keepEmpty: true,
    });
    expect(corpus.length).toBe(1);
    expect(corpus.source(0)).toHaveLength(0);
    expect(corpus.dropped).toEqual({ empty: 0, tooLong: 1 });
  });

  test('nothing left is an error', async () => {
    await expect(encodeCorpus(pairsOf(), codecs, { maxLength: 3, name: 'train.tsv' })).rejects.toThrow(
      'train.tsv: expected at least one sentence pair of 1 to 3 tokens a side, got none',
    );
    await expect(encodeCorpus(pairsOf(['', 'a'], ['aaaa', 'a']), codecs, { maxLength: 3 })).rejects.toThrow(
      'got 1 with an empty side and 1 longer than that',
    );
  });
});
