import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BleuSmoothing, bleu, formatBleu, sentenceBleu } from '../../src/metrics/bleu.js';
import { type BleuTokenizer, bleuTokenizer } from '../../src/metrics/bleu-tokenizer.js';

const lines = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' ', '.', '7') }), {
  minLength: 1,
  maxLength: 6,
});

describe('bleu', () => {
  it('follows the formula on a case worked by hand', () => {
    // 4 of 5 words, 2 of 4 bigrams, 1 of 3 trigrams, 0 of 2 four-grams (half a match by exp); 5 words against 6.
    const score = bleu(['the cat sat on mat'], ['the cat sat upon the mat']);
    expect(score.precisions.map((p) => p / 100)).toEqual(
      [4 / 5, 2 / 4, 1 / 3, 1 / 4].map((p) => expect.closeTo(p, 12)),
    );
    const mean = (0.8 * 0.5 * (1 / 3) * 0.25) ** 0.25;
    expect(score.score).toBeCloseTo(100 * Math.exp(1 - 6 / 5) * mean, 9);
  });

  it('is 100 for the reference itself and 0 without a match', () => {
    expect(bleu(['one two three four'], ['one two three four']).score).toBeCloseTo(100, 9);
    expect(bleu(['five six seven eight'], ['one two three four']).score).toBe(0);
    expect(bleu([''], ['one two three four']).score).toBe(0);
    expect(bleu([''], ['']).score).toBe(0);
  });

  it('takes one set of references with or without the outer list', () => {
    expect(bleu(['a b c d e'], ['a b c d f'])).toEqual(bleu(['a b c d e'], [['a b c d f']]));
  });

  it('stays between 0 and 100 and does not depend on the order of lines or of reference sets', () => {
    fc.assert(
      fc.property(lines, lines, lines, (hypotheses, first, second) => {
        const size = Math.min(hypotheses.length, first.length, second.length);
        const cut = (texts: string[]) => texts.slice(0, size);
        const score = bleu(cut(hypotheses), [cut(first), cut(second)]);
        expect(score.score).toBeGreaterThanOrEqual(0);
        expect(score.score).toBeLessThanOrEqual(100 + 1e-9);
        const turned = (texts: string[]) => cut(texts).reverse();
        expect(bleu(turned(hypotheses), [turned(second), turned(first)])).toEqual(score);
      }),
    );
  });

  it('names its settings', () => {
    const version = /version:dragoman-\d+\.\d+\.\d+$/;
    const signed = (options: Parameters<typeof bleu>[2]) => bleu(['a'], [['a'], ['b']], options).signature;
    expect(signed({})).toMatch(/^nrefs:2\|case:mixed\|eff:no\|tok:13a\|smooth:exp\|version:/);
    expect(signed({ lowercase: true, tokenizer: 'none', smoothing: 'floor', effectiveOrder: true })).toMatch(
      /^nrefs:2\|case:lc\|eff:yes\|tok:none\|smooth:floor\[0\.10\]\|version:/,
    );
    expect(signed({})).toMatch(version);
    expect(
      bleu(
        ['a', 'b'],
        [
          ['a', 'b'],
          [null, 'b'],
        ],
      ).signature,
    ).toMatch(/^nrefs:var\|/);
    expect(sentenceBleu('a', 'a').signature).toMatch(/\|eff:yes\|/);
  });

  it("prints sacreBLEU's line", () => {
    expect(formatBleu(bleu(['a b c d e'], ['a b c d f']))).toMatch(
      /^BLEU\|nrefs:1\|[^ ]* = 66\.87 80\.0\/75\.0\/66\.7\/50\.0 \(BP = 1\.000 ratio = 1\.000 hyp_len = 5 ref_len = 5\)$/,
    );
  });

  it('refuses what is not aligned', () => {
    expect(() => bleu([], [])).toThrow('BLEU: expected at least one hypothesis, got none');
    expect(() => bleu(['a'], [])).toThrow('BLEU: expected at least one set of references, got none');
    expect(() => bleu(['a', 'b'], [['a', 'b'], ['a']])).toThrow(
      'BLEU: expected as many lines in reference set 2 as hypotheses (2), got 1',
    );
    expect(() => bleu(['a', 'b'], [['a', null]])).toThrow('BLEU: line 2: expected a reference, got none');
    expect(() => sentenceBleu('a', [])).toThrow('got none');
  });

  it('refuses unknown option values and lists the choices', () => {
    expect(() => bleu(['a'], ['a'], { tokenizer: 'toString' as BleuTokenizer })).toThrow(
      'BLEU tokenizer: expected one of 13a, intl, zh, char, none, got "toString"',
    );
    expect(() => bleu(['a'], ['a'], { smoothing: 'linear' as BleuSmoothing })).toThrow(
      'BLEU smoothing: expected one of exp, floor, add-k, none, got "linear"',
    );
    expect(() => bleu(['a'], ['a'], { smoothingValue: 2 })).toThrow(
      'BLEU smoothing: exp takes no value, got 2',
    );
    expect(() => bleu(['a'], ['a'], { smoothing: 'floor', smoothingValue: Number.NaN })).toThrow('got NaN');
  });
});

describe('tokenizer 13a', () => {
  const tokenize = bleuTokenizer('13a');
  // What mteval-v13a's rules say, worked by hand.
  it.each([
    ['Hello, world!', 'Hello , world !'],
    ['3.14 and 1,000 but 10. and .5', '3.14 and 1,000 but 10 . and . 5'],
    ['2016-05-01 well-known', '2016 - 05 - 01 well-known'],
    ["don't &quot;quote&quot; &amp;lt;b&amp;gt;", `don't " quote " < b >`],
    ['a\u00a0b\u3000c\u0085d\ufeffe', 'a b c d\ufeffe'],
    ['U.S.A.', 'U . S . A .'],
    ['{0} of {1}', '{ 0 } of { 1 }'],
    ['end-\nof line\nnext', 'endof line next'],
    ['', ''],
    ['…–«»', '…–«»'],
  ])('%j', (line, tokens) => {
    expect(tokenize(line).join(' ')).toBe(tokens);
  });
});

// The rules worked by hand; sacrebleu.test.ts compares them with sacreBLEU.
describe.each<{ name: BleuTokenizer; cases: [line: string, tokens: string][] }>([
  {
    name: 'intl',
    cases: [
      ['Hello, «world»!', 'Hello , « world » !'],
      ['3.14 1,000.50 in 2016.', '3.14 1,000.50 in 2016.'],
      ['5€ + x=1', '5 € + x = 1'],
      ['well-known', 'well - known'],
    ],
  },
  {
    name: 'zh',
    cases: [
      ['打开 Hex 编辑器(H)。', '打 开 Hex 编 辑 器 ( H ) 。'],
      ['１２ㄅ', '１ ２ ㄅ'],
      ['\u{20000}\u{20001}', '\u{20000}\u{20001}'],
    ],
  },
  { name: 'char', cases: [['ab 😀 c', 'a b 😀 c']] },
])('tokenizer $name', ({ name, cases }) => {
  it.each(cases)('%j', (line, tokens) => {
    expect(bleuTokenizer(name)(line).join(' ')).toBe(tokens);
  });
});
