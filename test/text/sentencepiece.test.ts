import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readSubwordModel } from '../../src/subword/model-file.js';
import { TextCodec } from '../../src/text/codec.js';
import { SentencePieceTokenizer } from '../../src/text/sentencepiece.js';
import { SPECIALS, UNK } from '../../src/text/vocabulary.js';

const FIXTURES = fileURLToPath(new URL('fixtures', import.meta.url));

/** What Google's tool did: fixtures/make.py. */
interface Reference {
  model: string;
  text: string[];
  encode: [string, string[]][];
  decode: [string[], string][];
  decodeIds: [string[], string][];
}
const references = readFileSync(join(FIXTURES, 'google.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Reference);

const load = (name: string) => SentencePieceTokenizer.load(`${name}.model`, FIXTURES);

describe.each(references)("Google's own results with $model.model", (reference) => {
  test('segmenting', async () => {
    const tokenizer = await load(reference.model);
    for (const [text, pieces] of reference.encode) expect(tokenizer.segment(text)).toEqual(pieces);
  });

  test('joining', async () => {
    const tokenizer = await load(reference.model);
    const cases = [...reference.decode, ...reference.decodeIds];
    expect(cases.length).toBeGreaterThan(20);
    for (const [pieces, text] of cases) expect([pieces, tokenizer.join(pieces)]).toEqual([pieces, text]);
  });

  test('the vocabulary', async () => {
    const { vocabulary } = await load(reference.model);
    const tokens = Array.from({ length: vocabulary.size }, (_, id) => vocabulary.token(id));
    expect(tokens).toEqual([...SPECIALS, ...reference.text]);
  });

  test('ids and back', async () => {
    const tokenizer = await load(reference.model);
    const codec = new TextCodec(tokenizer, tokenizer.vocabulary);
    for (const [i, [text]] of reference.encode.filter(([, pieces]) => pieces.length > 0).entries()) {
      expect(codec.decode(codec.encode(text))).toBe(reference.decodeIds[i]?.[1]);
    }
  });
});

describe('SentencePiece', () => {
  test('a model with byte pieces gives any text back', async () => {
    const tokenizer = await load('bytes');
    const codec = new TextCodec(tokenizer, tokenizer.vocabulary);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        fc.pre(!text.includes('\u2581')); // means a space
        const ids = codec.encode(text);
        expect(ids).not.toContain(UNK);
        expect(codec.decode(ids)).toBe(text);
      }),
    );
  });

  test('half a surrogate pair becomes U+FFFD', async () => {
    const tokenizer = await load('bytes');
    expect(tokenizer.join(tokenizer.segment('a\uD83Db'))).toBe('a\uFFFDb');
  });

  test('our unknown token is shown as the model shows its own', async () => {
    expect((await load('unigram')).join(['▁the', '<unk>', '▁the'])).toBe('the ⁇  the');
    expect((await load('symbols')).join(['<unk>'])).toBe('??');
  });

  test('a user-defined symbol named like a special has an id of its own', async () => {
    const { vocabulary } = await load('symbols');
    expect(vocabulary.id('<pad>')).toBeGreaterThanOrEqual(SPECIALS.length);
  });

  test('a file is loaded once; its content alone is enough', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dragoman-test-'));
    const bytes = readFileSync(join(FIXTURES, 'unigram.model'));
    writeFileSync(join(folder, 'a.model'), bytes);
    const [first, second] = await Promise.all([
      SentencePieceTokenizer.load('a.model', folder),
      SentencePieceTokenizer.load(join(folder, 'a.model'), '/'),
    ]);
    expect(first).toBe(second);
    const ofBytes = new SentencePieceTokenizer(bytes, 'in memory');
    expect(ofBytes.segment('The ferry leaves.')).toEqual(first.segment('The ferry leaves.'));
    expect(ofBytes.vocabulary.equals(first.vocabulary)).toBe(true);
  });

  test('a long line', async () => {
    const tokenizer = await load('unigram');
    const text = 'The ferry leaves at seven. '.repeat(1000).trim();
    expect(tokenizer.join(tokenizer.segment(text))).toBe(text);
  });
});

describe('what is no model', () => {
  const whole = readFileSync(join(FIXTURES, 'unigram.model'));

  test('garbage, an empty file, a missing one and a folder', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dragoman-test-'));
    const attempt = (name: string) => SentencePieceTokenizer.load(name, folder);
    writeFileSync(join(folder, 'garbage.model'), 'this is not a model\n');
    writeFileSync(join(folder, 'empty.model'), '');
    writeFileSync(join(folder, 'folder.txt'), '');
    await expect(attempt('garbage.model')).rejects.toThrow(
      /^garbage.model: expected a whole SentencePiece model/,
    );
    await expect(attempt('empty.model')).rejects.toThrow(
      'empty.model: expected a whole SentencePiece model, got no',
    );
    await expect(attempt('none.model')).rejects.toThrow(
      'none.model: expected a readable file, got no such file',
    );
    await expect(attempt('.')).rejects.toThrow('.: expected a readable file, got a folder');
  });

  test('one cut off anywhere', () => {
    for (let length = 0; length < whole.length - 1; length += 31) {
      expect(() => readSubwordModel(whole.subarray(0, length), 'cut.model')).toThrow(
        'cut.model: expected a whole SentencePiece model, got ',
      );
    }
  });

  test('one whose pieces come twice', () => {
    expect(() => readSubwordModel(Buffer.concat([whole, whole]), 'twice.model')).toThrow('got a piece twice');
  });
});
