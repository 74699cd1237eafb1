import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BpeSegmenter } from '../../src/subword/bpe.js';
import { normalizerSpec, PIECE_TYPES, type SubwordModel, trainerSpec } from '../../src/subword/model.js';
import { PieceTable } from '../../src/subword/piece-table.js';
import { UnigramSegmenter } from '../../src/subword/unigram.js';
import { encodeUtf8 } from '../../src/subword/utf8.js';
import { WordByWord } from '../../src/subword/word-by-word.js';
import { ABSENT, WordCache } from '../../src/subword/word-cache.js';
import { smallModel } from './small-models.js';

describe('word cache', () => {
  // Words of one byte to three: few enough that they come again.
  const word = fc.uint8Array({ min: 1, max: 4, minLength: 1, maxLength: 3 });

  it('gives back what was added last, or nothing, within its limits', () => {
    const limits = { words: 7, bytes: 12, pieces: 9 };
    fc.assert(
      fc.property(fc.array(word, { maxLength: 60 }), (words) => {
        const cache = new WordCache(limits);
        for (const bytes of words) {
          const ids = [...bytes, 9].slice(0, 3); // what it is remembered by: anything that depends on it
          const ends = ids.map((_, i) => i + 1);
          const padded = Uint8Array.of(8, ...bytes, 8);
          let entry = cache.find(padded, 1, 1 + bytes.length);
          if (entry === ABSENT) {
            cache.add(padded, 1, 1 + bytes.length, ids, ends);
            entry = cache.find(bytes, 0, bytes.length);
          }
          const found: number[][] = [[], []];
          expect(cache.read(entry, 100, found[0]!, found[1]!)).toBe(ids.length);
          expect(found).toEqual([ids, ends.map((end) => 100 + end)]);
          expect(cache.size).toBeLessThanOrEqual(limits.words);
        }
      }),
    );
  });

  it('does not keep a word that is larger than all of it', () => {
    const cache = new WordCache({ words: 4, bytes: 3, pieces: 4 });
    const long = Uint8Array.of(1, 2, 3, 4);
    cache.add(long, 0, 4, [1], [4]);
    expect(cache.find(long, 0, 4)).toBe(ABSENT);
    expect(cache.size).toBe(0);
  });
});

describe('word by word', () => {
  const models = (['unigram', 'bpe'] as const).map((type) => smallModel({ type, normalization: 'identity' }));
  /** Texts of the model's own pieces and of characters it does not know, with words that come again. */
  const textOf = (model: SubwordModel) => {
    const pieces = model.pieces.filter(({ type }) => type === PIECE_TYPES.normal).map(({ piece }) => piece);
    const part = fc.oneof(fc.constantFrom(...pieces), fc.constantFrom('▁', '漢', '🎉', 'a', 'aa', '▁the'));
    return fc.array(part, { maxLength: 40 }).map((parts) => parts.join(''));
  };

  it.each(models.map((model) => [model.trainer.modelType, model] as const))(
    '%s: the same as the whole text',
    (type, model) => {
      const table = new PieceTable(model);
      expect(WordByWord.suits(table)).toBe(true);
      const whole = type === 'bpe' ? new BpeSegmenter(table) : new UnigramSegmenter(table);
      const cached = new WordByWord(whole);
      fc.assert(
        fc.property(textOf(model), (text) => {
          const bytes = encodeUtf8(text);
          expect(cached.best(bytes)).toEqual(whole.best(bytes));
        }),
        { numRuns: 1500 },
      );
      // Beyond mostPieces of a unigram model, and a word beyond its limit.
      for (const text of ['▁the▁cat'.repeat(300), `▁${'the'.repeat(40)}▁a`]) {
        expect(cached.best(encodeUtf8(text))).toEqual(whole.best(encodeUtf8(text)));
      }
    },
  );

  /** Pieces with scores, beside the unknown one. */
  const modelOf = (scores: Readonly<Record<string, number>>, type: number = PIECE_TYPES.normal) => ({
    pieces: [
      { piece: '<unk>', score: 0, type: PIECE_TYPES.unknown },
      ...Object.entries(scores).map(([piece, score]) => ({
        piece,
        score: Math.fround(score),
        type: piece.length === 1 ? PIECE_TYPES.normal : type,
      })),
    ] as SubwordModel['pieces'],
    trainer: trainerSpec({ modelType: 'unigram' }),
    normalizer: normalizerSpec({}),
    denormalizer: null,
  });

  it('does not promise a word whose best paths are as good as equal', () => {
    // aaa is aa a or a aa, of equal score: rounding of what comes before decides. ab is one piece, far ahead.
    const model = modelOf({ '▁': -3, a: -2.1, aa: -3.7, b: -4, ab: -4.5 });
    const unigram = new UnigramSegmenter(new PieceTable(model));
    expect(unigram.bestOfWord(encodeUtf8('▁aaa'))).toBeNull();
    expect(unigram.bestOfWord(encodeUtf8('▁ab'))).not.toBeNull();
    const cached = new WordByWord(unigram);
    for (let n = 0; n < 50; n++) {
      const bytes = encodeUtf8(`${'▁b'.repeat(n)}▁aaa▁ab▁aaaaaa`);
      expect(cached.best(bytes)).toEqual(unigram.best(bytes));
    }
  });

  it('suits only models whose pieces keep to words', () => {
    const suits = (model: SubwordModel): boolean => WordByWord.suits(new PieceTable(model));
    expect(suits(modelOf({ '▁': -1, a: -1, '▁a': -2 }))).toBe(true);
    expect(suits(modelOf({ a: -1, '▁a': -2 }))).toBe(false);
    expect(suits(modelOf({ '▁': -1, a: -1, 'a▁': -2 }))).toBe(false);
    expect(suits(modelOf({ '▁': -1, a: -1, '▁a▁': -2 }))).toBe(false);
    expect(suits(modelOf({ '▁': -1, a: -1, aa: -2 }, PIECE_TYPES.unused))).toBe(false);
  });
});
