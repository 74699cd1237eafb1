import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import {
  bytePiece,
  normalizerSpec,
  PIECE_TYPES,
  type Piece,
  type SubwordModel,
  trainerSpec,
} from '../../src/subword/model.js';
import { readSubwordModel, subwordVocabText, writeSubwordModel } from '../../src/subword/model-file.js';
import { difficultLines } from './difficult-lines.js';
import { askGoogle, skipWithoutGoogle, wasmProcessor } from './oracles.js';

const FIXTURES = fileURLToPath(new URL('../text/fixtures/', import.meta.url));
const files = readdirSync(FIXTURES).filter((file) => file.endsWith('.model'));

const unknown: Piece = { piece: '<unk>', score: 0, type: PIECE_TYPES.unknown };
const normal = (piece: string, score = -1): Piece => ({ piece, score, type: PIECE_TYPES.normal });
const model = (pieces: readonly Piece[], trainer = {}): SubwordModel => ({
  pieces,
  trainer: trainerSpec(trainer),
  normalizer: normalizerSpec(),
  denormalizer: null,
});

describe.each(files)("Google's %s", (file) => {
  const bytes = readFileSync(FIXTURES + file);

  test('is the same model after writing and reading', () => {
    const read = readSubwordModel(bytes, file);
    expect(readSubwordModel(writeSubwordModel(read), file)).toEqual(read);
  });

  test("written by us, segments as before in Google's library", async () => {
    const before = await wasmProcessor(bytes);
    const after = await wasmProcessor(writeSubwordModel(readSubwordModel(bytes, file)));
    for (const line of difficultLines(300, 8).map((line) => line.toWellFormed())) {
      expect(after.encodePieces(line)).toEqual(before.encodePieces(line));
    }
  });
});

test('values that are no defaults survive, and unknown fields at every level', () => {
  const values = {
    modelType: 'bpe',
    vocabSize: 3,
    input: ['a.txt', 'ä.txt'],
    characterCoverage: 0.5,
    inputSentenceSize: 3_000_000_000,
    splitDigits: true,
    shuffleInputSentence: false,
    padId: 7,
    unkSurface: '',
  } as const;
  // Field 200 and 201, for extensions, as bytes: key (number * 8 + 2) and length.
  const [inner, outer] = [Uint8Array.of(0xc2, 0x0c, 1, 42), Uint8Array.of(0xca, 0x0c, 2, 4, 2)];
  const made: SubwordModel = {
    ...model([unknown, normal('a'), normal('b', -2.5)]),
    trainer: { ...trainerSpec(values), unknownFields: [inner] },
    normalizer: normalizerSpec({ name: 'x', escapeWhitespaces: false, unknownFields: [inner, outer] }),
    denormalizer: normalizerSpec({ precompiledCharsmap: Uint8Array.of(1, 2, 3), addDummyPrefix: false }),
    unknownFields: [outer],
  };
  const read = readSubwordModel(writeSubwordModel(made), 'a.model');
  expect(read).toEqual(made);
  expect(read.trainer).toMatchObject(values);
  expect(read.normalizer.precompiledCharsmap).toBeInstanceOf(Uint8Array);
});

test("Google's Python package reads what we write", (context) => {
  skipWithoutGoogle(context);
  const bytes = Array.from({ length: 256 }, (_, byte): Piece => {
    return { piece: bytePiece(byte), score: 0, type: PIECE_TYPES.byte };
  });
  const pieces = [unknown, normal('▁a', -0.5), ...bytes, { ...normal('x'), type: PIECE_TYPES.unused }];
  const made = model(pieces, {
    byteFallback: true,
    vocabSize: pieces.length,
    unkId: 0,
    bosId: -1,
    eosId: -1,
  });
  const answer = askGoogle<{ pieces: [string, number][]; byte: boolean; unused: boolean; bos: number }>(
    `p = sp.SentencePieceProcessor(model_proto=base64.b64decode(job))
answer = dict(pieces=[[p.id_to_piece(i), p.get_score(i)] for i in range(len(p))], byte=p.is_byte(2), unused=p.is_unused(258), bos=p.bos_id())`,
    Buffer.from(writeSubwordModel(made)).toString('base64'),
  );
  expect(answer.pieces).toEqual(pieces.map(({ piece, score }) => [piece, score]));
  expect(answer).toMatchObject({ byte: true, unused: true, bos: -1 });
});

test('the text of a vocabulary', () => {
  const scores = [0, -1.5, -3.8712345, 1e-5, -0.00012345678, 123456.7, -1234567, 1 / 3, 100000, 1e10];
  const pieces = [unknown, ...scores.map((score, i) => normal(`p${i}`, score))];
  // The right column is what C's printf("%g") prints.
  const printed = [
    '0',
    '-1.5',
    '-3.87123',
    '1e-05',
    '-0.000123457',
    '123457',
    '-1.23457e+06',
    '0.333333',
    '100000',
    '1e+10',
  ];
  const lines = ['<unk>\t0', ...printed.map((score, i) => `p${i}\t${score}`)];
  expect(subwordVocabText(model(pieces))).toBe(`${lines.join('\n')}\n`);
  expect(subwordVocabText(model([unknown, normal('a')], { vocabularyOutputPieceScore: false }))).toBe(
    '<unk>\na\n',
  );
});

describe('a model that SentencePiece would refuse', () => {
  const byte = { piece: '<0x00>', score: 0, type: PIECE_TYPES.byte };
  test.each([
    ['an empty piece 1', model([unknown, normal('')])],
    ['piece 1 with score NaN', model([unknown, normal('a', Number.NaN)])],
    ['a piece twice', model([unknown, normal('a'), normal('a')])],
    ['0 unknown pieces instead of one', model([normal('a')])],
    ['1 byte pieces with byte fallback off', model([unknown, byte])],
    ['0 byte pieces with byte fallback on', model([unknown, normal('a')], { byteFallback: true })],
    ['no byte piece <0x01>', model([unknown, byte], { byteFallback: true })],
  ])('%s', (got, refused) => {
    expect(() => writeSubwordModel(refused)).toThrow(`expected a whole SentencePiece model, got ${got}`);
  });
});
