import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { madeText } from '../subword/made-text.js';
import { dragoman } from './terminal.js';

const folder = mkdtempSync(join(tmpdir(), 'dragoman-subword-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

const lines = madeText(5, 'abcdefghij', 200, 80);
writeFileSync(at('a.txt'), `${lines.slice(0, 100).join('\n')}\n`);
writeFileSync(at('b.gz'), gzipSync(`${lines.slice(100).join('\n')}\n`));
writeFileSync(at('all.txt'), lines.join('\n'));

const train = (...words: string[]) =>
  dragoman(
    'subword',
    'train',
    '--normalization-rule-name',
    'identity',
    '--character-coverage',
    '1',
    ...words,
  );

describe('dragoman subword', () => {
  it('trains on several files, packed ones too, as on one', async () => {
    const { code, out, err } = await train(
      at('a.txt'),
      at('b.gz'),
      '--vocab-size',
      '90',
      '--model-type',
      'bpe',
      '-p',
      at('two'),
    );
    expect({ code, out }).toEqual({ code: 0, out: '' });
    const words = new Set(lines.join(' ').split(' '));
    expect(err).toContain(`200 lines: ${words.size} different words`);
    expect(err).toContain(`90 pieces: ${at('two.model')}, ${at('two.vocab')}`);
    await train(at('all.txt'), '--vocab-size', '90', '--model-type', 'bpe', '-p', at('one'));
    expect(readFileSync(at('one.model'))).toEqual(readFileSync(at('two.model')));
    const vocab = readFileSync(at('two.vocab'), 'utf8').trim().split('\n');
    expect(vocab.length).toBe(90);
    expect(vocab.slice(0, 3)).toEqual(['<unk>\t0', '<s>\t0', '</s>\t0']);
    expect(vocab[4]).toMatch(/^\S+\t-1$/);
  });

  it('cuts text and puts it together again', async () => {
    const model = at('two.model');
    await dragoman('subword', 'encode', model, '-i', at('all.txt'), '-o', at('pieces'));
    const pieces = readFileSync(at('pieces'), 'utf8').trim().split('\n');
    expect(pieces.map((line) => line.replaceAll(' ', '').replaceAll('▁', ' ').trim())).toEqual(lines);
    const back = await dragoman('subword', 'decode', model, '-i', at('pieces'));
    expect(back.out).toBe(`${lines.join('\n')}\n`);
    await dragoman('subword', 'encode', model, '-f', 'ids', '-i', at('all.txt'), '-o', at('ids'));
    expect(readFileSync(at('ids'), 'utf8')).toMatch(/^[\d \n]+$/);
    const fromIds = await dragoman('subword', 'decode', model, '-f', 'ids', '-i', at('ids'));
    expect(fromIds.out).toBe(back.out);
    const wrong = await dragoman('subword', 'decode', model, '-f', 'ids', '-i', at('pieces'));
    expect(wrong.code).toBe(2);
    expect(wrong.err).toMatch(/^dragoman: line 1: expected ids from 0 to 89, got "▁/);
  });

  it('writes the best segmentations of each line', async () => {
    await train(at('all.txt'), '--vocab-size', '60', '--no-hard-vocab-limit', '-p', at('unigram'));
    writeFileSync(at('two.txt'), `${lines[0]}\n\n`);
    const { out } = await dragoman(
      'subword',
      'encode',
      at('unigram.model'),
      '--nbest',
      '3',
      '-i',
      at('two.txt'),
    );
    const got = out.split('\n');
    // An empty line has one segmentation.
    expect(got.length).toBe(5);
    expect(got.slice(3)).toEqual(['', '']);
    expect(new Set(got.slice(0, 3)).size).toBe(3);
    for (const line of got.slice(0, 3))
      expect(line.replaceAll(' ', '').replaceAll('▁', ' ').trim()).toBe(lines[0]);
    const plain = await dragoman('subword', 'encode', at('unigram.model'), '-i', at('two.txt'));
    expect(plain.out.split('\n')[0]).toBe(got[0]);
    const bpe = await dragoman('subword', 'encode', at('two.model'), '--nbest', '3', '-i', at('two.txt'));
    expect(bpe.code).toBe(2);
    expect(bpe.err).toContain('n-best segmentation: expected a model of type unigram, got one of type bpe');
  });

  it('replaces no file unless told to', async () => {
    const words = [at('all.txt'), '--vocab-size', '80', '-p', at('one'), '--model-type', 'bpe'];
    const refused = await train(...words);
    expect(refused.code).toBe(2);
    expect(refused.err).toBe(
      `dragoman: ${at('one.model')}: the file exists; give another name, or --overwrite to replace it\n`,
    );
    expect((await train(...words, '--overwrite')).code).toBe(0);
    expect(readFileSync(at('one.vocab'), 'utf8').trim().split('\n').length).toBe(80);
  });

  const wrong: [name: string, content: Uint8Array | string, message: string][] = [
    ['latin1.txt', Buffer.from('ab\ncaf\xe9\n', 'latin1'), ':2: expected UTF-8 text, got 0xE9 at byte 4'],
    ['nul.txt', 'ab\nc\0d\n', ':2: expected text, got a NUL character at byte 2'],
    ['text.gz', 'no gzip', ': expected gzipped data as the name says, got something else'],
  ];
  it.each(wrong)('says what is wrong with %s, and leaves nothing', async (name, content, message) => {
    writeFileSync(at(name), content);
    const { code, err } = await train(at(name), '--vocab-size', '50', '-p', at('none'));
    expect(code).toBe(2);
    expect(err).toBe(`dragoman: ${at(name)}${message}\n`);
    expect(existsSync(at('none.model'))).toBe(false);
    expect(readdirSync(folder).filter((file) => file.endsWith('.tmp'))).toEqual([]);
  });

  it.each([
    [['--vocab-size', '1e'], "option '--vocab-size <n>' argument '1e' is invalid. Expected a number."],
    [['--vocab-size', '1.5'], 'subword training: --vocab-size: expected a positive whole number, got 1.5'],
    [['--vocab-size', '50', '--model-type', 'bpm'], "option '--model-type <name>' argument 'bpm' is invalid"],
    [
      ['--vocab-size', '50', '--pad-id', '-2'],
      'subword training: --pad-id: expected a whole number, at least -1',
    ],
    [['--vocab-size', '50', '--seed', '1.5'], 'subword training: --seed: expected a whole number, got 1.5'],
    [['--vocab-size', '90000'], 'got 90000; with --no-hard-vocab-limit the model is as small as that'],
    [['--vocab-size', '4'], 'got 4; a lower --character-coverage leaves rare characters out'],
    [[], "required option '--vocab-size <n>' not specified"],
  ])('refuses %j', async (words, message) => {
    const { code, err } = await train(at('all.txt'), '-p', at('none'), ...words);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  it('wants a folder that is there', async () => {
    const { err } = await train(at('all.txt'), '--vocab-size', '80', '-p', at('no/such'));
    expect(err).toContain('cannot be written: its folder does not exist');
  });
});
