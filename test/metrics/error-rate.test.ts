import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance } from '../../src/metrics/edit-distance.js';
import { errorRate, g2pErrorRate } from '../../src/metrics/error-rate.js';
import type { MetricUnit } from '../../src/metrics/units.js';

/** The definition itself, without a table. */
function slowDistance(from: string[], to: string[]): number {
  if (from.length === 0 || to.length === 0) return from.length + to.length;
  return Math.min(
    slowDistance(from.slice(1), to) + 1,
    slowDistance(from, to.slice(1)) + 1,
    slowDistance(from.slice(1), to.slice(1)) + (from[0] === to[0] ? 0 : 1),
  );
}

describe('editDistance', () => {
  it('equals its definition and is a metric', () => {
    const tokens = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 5 });
    fc.assert(
      fc.property(tokens, tokens, tokens, (a, b, c) => {
        expect(editDistance(a, b)).toBe(slowDistance(a, b));
        expect(editDistance(b, a)).toBe(editDistance(a, b));
        expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c));
      }),
    );
  });
});

describe('errorRate', () => {
  it('divides the edits of the corpus by its reference words', () => {
    const score = errorRate(['the cat sat', 'on the mat now'], ['the cat sits', 'on a mat']);
    expect(score).toMatchObject({ metric: 'WER', edits: 3, referenceLength: 6, score: 50 });
    expect(score.signature).toMatch(/^nrefs:1\|case:mixed\|unit:word\|version:dragoman-/);
  });

  it('counts characters without blanks, and without case if asked', () => {
    expect(errorRate(['a B 😀'], ['ab🙁'], { unit: 'character', lowercase: true })).toMatchObject({
      metric: 'CER',
      edits: 1,
      referenceLength: 3,
    });
  });

  it('takes the nearest reference, and of equally near ones the longest', () => {
    expect(errorRate(['a b'], [['x y'], ['a b c']])).toMatchObject({ edits: 1, referenceLength: 3 });
    expect(errorRate(['a b'], [['a'], ['a b c']])).toMatchObject({ edits: 1, referenceLength: 3 });
  });

  it('goes above 100 for hypotheses that are much too long, and counts empty lines', () => {
    expect(errorRate(['a b c', ''], ['x', 'y']).score).toBe(200);
    expect(errorRate(['', ''], ['', 'y'])).toMatchObject({ edits: 1, referenceLength: 1 });
    expect([errorRate(['a'], ['']).score, errorRate([''], ['']).score]).toEqual([100, 0]);
  });

  it('refuses an empty corpus, unequal lengths and unknown units', () => {
    expect(() => errorRate([], [])).toThrow('WER: expected at least one hypothesis, got none');
    expect(() => errorRate(['a'], ['a', 'b'])).toThrow('reference set 1 as hypotheses (1), got 2');
    expect(() => errorRate(['a'], ['a'], { unit: 'phone' as MetricUnit })).toThrow(
      'unit: expected one of word, character, got "phone"',
    );
  });
});

describe('g2pErrorRate', () => {
  it('calls a word right if it matches any of its pronunciations', () => {
    const score = g2pErrorRate(
      ['T AH M AA T OW', 'R EH D', 'K AE T S'],
      [
        ['T AH M EY T OW', 'R EH D', 'K AE T'],
        ['T AH M AA T OW', 'R IY D', ''],
        ['', '', ''],
      ],
    );
    expect(score).toMatchObject({ words: 3, wrongWords: 1, edits: 1, phones: 12 });
    expect(score.wordErrorRate).toBeCloseTo(100 / 3, 9);
    expect(score.phoneErrorRate).toBeCloseTo(100 / 12, 9);
    expect(score.signature).toMatch(/^nrefs:var\|unit:phone\|version:/);
  });

  it('counts an empty hypothesis as all phones wrong', () => {
    expect(g2pErrorRate([''], ['K AE T'])).toMatchObject({ wordErrorRate: 100, phoneErrorRate: 100 });
  });

  it('refuses a word without a pronunciation', () => {
    expect(() => g2pErrorRate(['A', 'B'], [['A', ' ']])).toThrow(
      'G2P: line 2: expected a reference, got none',
    );
  });
});
