import { describe, expect, it } from 'vitest';
import { codePoints } from '../../src/subword/code-points.js';
import { type PieceRuleOptions, PieceRules } from '../../src/subword/piece-rules.js';

const DEFAULTS: PieceRuleOptions = {
  maxSentencepieceLength: 4,
  splitByUnicodeScript: true,
  splitByWhitespace: true,
  splitByNumber: true,
  splitDigits: false,
  treatWhitespaceAsSuffix: false,
};

function allows(piece: string, options: Partial<PieceRuleOptions> = {}): boolean {
  const points = codePoints(piece);
  const rules = new PieceRules(points, { ...DEFAULTS, ...options });
  return rules.allows([...points.keys()], 0, points.length);
}

describe('PieceRules', () => {
  it.each<[piece: string, allowed: boolean, options?: Partial<PieceRuleOptions>]>([
    ['abcd', true],
    ['abcde', false], // too long
    ['abcde', true, { maxSentencepieceLength: 5 }],
    ['▁ab', true],
    ['ab▁', false],
    ['ab▁', true, { treatWhitespaceAsSuffix: true }],
    ['▁ab', false, { treatWhitespaceAsSuffix: true }],
    ['a▁b', false],
    ['a▁b', true, { splitByWhitespace: false }],
    ['ab▁', false, { splitByWhitespace: false }],
    ['▁ab', false, { splitByWhitespace: false, treatWhitespaceAsSuffix: true }],
    ['a1', false], // digits are of no script
    ['a1', true, { splitByNumber: false }],
    ['a1', true, { splitByUnicodeScript: false }],
    ['aб', false],
    ['aб', true, { splitByUnicodeScript: false }],
    ['漢かナー', true], // kana go with Han
    ['e\u0301t', true], // a mark takes the script of its letter
    ['12', true],
    ['12', false, { splitDigits: true }],
    ['1', true, { splitDigits: true }],
    ['１２', false, { splitDigits: true }], // full width
    ['٣٤', true, { splitDigits: true }], // others are not told apart
    ['a▅', false], // stands for unknown characters
    ['a\t', false],
  ])('%j: %s (%j)', (piece, allowed, options) => {
    expect(allows(piece, options)).toBe(allowed);
  });
});
