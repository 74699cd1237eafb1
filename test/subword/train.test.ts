import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { cachedCharsmap } from '../../src/subword/charsmap-cache.js';
import { PIECE_TYPES, type SubwordModel } from '../../src/subword/model.js';
import { readSubwordModel, writeSubwordModel } from '../../src/subword/model-file.js';
import { SubwordProcessor } from '../../src/subword/processor.js';
import { trainSubwordModel } from '../../src/subword/train.js';
import type { SubwordTrainingInput } from '../../src/subword/training-options.js';
import { madeText } from './made-text.js';
import { askGoogle, skipWithoutGoogle, wasmProcessor } from './oracles.js';

// Models here must not depend on what an earlier run kept.
const cache = mkdtempSync(join(tmpdir(), 'dragoman-'));
process.env.DRAGOMAN_CACHE = cache;
afterAll(() => rmSync(cache, { recursive: true }));

const latin = madeText(1, 'abcdefghiklmnoprstuäöß', 400, 300);
const mixed = [
  ...latin,
  ...madeText(2, '漢字仮名交文かなカナー', 60, 40),
  ...madeText(3, '0123456789', 30, 20),
  ...madeText(4, 'абвгд', 30, 20),
  'ﬁne ＡＢＣ x² 1/2 ｶﾞ e\u0301 <sep> end',
];
const heldOut = [...madeText(9, 'abcdefghiklmnoprstuäöß漢かカ0б', 150, 300), '', ' ', 'ﬁne  <sep>x <s> ☃ 🙂'];

const train = (input: Partial<SubwordTrainingInput> = {}): Promise<SubwordModel> =>
  trainSubwordModel(mixed, {
    vocabSize: 240,
    characterCoverage: 1,
    normalizationRuleName: 'identity',
    ...input,
  });
const names = ({ pieces }: SubwordModel): string[] => pieces.map(({ piece }) => piece);
const learned = ({ pieces }: SubwordModel): string[] =>
  pieces.filter(({ type }) => type === PIECE_TYPES.normal).map(({ piece }) => piece);

