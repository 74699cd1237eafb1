import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createTokenizer } from '../../src/text/tokenizer.js';

const KINDS = ['character', 'word'] as const;
const create = (kind: (typeof KINDS)[number], lowercase = false) => createTokenizer({ kind, lowercase }, '.');

/** Text with what tokenizers get wrong more often than arbitrary characters would hold it. */
const piece = fc.constantFrom(
  ...[' ', '  ', '\t', '\r', '\u00A0', '\u2028', '\uFEFF', '￭', '￮', '￮0', '￮1', '\\', '<s>', '</s>', '▁'],
  ...[
    'a',
    'Ab',
    "don't",
    '12',
    '3rd',
    '{0}',
    'é',
    'e\u0301',
    '\u0301',
    'ß',
    'Σ',
    '你好',
    'ありがとう',
    'สวัสดี',
    '👩‍👩‍👧',
    '🇩🇪',
  ],
  ...['.', '...', '"', '(', '\uD83D', '\uDE00', '\0', '\u200D'],
);
const text = fc.oneof(
  fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
);

describe.each(KINDS)('%s', (kind) => {
  test('joining gives any text back', async () => {
    const tokenizer = await create(kind);
    fc.assert(
      fc.property(text, (t) => {
        const tokens = tokenizer.segment(t);
        expect(tokens).not.toContain('');
        expect(tokenizer.join(tokens)).toBe(t);
      }),
      { numRuns: 3000 },
    );
  });

  test('lowercase: joining gives the lower-cased text back', async () => {
    const tokenizer = await create(kind, true);
    fc.assert(
      fc.property(text, (t) => void expect(tokenizer.join(tokenizer.segment(t))).toBe(t.toLowerCase())),
    );
  });

  test('joining takes any tokens', async () => {
    const tokenizer = await create(kind);
    fc.assert(
      fc.property(fc.array(text), (tokens) => void expect(typeof tokenizer.join(tokens)).toBe('string')),
    );
  });

  test('no text, no tokens', async () => {
    const tokenizer = await create(kind);
    expect(tokenizer.segment('')).toEqual([]);
    expect(tokenizer.join([])).toBe('');
  });
});

describe('character', () => {
  test('a token is what a reader takes for one character', async () => {
    const tokenizer = await create('character');
    expect(tokenizer.segment('e\u0301 🇩🇪👩‍👩‍👧ß')).toEqual(['e\u0301', ' ', '🇩🇪', '👩‍👩‍👧', 'ß']);
    expect(tokenizer.segment('a b')).toEqual(['a', ' ', 'b']);
  });
});

test('every character that is split off without the segmenter is one to it', async () => {
  const tokenizer = await create('character');
  const segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' });
  const characters = Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code));
  for (let i = 0; i < characters.length; i += i < 0x3100 ? 1 : 37) {
    const character = characters[i]!;
    const text = `a${character}${characters[(i * 7919) % 0x10000]}${character}Z`;
    const expected = Array.from(segmenter.segment(text), ({ segment }) => segment);
    if (tokenizer.segment(text).join('|') !== expected.join('|')) throw new Error(`U+${i.toString(16)}`);
  }
});

describe('word', () => {
  const cases: [string, string][] = [
    ['A man, with a dog.', 'A man ￭, with a dog ￭.'],
    ["don't", "don ￭'￭ t"],
    ['say (so)!', 'say (￭ so ￭) ￭!'],
    ['"Ja."', '"￭ Ja ￭. ￭"'],
    ['3.5% of {0}', '3 ￭.￭ 5 ￭% of {￭ 0 ￭}'],
    ['B2B', 'B ￭2 ￭B'],
    ['naïve Straße', 'naïve Straße'],
    ['你好 x', '你 ￭好 x'],
    ['x￭y￮', 'x ￭￮1￭ y ￭￮0'],
    ['<s> a', '<￭ s ￭> a'],
  ];
  test.each(cases)('%s', async (sentence, tokens) => {
    expect((await create('word')).segment(sentence)).toEqual(tokens.split(' '));
  });

  test('blanks beyond the one space between tokens are tokens', async () => {
    const tokenizer = await create('word');
    expect(tokenizer.segment('a  b')).toEqual(['a', '￭ ', 'b']);
    expect(tokenizer.segment(' a\tb ')).toEqual([' ￭', 'a', '￭\t￭', 'b', '￭ ']);
  });

  test('no token holds a plain space, unless it is blank, nor spells a special', async () => {
    const tokenizer = await create('word');
    fc.assert(
      fc.property(text, (t) => {
        for (const token of tokenizer.segment(t)) expect(token).toMatch(/^(￭?\s￭?|[^ ]+)$/);
      }),
    );
  });
});
