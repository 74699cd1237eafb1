import { describe, expect, test } from 'vitest';
import { PIECE_TYPES, type SubwordModel } from '../../src/subword/model.js';
import { writeSubwordModel } from '../../src/subword/model-file.js';
import { SubwordProcessor } from '../../src/subword/processor.js';
import { difficultLines, longLines } from './difficult-lines.js';
import { askGoogle, skipWithoutGoogle, wasmProcessor } from './oracles.js';
import { type ModelKind, smallModel } from './small-models.js';

const SYMBOLS = ['<pad>', '{0}', '{1}', '▁x', 'ab', 'abc', '🎉', 'foo bar', 'the'];
const KINDS: readonly ModelKind[] = (['unigram', 'bpe'] as const).flatMap((type): ModelKind[] => [
  { type, normalization: 'nmt_nfkc' },
  { type, normalization: 'nmt_nfkc_cf', userDefined: SYMBOLS, byteFallback: true },
  { type, normalization: 'nfkc', byteFallback: true, addDummyPrefix: false, removeExtraWhitespaces: false },
  { type, normalization: 'nfkc_cf', userDefined: SYMBOLS, treatWhitespaceAsSuffix: true },
  { type, normalization: 'identity', userDefined: SYMBOLS, removeExtraWhitespaces: false },
]);
const others: readonly ModelKind[] = (['word', 'char'] as const).map((type) => ({
  type,
  normalization: 'nmt_nfkc',
  userDefined: type === 'char' ? SYMBOLS : [],
}));

/** A model in which some pieces must not be used, as one that a vocabulary was set for. */
function withUnused(model: SubwordModel): SubwordModel {
  const pieces = model.pieces.map((piece, id) =>
    piece.type === PIECE_TYPES.normal && Array.from(piece.piece).length > 1 && id % 3 === 0
      ? { ...piece, type: PIECE_TYPES.unused }
      : piece,
  );
  return { ...model, pieces };
}

/** sentencepiece-js loses a byte order mark at the start of some of what it gives back. */
const withoutMark = (text: string) => text.replace(/^\ufeff/, '');

describe("as Google's library in WebAssembly", () => {
  // Making a table takes seconds: two of them are enough here, the rest are below.
  const models = [...KINDS, ...others]
    .map(withFewTables)
    .flatMap((kind) => [
      [JSON.stringify(kind), () => smallModel(kind)] as const,
      ...(kind.type === 'bpe' && kind.normalization === 'identity'
        ? [[`${JSON.stringify(kind)} with unused pieces`, () => withUnused(smallModel(kind))] as const]
        : []),
    ]);
  test.each(models)('%s', async (_, make) => {
    const model = make();
    const oracle = await wasmProcessor(writeSubwordModel(model));
    const ours = new SubwordProcessor(model);
    for (const line of difficultLines(500, 21)) {
      const pieces = oracle.encodePieces(line.toWellFormed());
      expect([line, ours.encode(line).map(withoutMark)]).toEqual([line, pieces.map(withoutMark)]);
      const ids = oracle.encodeIds(line.toWellFormed());
      const named = ids.map((id) => model.pieces[id]!.piece);
      expect([named, withoutMark(ours.decode(named))]).toEqual([named, withoutMark(oracle.decodeIds(ids))]);
    }
  });
});

function withFewTables(kind: ModelKind): ModelKind {
  const { normalization } = kind;
  if (normalization === 'nfkc') return { ...kind, normalization: 'nmt_nfkc' };
  return normalization === 'nfkc_cf' ? { ...kind, normalization: 'nmt_nfkc_cf' } : kind;
}

describe("as Google's Python package", () => {
  test.for([...KINDS, ...others])('%o', (kind, context) => {
    skipWithoutGoogle(context);
    const model = smallModel(kind);
    const lines = [...difficultLines(5000, 22), ...longLines()].map((line) => line.toWellFormed());
    const answer = askGoogle<{ pieces: string[]; ids: number[]; text: string; back: string }[]>(
      `p = sp.SentencePieceProcessor(model_proto=base64.b64decode(job['model']))
answer = []
for line in job['lines']:
  pieces, ids = p.encode(line, out_type=str), p.encode(line)
  answer.append(dict(pieces=pieces, text=p.decode_pieces(pieces), back=p.decode_ids(ids)))`,
      { model: Buffer.from(writeSubwordModel(model)).toString('base64'), lines },
    );
    const ours = new SubwordProcessor(model);
    const differing = lines.filter((line, i) => {
      const { pieces, text } = answer[i]!;
      return JSON.stringify(ours.encode(line)) !== JSON.stringify(pieces) || ours.decode(pieces) !== text;
    });
    expect(differing).toEqual([]);
  });
});

// Quadratic time would take minutes.
test.each(KINDS.filter(({ normalization }) => normalization === 'identity' || normalization === 'nmt_nfkc'))(
  '100,000 characters take no longer than a moment: %o',
  (kind) => {
    const ours = new SubwordProcessor(smallModel(kind));
    for (const line of longLines()) {
      const start = performance.now();
      const pieces = ours.encode(line);
      expect(performance.now() - start).toBeLessThan(10_000);
      if (kind.normalization === 'identity') expect(ours.decode(pieces)).toBe(line);
    }
  },
);

test('a piece that is a control symbol is not made from text', () => {
  const model = smallModel({ type: 'char', normalization: 'identity' });
  const pieces = [...model.pieces, { piece: '§', score: 0, type: PIECE_TYPES.control }];
  expect(new SubwordProcessor({ ...model, pieces }).encode('§')).toEqual(['▁', '§']); // unknown
});