describe('trainSubwordModel', () => {
  it.each(['unigram', 'bpe'] as const)(
    '%s: holds every character, and text comes back',
    async (modelType) => {
      const model = await train({ modelType });
      expect(model.pieces.length).toBe(240);
      expect(new Set(names(model)).size).toBe(240);
      for (const character of new Set(mixed.join('').replaceAll(' ', '▁'))) {
        expect(names(model)).toContain(character);
      }
      const processor = new SubwordProcessor(model);
      for (const line of mixed) {
        const pieces = processor.encode(line);
        expect(processor.decode(pieces)).toBe(line);
        for (const piece of pieces) expect(names(model)).toContain(piece);
      }
    },
  );

  it.each<Partial<SubwordTrainingInput>>([
    { modelType: 'unigram' },
    { modelType: 'bpe' },
    { modelType: 'char', vocabSize: 60 },
    { modelType: 'word', vocabSize: 120 },
    { modelType: 'bpe', normalizationRuleName: 'nmt_nfkc', byteFallback: true, vocabSize: 500 },
    { modelType: 'unigram', userDefinedSymbols: ['<sep>'], controlSymbols: ['<x>'], characterCoverage: 0.99 },
    { modelType: 'unigram', treatWhitespaceAsSuffix: true },
  ])('is a model that sentencepiece-js cuts text with as we do: %j', async (input) => {
    const model = await train(input);
    const bytes = writeSubwordModel(model);
    const ours = new SubwordProcessor(readSubwordModel(bytes, 'a.model'));
    const library = await wasmProcessor(bytes);
    for (const line of heldOut) expect(ours.encode(line)).toEqual(library.encodePieces(line));
  });

  it('splits digits, keeps pieces short, joins scripts, crosses spaces when told to', async () => {
    const bpe = (input: Partial<SubwordTrainingInput>) => train({ modelType: 'bpe', ...input }).then(learned);
    expect((await bpe({})).some((piece) => /\d\d/.test(piece))).toBe(true);
    expect((await bpe({ splitDigits: true })).some((piece) => /\d./.test(piece))).toBe(false);
    const short = await bpe({ maxSentencepieceLength: 3 });
    expect(Math.max(...short.map((piece) => [...piece].length))).toBe(3);
    expect((await bpe({})).some((piece) => /.▁./.test(piece))).toBe(false);
    expect((await bpe({ splitByWhitespace: false, vocabSize: 900 })).some((piece) => /.▁./.test(piece))).toBe(
      true,
    );
    const text = ['aб1 aб1', 'aб1'];
    const of = (input: Partial<SubwordTrainingInput>) =>
      trainSubwordModel(text, {
        vocabSize: 20,
        modelType: 'bpe',
        hardVocabLimit: false,
        normalizationRuleName: 'identity',
        characterCoverage: 1,
        ...input,
      }).then(learned);
    expect(await of({})).not.toContain('aб');
    expect(await of({ splitByUnicodeScript: false })).toContain('aб1');
    expect(await of({ splitByNumber: false })).toContain('б1');
  });

  it('puts special pieces where the options want them', async () => {
    const model = await train({
      unkId: 3,
      bosId: 0,
      eosId: -1,
      padId: 1,
      unkPiece: '<U>',
      bosPiece: '<B>',
      padPiece: '<P>',
      unkSurface: '?',
      controlSymbols: ['<c>'],
      userDefinedSymbols: ['<sep>'],
      byteFallback: true,
      vocabSize: 500,
    });
    expect(names(model).slice(0, 7)).toEqual(['<B>', '<P>', '<c>', '<U>', '<sep>', '<0x00>', '<0x01>']);
    expect(model.pieces.slice(0, 5).map(({ type }) => type)).toEqual([
      PIECE_TYPES.control,
      PIECE_TYPES.control,
      PIECE_TYPES.control,
      PIECE_TYPES.unknown,
      PIECE_TYPES.userDefined,
    ]);
    const { unkSurface, byteFallback, controlSymbols } = model.trainer;
    expect({ unkSurface, byteFallback, controlSymbols }).toEqual({
      unkSurface: '?',
      byteFallback: true,
      controlSymbols: ['<c>'],
    });
    // Symbols of the user are in no learned piece.
    expect(learned(model).filter((piece) => piece.includes('sep'))).toEqual([]);
  });

  it('trains on a sample that the seed fixes, or on the first lines', async () => {
    const sample = (input: Partial<SubwordTrainingInput>) =>
      train({ modelType: 'char', inputSentenceSize: 200, hardVocabLimit: false, ...input }).then(
        ({ pieces }) => pieces,
      );
    expect(await sample({ seed: 1 })).toEqual(await sample({ seed: 1 }));
    expect(await sample({ seed: 1 })).not.toEqual(await sample({ seed: 2 }));
    const first = await trainSubwordModel(mixed.slice(0, 200), {
      vocabSize: 240,
      characterCoverage: 1,
      normalizationRuleName: 'identity',
      modelType: 'char',
    });
    expect(await sample({ shuffleInputSentence: false })).toEqual(first.pieces);
  });

  it('leaves out lines that are too long, and says so', async () => {
    const messages: string[] = [];
    const input = { vocabSize: 10, modelType: 'char', maxSentenceLength: 10 } as const;
    await trainSubwordModel(['abc', 'ääääää', 'a▅'], input, { onMessage: (text) => messages.push(text) });
    expect(messages).toEqual([
      '3 lines, 1 left out as too long, 1 with the reserved character ▅: 1 different words',
    ]);
  });

  it.each<[message: RegExp, input: Partial<SubwordTrainingInput>]>([
    [/vocabSize: expected at least \d+, for \d+ characters and 3 special pieces, got 20/, { vocabSize: 20 }],
    [/vocabSize: expected at most \d+, which is all that this text has, got 90000/, { vocabSize: 90000 }],
    [/unkId: expected a whole number, at least 0, got -1/, { unkId: -1 }],
    [/bosId: expected a free id, got 0, which is that of <unk>/, { bosId: 0 }],
    [/bosId: expected an id below vocabSize \(240\), got 240/, { bosId: 240 }],
    [/padPiece|expected a name of its own, got <s> twice/, { padId: 5, padPiece: '<s>' }],
    [/userDefinedSymbols: expected each symbol once, got a twice/, { userDefinedSymbols: ['a', 'a'] }],
    [/controlSymbols: expected no unknown piece, got <unk>/, { controlSymbols: ['<unk>'] }],
    [/vocabSize: expected room for all special pieces, got 100/, { vocabSize: 100, byteFallback: true }],
    [
      /characterCoverage: expected a number, at least 0.98 and at most 1, got 0.5/,
      { characterCoverage: 0.5 },
    ],
  ])('refuses: %s', async (message, input) => {
    await expect(train(input)).rejects.toThrow(message);
    await expect(train(input)).rejects.toMatchObject({ exitCode: 2 });
  });

  it('refuses text without words', async () => {
    await expect(trainSubwordModel(['', '  '], { vocabSize: 10 })).rejects.toThrow('expected text, got none');
  });
});

