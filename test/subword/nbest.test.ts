import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bestPaths, type Edge } from '../../src/subword/best-paths.js';
import { normalizerSpec, PIECE_TYPES, type Piece, trainerSpec } from '../../src/subword/model.js';
import { writeSubwordModel } from '../../src/subword/model-file.js';
import { SubwordProcessor } from '../../src/subword/processor.js';
import { trainSubwordModel } from '../../src/subword/train.js';
import { difficultLines } from './difficult-lines.js';
import { askGoogle, skipWithoutGoogle } from './oracles.js';
import { smallModel } from './small-models.js';

/** A unigram model of these pieces, that changes no text. */
function modelOf(normal: Readonly<Record<string, number>>, symbols: readonly string[] = []) {
  const pieces: Piece[] = [
    { piece: '<unk>', score: 0, type: PIECE_TYPES.unknown },
    ...Object.entries(normal).map(([piece, score]) => ({
      piece,
      score: Math.fround(score),
      type: PIECE_TYPES.normal,
    })),
    ...symbols.map((piece) => ({ piece, score: 0, type: PIECE_TYPES.userDefined })),
  ];
  const trainer = trainerSpec({ modelType: 'unigram', vocabSize: pieces.length });
  const normalizer = normalizerSpec({
    name: 'identity',
    addDummyPrefix: false,
    removeExtraWhitespaces: false,
  });
  return new SubwordProcessor({ pieces, trainer, normalizer, denormalizer: null });
}

// What SentencePiece 0.2.2 (Python) gives for these very models: encode(text, out_type=str), and of the n best
// nbest_encode_as_pieces(text, n) with the scores of nbest_encode_as_serialized_proto(text, n).
describe('like SentencePiece 0.2.2', () => {
  const ties = modelOf({
    a: -1.2716598510742188,
    '😀': -1.3639447689056396,
    aa: -2.264005661010742,
    aaa: -3.718667507171631,
  });

  it('the first of equal paths, equal after rounding to 32 bits, wins', () => {
    expect(ties.encode('😀aaa')).toEqual(['😀', 'a', 'aa']);
  });

  it('gives the n best, with scores', () => {
    expect(ties.nbest('😀aaa', 5)).toEqual([
      { pieces: ['😀', 'a', 'aa'], score: -4.89961051940918 },
      { pieces: ['😀', 'aa', 'a'], score: -4.89961051940918 },
      { pieces: ['😀', 'aaa'], score: -5.082612037658691 },
      { pieces: ['😀', 'a', 'a', 'a'], score: -5.178924560546875 },
    ]);
    expect(ties.nbest('aab', 5)).toEqual([
      { pieces: ['aa', 'b'], score: -15.982673645019531 },
      { pieces: ['a', 'a', 'b'], score: -16.261987686157227 },
    ]);
    expect(ties.nbest('', 3)).toEqual([{ pieces: [], score: 0 }]);
  });

  it('measures user-defined symbols in bytes for the best, in characters for the n best', () => {
    const symbols = modelOf({ a: -1, é: 0.15 }, ['X', 'Xé']);
    expect(symbols.encode('aXéa')).toEqual(['a', 'Xé', 'a']);
    expect(symbols.nbest('aXéa', 4)).toEqual([
      { pieces: ['a', 'X', 'é', 'a'], score: -1.850000023841858 },
      { pieces: ['a', 'Xé', 'a'], score: -1.899999976158142 },
    ]);
  });

  // SentencePieceTrainer.train(model_type='word', vocab_size=100, hard_vocab_limit=False, …) on these lines.
  const lines = Array.from(
    { length: 9 },
    (_, i) => ['the cat <sep> sat x<sep>y', 'a b c the <sep>the the', '1 12 the<sep>'][i % 3]!,
  );
  const words = { modelType: 'word', vocabSize: 100, hardVocabLimit: false } as const;

  it('models of words have user-defined symbols with and without a space', async () => {
    const { pieces } = await trainSubwordModel(lines, { ...words, userDefinedSymbols: ['<sep>', '▁z'] });
    expect(pieces.map(({ piece }) => piece).join(' ')).toBe(
      '<unk> <s> </s> <sep> ▁<sep> ▁z ▁the ▁1 ▁12 ▁a ▁b ▁c ▁sat',
    );
  });

  it('a word that is the name of a control piece is that piece', async () => {
    const plain = await trainSubwordModel(lines, { ...words, addDummyPrefix: false });
    expect(new SubwordProcessor(plain).encode('<s> the q')).toEqual(['<s>', '▁the', '▁q']);
    const prefixed = await trainSubwordModel(lines, words);
    expect(new SubwordProcessor(prefixed).encode('<s> the q')).toEqual(['▁<s>', '▁the', '▁q']);
  });

  it.each([{}, { byteFallback: true }])(
    'the first of several is the best, on difficult lines: %j',
    (kind) => {
      const model = smallModel({ type: 'unigram', normalization: 'identity', ...kind });
      const processor = new SubwordProcessor(model);
      for (const line of difficultLines(300, 4)) {
        const [best] = processor.nbest(line.slice(0, 60), 2);
        expect(best!.pieces).toEqual(processor.encode(line.slice(0, 60)));
      }
    },
  );

  it('is asked itself, where it is there', (context) => {
    skipWithoutGoogle(context);
    const model = smallModel({
      type: 'unigram',
      normalization: 'nmt_nfkc',
      userDefined: ['ab', 'abc', 'the'],
    });
    const processor = new SubwordProcessor(model);
    const texts = difficultLines(300, 4).map((line) => line.toWellFormed().replaceAll('\0', '').slice(0, 80));
    const answer = askGoogle<string[][][]>(
      `p = sp.SentencePieceProcessor(model_proto=base64.b64decode(job['model']))
answer = [p.nbest_encode_as_pieces(t, 20) for t in job['texts']]`,
      { model: Buffer.from(writeSubwordModel(model)).toString('base64'), texts },
    );
    for (const [i, text] of texts.entries()) {
      expect(
        processor.nbest(text, 20).map(({ pieces }) => pieces),
        text,
      ).toEqual(answer[i]);
    }
  });
});

describe('n-best segmentation', () => {
  it('refuses models without probabilities, and numbers that SentencePiece does not give', () => {
    const bpe = new SubwordProcessor(smallModel({ type: 'bpe', normalization: 'identity' }));
    expect(() => bpe.nbest('a', 2)).toThrow('expected a model of type unigram, got one of type bpe');
    for (const size of [0, 1.5, 1025]) {
      expect(() => modelOf({ a: -1 }).nbest('a', size)).toThrow(`expected 1 to 1024, got ${size}`);
    }
  });

  it('finds the best of all paths, as listing every one does', () => {
    const score = fc.integer({ min: -40, max: -1 }).map((x) => Math.fround(x / 8));
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 7 }),
        fc.array(score, { minLength: 28, maxLength: 28 }),
        (length, scores) => {
          const edges: Edge[] = [];
          for (let start = 0; start < length; start++) {
            for (let end = start + 1; end <= length; end++) {
              edges.push({ start, end, id: edges.length, score: scores[edges.length]! });
            }
          }
          // Eighths add up exactly, so that the sums of both ways are the same.
          const all = (at: number): number[] =>
            at === length
              ? [0]
              : edges
                  .filter(({ start }) => start === at)
                  .flatMap((e) => all(e.end).map((rest) => e.score + rest));
          const want = all(0)
            .sort((a, b) => b - a)
            .slice(0, 10);
          expect(bestPaths(length, edges, 10).map((path) => path.score)).toEqual(want);
        },
      ),
    );
  });
});
