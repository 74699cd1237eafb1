import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ConfigInput, configSchema } from '../../src/config.js';
import { buildCodecs, loadCodec, saveCodec, type TextCodec } from '../../src/text/codec.js';
import { TokenCounter } from '../../src/text/count.js';
import { BOS, EOS, PAD, UNK } from '../../src/text/vocabulary.js';

const FIXTURES = fileURLToPath(new URL('fixtures', import.meta.url));
const newFolder = () => mkdtempSync(join(tmpdir(), 'dragoman-test-'));

const corpus = newFolder();
writeFileSync(join(corpus, 'a.en'), 'the dog\nthe cat\n\n');
writeFileSync(join(corpus, 'a.de'), 'der Hund\ndie Katze\n<s> the\n');
copyFileSync(join(FIXTURES, 'unigram.model'), join(corpus, 'sp.model'));

function configOf(text: ConfigInput['text']) {
  const train = { source: 'a.en', target: 'a.de' };
  return configSchema.parse({ data: { train, validation: train }, text });
}

const tokensOf = ({ vocabulary }: TextCodec) =>
  Array.from({ length: vocabulary.size - 4 }, (_, i) => vocabulary.token(i + 4));

describe('buildCodecs', () => {
  test('separate vocabularies', async () => {
    const config = configOf({ source: { kind: 'word' }, target: { kind: 'word', lowercase: true } });
    const { source, target } = await buildCodecs(config, corpus);
    expect(tokensOf(source)).toEqual(['the', 'cat', 'dog']);
    expect(tokensOf(target)).toEqual(['<￭', 'der', 'die', 'hund', 'katze', 's', 'the', '￭>']);
    expect([...source.encode('the bird')]).toEqual([4, UNK]);
    expect(target.decode(target.encode('Die  Katze!'))).toBe('die <unk> katze <unk>');
  });

  test('one for both sides, with its limits', async () => {
    const config = configOf({
      source: { kind: 'word' },
      target: { kind: 'word' },
      joint: true,
      vocabulary: { minFrequency: 2 },
    });
    const { source, target } = await buildCodecs(config, corpus);
    expect(tokensOf(source)).toEqual(['the']); // twice in the source, once in the target
    expect(target.vocabulary).toBe(source.vocabulary);
  });

  test('characters on one side, pieces on the other', async () => {
    const config = configOf({
      source: { kind: 'sentencepiece', model: 'sp.model' },
      target: { kind: 'character' },
    });
    const { source, target } = await buildCodecs(config, corpus);
    expect(source.decode(source.encode('The ferry leaves.'))).toBe('The ferry leaves.');
    expect(tokensOf(target).slice(0, 2)).toEqual(['e', ' ']);
  });

  test('a SentencePiece model needs no corpus', async () => {
    const side = { kind: 'sentencepiece', model: 'sp.model' } as const;
    const folder = newFolder();
    copyFileSync(join(FIXTURES, 'unigram.model'), join(folder, 'sp.model'));
    const { source, target } = await buildCodecs(
      configOf({ source: side, target: side, joint: true }),
      folder,
    );
    expect(target.vocabulary.equals(source.vocabulary)).toBe(true);
  });

  test('a pipe cannot be counted and then read', async () => {
    const folder = newFolder();
    execFileSync('mkfifo', [join(folder, 'a.en')]);
    writeFileSync(join(folder, 'a.de'), '');
    const config = configOf({ source: { kind: 'word' }, target: { kind: 'word' } });
    await expect(buildCodecs(config, folder)).rejects.toThrow('a.en: expected a file or standard input (-)');
  });

  test('a missing model says so', async () => {
    const config = configOf({
      source: { kind: 'sentencepiece', model: 'no.model' },
      target: { kind: 'word' },
    });
    await expect(buildCodecs(config, corpus)).rejects.toThrow(
      'no.model: expected a readable file, got no such file',
    );
  });
});

