import { describe, expect, it } from 'vitest';
import { bleu } from '../../src/metrics/bleu.js';
import { chrf, formatChrf, sentenceChrf } from '../../src/metrics/chrf.js';

describe('chrf', () => {
  it('follows the formula on a case worked by hand', () => {
    // "ab" against "abc": P = (2/2 + 1/1)/2 = 1, R = (2/3 + 1/2)/2 = 7/12; the hypothesis has no trigram.
    const { score, precision, recall } = chrf(['a b'], ['abc']);
    expect([precision, recall]).toEqual([100, expect.closeTo(700 / 12, 9)]);
    expect(score).toBeCloseTo((100 * 5 * (7 / 12)) / (4 + 7 / 12), 9);
  });

  it('counts code points, not UTF-16 units', () => {
    // One character of three is right: with UTF-16 units the shared high surrogate would count as well.
    expect(chrf(['😀😁😂'], ['😀🙁🙂'], { characterOrder: 1 }).score).toBeCloseTo(100 / 3, 9);
  });

  it('takes the better of several references, line by line', () => {
    const [first, second] = [
      ['one', 'x'],
      ['y', 'two'],
    ];
    expect(chrf(['one', 'two'], [first!, second!]).score).toBeCloseTo(100, 9);
  });

  it('is 0 for empty lines and without a match', () => {
    expect(chrf([''], ['']).score).toBe(0);
    expect(chrf(['abc'], ['']).score).toBe(0);
    expect(chrf(['abc'], ['xyz']).score).toBe(0);
  });

  it('names its settings', () => {
    expect(chrf(['a'], ['a']).metric).toBe('chrF2');
    expect(chrf(['a'], ['a'], { wordOrder: 2, beta: 3 }).metric).toBe('chrF3++');
    expect(chrf(['a'], ['a'], { wordOrder: 2, lowercase: true }).signature).toMatch(
      /^nrefs:1\|case:lc\|eff:yes\|nc:6\|nw:2\|space:no\|version:dragoman-/,
    );
    expect(formatChrf(sentenceChrf('abc', ['abc']))).toMatch(/^chrF2\|nrefs:1\|[^ ]* = 100\.00$/);
  });

  it('refuses what is not aligned and settings out of range', () => {
    expect(() => chrf(['a', 'b'], ['a'])).toThrow(
      'chrF2: expected as many lines in reference set 1 as hypotheses (2), got 1',
    );
    expect(() => chrf([], [])).toThrow('chrF2: expected at least one hypothesis, got none');
    expect(() => chrf(['a'], ['a'], { characterOrder: 1.5 })).toThrow(
      'expected characterOrder to be a whole number',
    );
    expect(() => chrf(['a'], ['a'], { characterOrder: 0 })).toThrow(
      'expected characterOrder or wordOrder above 0',
    );
    expect(() => chrf(['a'], ['a'], { beta: 0 })).toThrow('expected beta above 0, got 0');
  });
});

// CHRF().sentence_score and BLEU(tokenize='char').corpus_score of sacreBLEU 2.6.0.
it('halves of surrogate pairs that a blank kept apart are two characters', () => {
  expect(sentenceChrf('a \ud83d \ude00 b', 'a \ud83d \ude00 c').score).toBeCloseTo(47.91666666666667, 9);
  expect(bleu(['\ud83d \ude00 b'], ['\ud83d \ude00 a'], { tokenizer: 'char' }).totals).toEqual([3, 2, 1, 0]);
});