describe('cachedCharsmap', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dragoman-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('keeps what it made, and makes it again when the file is damaged', async () => {
    const made = await cachedCharsmap('nmt_nfkc', folder);
    const file = join(folder, `charsmap-nmt_nfkc-unicode${process.versions.unicode}-0.1.0.bin`);
    expect(new Uint8Array(readFileSync(file))).toEqual(new Uint8Array(made));
    expect(new Uint8Array(await cachedCharsmap('nmt_nfkc', folder))).toEqual(new Uint8Array(made));
    writeFileSync(file, 'damaged');
    expect(new Uint8Array(await cachedCharsmap('nmt_nfkc', folder))).toEqual(new Uint8Array(made));
  });
});

describe('beside Google’s trainer', () => {
  const TRAIN = `
import io
answer = []
for options in job['options']:
    model = io.BytesIO()
    sp.SentencePieceTrainer.train(sentence_iterator=iter(job['lines']), model_writer=model, minloglevel=2, **options)
    p = sp.SentencePieceProcessor(model_proto=model.getvalue())
    answer.append([[p.id_to_piece(i), p.get_score(i)] for i in range(p.get_piece_size())])
`;
  const options: Partial<SubwordTrainingInput>[] = [
    {},
    { characterCoverage: 0.99 },
    { normalizationRuleName: 'nmt_nfkc' },
    { splitDigits: true },
    { splitByNumber: false },
    { splitByUnicodeScript: false },
    { splitByWhitespace: false },
    { treatWhitespaceAsSuffix: true },
    { addDummyPrefix: false },
    { userDefinedSymbols: ['<sep>'], controlSymbols: ['<c>'], padId: 3 },
    { maxSentencepieceLength: 3 },
    { maxSentenceLength: 30 },
    { vocabSize: 550, byteFallback: true },
    { vocabSize: 20000, hardVocabLimit: false },
  ];
  const asked = (modelType: SubwordTrainingInput['modelType']) => {
    const inputs = options.map((input) => ({
      vocabSize: 240,
      characterCoverage: 1,
      normalizationRuleName: 'identity' as const,
      modelType,
      ...input,
    }));
    const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const theirs = inputs.map((input) =>
      Object.fromEntries(
        Object.entries(input).map(([name, value]) => [
          snake(name),
          Array.isArray(value) ? value.join(',') : value,
        ]),
      ),
    );
    const answer = askGoogle<[string, number][][]>(TRAIN, { lines: mixed, options: theirs });
    return inputs.map((input, i) => ({ input, google: answer[i]! }));
  };

  it('BPE: the same pieces in the same order', async (context) => {
    skipWithoutGoogle(context);
    for (const { input, google } of asked('bpe')) {
      const model = await trainSubwordModel(mixed, input);
      expect(names(model), JSON.stringify(input)).toEqual(google.map(([piece]) => piece));
    }
  });

  it('unigram: nearly the same pieces, with the same scores', async (context) => {
    skipWithoutGoogle(context);
    for (const { input, google } of asked('unigram')) {
      const { pieces } = await trainSubwordModel(mixed, input);
      const scores = new Map(google);
      expect(pieces.length, JSON.stringify(input)).toBe(google.length);
      const common = pieces.filter(({ piece }) => scores.has(piece));
      // Google sums in 32-bit floats, so that equally good pieces come in an order of its own.
      expect(common.length / google.length, JSON.stringify(input)).toBeGreaterThan(0.95);
      const differences = common
        .map(({ piece, score }) => Math.abs(score - scores.get(piece)!))
        .sort((a, b) => a - b);
      expect(differences[Math.floor(differences.length * 0.9)], JSON.stringify(input)).toBeLessThan(0.02);
    }
  });
});
