import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type ConfigInput, resolveConfig } from '../../src/config.js';
import { loadCodecs, saveCodecs, saveConfig } from '../../src/model/folder.js';
import { writeSubwordModel } from '../../src/subword/model-file.js';
import { trainSubwordModel } from '../../src/subword/train.js';
import { buildCodecs } from '../../src/text/codec.js';
import { SentencePieceTokenizer } from '../../src/text/sentencepiece.js';
import { madeText } from '../subword/made-text.js';

const folder = mkdtempSync(join(tmpdir(), 'dragoman-trained-'));
afterAll(() => rmSync(folder, { recursive: true }));
const source = madeText(1, 'abcdefgh', 150, 60);
const target = madeText(2, 'ijklmnop', 150, 60);
writeFileSync(join(folder, 'a.src'), `${source.join('\n')}\n`);
writeFileSync(join(folder, 'a.tgt'), `${target.join('\n')}\n`);

const options = { vocabSize: 60, modelType: 'bpe', normalizationRuleName: 'identity' } as const;
const config = (text: ConfigInput['text']) =>
  resolveConfig({
    data: {
      train: { source: 'a.src', target: 'a.tgt' },
      validation: { source: 'a.src', target: 'a.tgt' },
    },
    text,
  });
const trained = { kind: 'sentencepiece', train: options } as const;
const bytesOf = async (lines: string[]): Promise<Uint8Array> =>
  writeSubwordModel(await trainSubwordModel(lines, options));

describe('a SentencePiece model that a configuration wants trained', () => {
  it('is trained on its side, kept in the model folder, and read from there', async () => {
    const messages: string[] = [];
    const wanted = config({ source: trained, target: { kind: 'word' } });
    const codecs = await buildCodecs(wanted, folder, { onMessage: (text) => messages.push(text) });
    const { tokenizer } = codecs.source;
    expect(tokenizer).toBeInstanceOf(SentencePieceTokenizer);
    expect((tokenizer as SentencePieceTokenizer).bytes).toEqual(await bytesOf(source));
    const words = new Set(source.join(' ').split(' '));
    expect(messages[0]).toBe(`text.source.train: 150 lines: ${words.size} different words`);

    const out = mkdtempSync(join(folder, 'model-'));
    const text = await saveCodecs(out, wanted, codecs);
    expect(text.source).toEqual({ kind: 'sentencepiece', model: 'source.model' });
    await saveConfig(out, wanted, folder, text);
    const loaded = await loadCodecs(out, config(text));
    expect(loaded.source.encode(source[0]!)).toEqual(codecs.source.encode(source[0]!));
    expect(readFileSync(join(out, 'config.yaml'), 'utf8')).not.toContain('vocabSize');
  });

  it('is one for both sides of a joint vocabulary', async () => {
    const wanted = config({ source: trained, target: trained, joint: true });
    const codecs = await buildCodecs(wanted, folder);
    expect(codecs.source.vocabulary).toBe(codecs.target.vocabulary);
    const both = source.flatMap((line, i) => [line, target[i]!]);
    expect((codecs.target.tokenizer as SentencePieceTokenizer).bytes).toEqual(await bytesOf(both));
    const out = mkdtempSync(join(folder, 'model-'));
    await saveCodecs(out, wanted, codecs);
    expect(readdirSync(out)).toEqual(['source.model']);
  });

  it('is one for each side otherwise', async () => {
    const codecs = await buildCodecs(config({ source: trained, target: trained }), folder);
    expect((codecs.source.tokenizer as SentencePieceTokenizer).bytes).toEqual(await bytesOf(source));
    expect((codecs.target.tokenizer as SentencePieceTokenizer).bytes).toEqual(await bytesOf(target));
  });

  it('says where it was wanted when it cannot be trained', async () => {
    const text = { source: { kind: 'word' }, target: { ...trained, train: { vocabSize: 5 } } } as const;
    await expect(buildCodecs(config(text), folder)).rejects.toThrow(
      /^text\.target\.train: subword training: vocabSize: expected at least \d+/,
    );
  });

  it('stops when told to', async () => {
    const stop = { onPair: throwStop };
    await expect(
      buildCodecs(config({ source: trained, target: { kind: 'word' } }), folder, stop),
    ).rejects.toThrow('stop');
  });

  it.each([
    [{ kind: 'sentencepiece' }, /either model, a file, or train/],
    [{ kind: 'sentencepiece', model: 'a.model', train: { vocabSize: 50 } }, /either model, a file, or train/],
    [{ kind: 'sentencepiece', train: {} }, /vocabSize/],
    [{ kind: 'sentencepiece', train: { vocabSize: 50, modelType: 'bp' } }, /expected one of unigram, bpe/],
  ])('refuses %j', (spec, message) => {
    expect(() => config({ source: spec, target: { kind: 'word' } } as ConfigInput['text'])).toThrow(message);
  });
});

function throwStop(): never {
  throw new Error('stop');
}
