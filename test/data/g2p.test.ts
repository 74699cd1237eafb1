import { describe, expect, it } from 'vitest';
import { corpusFiles, parseDictionary, pronunciations } from '../../data/g2p/dictionary.mjs';
import { g2pErrorRate } from '../../src/metrics/error-rate.js';

const code = `/** @type {{ [word: string]: string }} */
export const dictionary = {
  "'bout": "B AW1 T",
  "a": "AH0",
  "a(2)": "EY1",
  "aalto": "AA1 L T OW2 # name, finnish",
  "present": "P R EH1 Z AH0 N T",
  "present(2)": "P R IY0 Z EH1 N T",
  "present(3)": "P R EH0 Z AH1 N T",
  "u.s.": "Y UW1 EH1 S",
  "3d": "TH R IY2 D IY1"
}
`;

describe('parseDictionary', () => {
  it('reads the entries as they stand', () => {
    expect(parseDictionary(code)).toHaveLength(9);
    expect(parseDictionary(code)[2]).toEqual(['a(2)', 'EY1']);
  });

  it('refuses anything else', () => {
    expect(() => parseDictionary('')).toThrow('expected "export const dictionary = {…}"');
    expect(() => parseDictionary(code.replace('"AH0"', "'AH0'"))).toThrow('dictionary: ');
    expect(() => parseDictionary(code.replace('"AH0"', '0'))).toThrow('dictionary: a: expected phones');
  });
});

describe('pronunciations', () => {
  it('gathers the variants of a word, without comments and stress', () => {
    const { words, others } = pronunciations(parseDictionary(code), { stress: false });
    expect(Object.fromEntries(words)).toEqual({
      "'bout": ['B AW T'],
      a: ['AH', 'EY'],
      aalto: ['AA L T OW'],
      // The third differs from the first in stress only.
      present: ['P R EH Z AH N T', 'P R IY Z EH N T'],
    });
    expect(others).toBe(2);
  });

  it('keeps stress on request', () => {
    const { words } = pronunciations(parseDictionary(code), { stress: true });
    expect(words.get('present')).toHaveLength(3);
    expect(words.get('aalto')).toEqual(['AA1 L T OW2']);
  });

  it('refuses what is no phone', () => {
    expect(() => pronunciations([['ab', 'AE1 b']], { stress: false })).toThrow(
      'dictionary: ab: expected a phone, got "b"',
    );
  });
});

describe('corpusFiles', () => {
  const words = new Map(
    Array.from({ length: 900 }, (_, i) => {
      const word = `w${String.fromCharCode(97 + (i % 26), 97 + (((i / 26) % 26) | 0), 97 + (i % 7))}${i}`;
      return [word, i % 5 === 0 ? ['A', 'B', 'C'] : ['A']] as const;
    }),
  );
  const files = corpusFiles(words);

  it('has all variants of a word in one part, aligned', () => {
    const parts = ['train', 'dev', 'test'].map((part) => new Set(files[`${part}.words`]));
    const [train, dev, test] = parts as [Set<string>, Set<string>, Set<string>];
    expect(train.size + dev.size + test.size).toBe(words.size);
    expect(new Set([...train, ...dev, ...test]).size).toBe(words.size);
    expect(files['train.words']).toHaveLength(files['train.phones']!.length);
    for (const [line, word] of files['test.words']!.entries()) {
      const variants = ['test.phones', 'test.phones.1', 'test.phones.2'].map((name) => files[name]![line]!);
      expect(variants.filter((phones) => phones !== '')).toEqual(words.get(word));
    }
  });

  it('is what the error rate takes', () => {
    const references = ['test.phones', 'test.phones.1', 'test.phones.2'].map((name) => files[name]!);
    const hypotheses = files['test.words']!.map((word) => words.get(word)!.at(-1)!);
    expect(g2pErrorRate(hypotheses, references)).toMatchObject({ wrongWords: 0, words: hypotheses.length });
  });
});