describe('TextCodec', () => {
  test('decoding stops at EOS and passes over PAD and BOS', async () => {
    const { source } = await buildCodecs(
      configOf({ source: { kind: 'word' }, target: { kind: 'word' } }),
      corpus,
    );
    expect(source.decode([BOS, 4, 5, PAD, EOS, 4])).toBe('the cat');
    expect(source.tokens([4, UNK])).toEqual(['the', '<unk>']);
    expect(source.decode([])).toBe('');
  });

  test('text that spells specials never becomes one', async () => {
    for (const kind of ['character', 'word'] as const) {
      const { target } = await buildCodecs(configOf({ source: { kind }, target: { kind } }), corpus);
      const ids = [...target.encode('<s> </s> <pad>')];
      expect(ids.every((id) => id === UNK || id > EOS)).toBe(true);
    }
  });
});

describe('model folders', () => {
  test('any vocabulary comes back the same', async () => {
    const config = configOf({ source: { kind: 'word' }, target: { kind: 'character' } });
    const codecs = await buildCodecs(config, corpus);
    const folder = newFolder();
    const source = await saveCodec(folder, 'src', codecs.source, config.text.source);
    const target = await saveCodec(folder, 'tgt', codecs.target, config.text.target);
    expect([source, target]).toEqual([config.text.source, config.text.target]);
    const loaded = await loadCodec(folder, 'tgt', target);
    expect(loaded.vocabulary.equals(codecs.target.vocabulary)).toBe(true);
    expect((await loadCodec(folder, 'src', source)).encode('the cat')).toEqual(
      codecs.source.encode('the cat'),
    );
    expect(readFileSync(join(folder, 'vocab.src.txt'), 'utf8')).toBe(
      '<pad>\n<unk>\n<s>\n</s>\nthe\ncat\ndog\n',
    );
  });

  test('a SentencePiece model is taken along as it was when loaded', async () => {
    const elsewhere = newFolder();
    copyFileSync(join(FIXTURES, 'unigram.model'), join(elsewhere, 'm.model'));
    const side = { kind: 'sentencepiece', model: 'm.model' } as const;
    const codecs = await buildCodecs(configOf({ source: side, target: side }), elsewhere);
    writeFileSync(join(elsewhere, 'm.model'), 'changed since');
    const folder = newFolder();
    const spec = await saveCodec(folder, 'tgt', codecs.target, side);
    expect(spec).toEqual({ kind: 'sentencepiece', model: 'target.model' });
    expect(readFileSync(join(folder, 'target.model'))).toEqual(readFileSync(join(FIXTURES, 'unigram.model')));
    const loaded = await loadCodec(folder, 'tgt', spec);
    expect(loaded.vocabulary.equals(codecs.target.vocabulary)).toBe(true);
    await saveCodec(folder, 'tgt', loaded, spec); // onto itself
  });

  test('a broken or missing vocabulary is an error', async () => {
    const folder = newFolder();
    const spec = { kind: 'word', lowercase: false } as const;
    await expect(loadCodec(folder, 'src', spec)).rejects.toThrow('vocab.src.txt: expected a readable file');
    writeFileSync(join(folder, 'vocab.src.txt'), '<pad>\n<unk>\n<s>\n</s>\na\na\n');
    await expect(loadCodec(folder, 'src', spec)).rejects.toThrow(
      'vocab.src.txt:6: expected each token once, got "a"',
    );
    writeFileSync(join(folder, 'vocab.src.txt'), Buffer.from([0xff]));
    await expect(loadCodec(folder, 'src', spec)).rejects.toThrow(
      'vocab.src.txt:1: expected UTF-8 text, got 0xFF',
    );
  });
});

describe('TokenCounter', () => {
  test('counts', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.constantFrom('a', 'b', '\uD800', 'a long token of text'))),
        (sentences) => {
          const counter = new TokenCounter();
          const expected = new Map<string, number>();
          for (const sentence of sentences) {
            counter.add(sentence);
            for (const token of sentence) expected.set(token, (expected.get(token) ?? 0) + 1);
          }
          expect(counter.counts).toEqual(expected);
        },
      ),
    );
  });

  test('forgets the rare when there are too many', () => {
    const counter = new TokenCounter(100);
    for (let i = 0; i < 1000; i++) counter.add([`rare ${i}`, `common ${i % 20}`]);
    expect(counter.counts.size).toBeLessThanOrEqual(100);
    for (let i = 0; i < 20; i++) expect(counter.counts.get(`common ${i}`)).toBeGreaterThanOrEqual(45);
  });
});
