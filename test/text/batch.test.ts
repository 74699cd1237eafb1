import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../src/random.js';
import { type BatchSpec, collate, makeBatches, padIds } from '../../src/text/batch.js';
import { EncodedCorpus } from '../../src/text/encoded.js';
import { EOS, PAD } from '../../src/text/vocabulary.js';

/** A corpus of sentences of these lengths; every id is the sentence's position plus 4. */
function corpusOf(lengths: readonly (readonly [number, number])[]): EncodedCorpus {
  const corpus = new EncodedCorpus({ source: 10_000, target: 10_000 });
  lengths.forEach(([source, target], i) => {
    corpus.push(new Int32Array(source).fill(i + 4), new Int32Array(target).fill(i + 4));
  });
  return corpus;
}

const length = fc.integer({ min: 1, max: 30 });
const lengths = fc.array(fc.tuple(length, length), { maxLength: 200 });
const spec: fc.Arbitrary<BatchSpec> = fc.record({
  by: fc.constantFrom('sentences' as const, 'tokens' as const),
  size: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 5 })),
});

describe('padIds', () => {
  test('rows end in EOS and are filled with PAD', () => {
    const padded = padIds([[7, 8, 9], [], Int32Array.of(5)]);
    expect([...padded.ids]).toEqual([7, 8, 9, EOS, EOS, PAD, PAD, PAD, 5, EOS, PAD, PAD]);
    expect([...padded.lengths]).toEqual([4, 1, 2]);
    expect([padded.rows, padded.time]).toEqual([3, 4]);
  });

  test('no rows', () => {
    expect(padIds([])).toEqual({ ids: new Int32Array(0), lengths: new Int32Array(0), rows: 0, time: 0 });
  });
});

describe('makeBatches', () => {
  test('each position exactly once, in no empty batch', () => {
    fc.assert(
      fc.property(lengths, spec, fc.option(fc.integer()), (ls, s, seed) => {
        const batches = makeBatches(corpusOf(ls), s, seed === null ? null : new Random(seed));
        const positions = batches.flatMap((batch) => [...batch]).sort((a, b) => a - b);
        expect(positions).toEqual(ls.map((_, i) => i));
        expect(batches.every((batch) => batch.length > 0)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test('no batch is larger than it may be', () => {
    fc.assert(
      fc.property(lengths, spec, fc.integer(), (ls, s, seed) => {
        const corpus = corpusOf(ls);
        for (const batch of makeBatches(corpus, s, new Random(seed))) {
          const { source, target } = collate(corpus, batch);
          if (s.by === 'sentences') expect(batch.length).toBeLessThanOrEqual(s.size);
          else if (batch.length > 1) {
            expect(source.rows * source.time).toBeLessThanOrEqual(s.size);
            expect(target.rows * target.time).toBeLessThanOrEqual(s.size);
          }
        }
      }),
    );
  });

  test('the seed decides, and epochs differ', () => {
    const corpus = corpusOf(Array.from({ length: 500 }, (_, i) => [1 + (i % 7), 1 + (i % 11)] as const));
    const s = { by: 'sentences', size: 8 } as const;
    const random = new Random(3);
    const first = makeBatches(corpus, s, random);
    expect(makeBatches(corpus, s, new Random(3))).toEqual(first);
    expect(makeBatches(corpus, s, random)).not.toEqual(first);
    expect(makeBatches(corpus, s, new Random(4))).not.toEqual(first);
    expect(makeBatches(corpus, s, null)).toEqual(makeBatches(corpus, s, null));
  });

  test('without a generator the shortest come first', () => {
    const corpus = corpusOf([
      [5, 1],
      [2, 9],
      [2, 3],
      [1, 1],
    ]);
    expect(makeBatches(corpus, { by: 'sentences', size: 3 }, null)).toEqual([
      Int32Array.of(3, 2, 0),
      Int32Array.of(1),
    ]);
  });

  test('sentences of similar length are together: few pads', () => {
    const random = new Random(1);
    const corpus = corpusOf(
      Array.from({ length: 6400 }, () => {
        const n = 5 + random.integer(30);
        return [n, Math.max(1, n + random.integer(5) - 2)] as const;
      }),
    );
    for (const s of [{ by: 'sentences', size: 32 } as const, { by: 'tokens', size: 600 } as const]) {
      let real = 0;
      let padded = 0;
      for (const batch of makeBatches(corpus, s, new Random(2))) {
        const { target, targetTokens } = collate(corpus, batch);
        real += targetTokens;
        padded += target.rows * target.time;
      }
      expect(1 - real / padded).toBeLessThan(0.1);
    }
  });

  test('batches of tokens are full', () => {
    const corpus = corpusOf(Array.from({ length: 2000 }, (_, i) => [1 + (i % 20), 1 + (i % 20)] as const));
    const batches = makeBatches(corpus, { by: 'tokens', size: 400 }, new Random(1));
    const tokens = batches.map((batch) => collate(corpus, batch).targetTokens);
    expect(tokens.reduce((a, b) => a + b) / tokens.length).toBeGreaterThan(350);
  });

  test('a size of nothing is an error', () => {
    expect(() => makeBatches(corpusOf([]), { by: 'tokens', size: 0 }, null)).toThrow(
      'expected a batch size of 1',
    );
  });
});

test('collate puts the sentences of the positions into rows', () => {
  const corpus = corpusOf([
    [1, 2],
    [3, 1],
  ]);
  const batch = collate(corpus, Int32Array.of(1, 0));
  expect([...batch.source.ids]).toEqual([5, 5, 5, EOS, 4, EOS, PAD, PAD]);
  expect([...batch.target.ids]).toEqual([5, EOS, PAD, 4, 4, EOS]);
  expect(batch.targetTokens).toBe(5);
  expect([...batch.indices]).toEqual([1, 0]);
});
