import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BOS, EOS, PAD, SPECIALS, UNK, Vocabulary } from '../../src/text/vocabulary.js';

const lines = (text: string) => text.split('\n').slice(0, -1);
const spec = { minFrequency: 1, maxSize: 1000 };
const tokensOf = (v: Vocabulary) => Array.from({ length: v.size }, (_, id) => v.token(id));

describe('Vocabulary', () => {
  test('the specials come first', () => {
    const vocabulary = Vocabulary.of(['a']);
    expect(tokensOf(vocabulary)).toEqual(['<pad>', '<unk>', '<s>', '</s>', 'a']);
    expect([PAD, UNK, BOS, EOS]).toEqual([0, 1, 2, 3]);
    expect(vocabulary.id('a')).toBe(4);
    expect(vocabulary.id('b')).toBe(UNK);
    expect(() => vocabulary.token(5)).toThrow('expected a token id from 0 to 4, got 5');
  });

  test('by count, then by code point', () => {
    const counts = new Map([
      ['b', 2],
      ['a', 2],
      ['c', 5],
      ['\u{10000}', 2],
      ['\uFFFD', 2],
      ['ab', 2],
      ['once', 1],
    ]);
    const order = ['c', 'a', 'ab', 'b', '\uFFFD', '\u{10000}', 'once'];
    expect(tokensOf(Vocabulary.build(counts, spec)).slice(4)).toEqual(order);
    expect(tokensOf(Vocabulary.build(counts, { ...spec, minFrequency: 2 })).slice(4)).toEqual(
      order.slice(0, 6),
    );
    expect(tokensOf(Vocabulary.build(counts, { ...spec, maxSize: 2 })).slice(4)).toEqual(order.slice(0, 2));
  });

  test('the order does not depend on the order of counting', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ minLength: 1, maxLength: 3 }), fc.integer({ min: 1, max: 3 })),
        (d) => {
          const entries = Object.entries(d);
          const a = Vocabulary.build(new Map(entries), spec);
          const b = Vocabulary.build(new Map([...entries].reverse()), spec);
          expect(a.equals(b)).toBe(true);
        },
      ),
    );
  });

  test('text that spells a special is not the special', () => {
    const vocabulary = Vocabulary.build(new Map([['x', 1]]), spec);
    for (const special of SPECIALS) expect(vocabulary.id(special)).toBe(UNK);
    const counted = Vocabulary.build(new Map([['<s>', 1]]), spec);
    expect(counted.id('<s>')).toBe(4);
  });

  test('a file gives any tokens back', () => {
    const odd = fc.constantFrom(
      '\n',
      '\r',
      '\\',
      '\\n',
      '\t',
      ' ',
      '\u2028',
      '\0',
      '\uD800',
      '<s>',
      '\\<s>',
      '\uFEFF',
    );
    const token = fc.oneof(
      odd,
      fc.string({ unit: 'binary', minLength: 1 }),
      fc.stringMatching(/^[\\nru0-9<]+$/),
    );
    fc.assert(
      fc.property(fc.uniqueArray(token, { maxLength: 10 }), (tokens) => {
        const vocabulary = Vocabulary.of(tokens);
        const text = vocabulary.text();
        expect(lines(text)).toHaveLength(vocabulary.size);
        expect(text.isWellFormed()).toBe(true);
        expect(Vocabulary.parse(lines(text), 'v').equals(vocabulary)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

describe('a file that is no vocabulary', () => {
  const cases: [string, string[], string][] = [
    ['empty', [], 'v:1: expected the special token <pad>, got the end of the file'],
    ['without specials', ['the', 'of'], 'v:1: expected the special token <pad>, got "the"'],
    ['cut off', ['<pad>', '<unk>'], 'v:3: expected the special token <s>, got the end of the file'],
    [
      'with a token twice',
      [...SPECIALS, 'a', 'b', 'a'],
      'v:7: expected each token once, got "a" again, as on line 5',
    ],
    ['with a special twice', [...SPECIALS, '<s>'], 'v:5: expected the special token <s> at the top only'],
    ['with an empty line', [...SPECIALS, 'a', '', 'b'], 'v:6: expected a token, got an empty line'],
    ['with a broken escape', [...SPECIALS, 'a\\x'], 'v:5: expected one of the escapes'],
    ['ending in an escape', [...SPECIALS, 'a\\'], 'v:5: expected one of the escapes'],
  ];
  test.each(cases)('%s', (_, given, message) => {
    expect(() => Vocabulary.parse(given, 'v')).toThrow(message);
  });
});
