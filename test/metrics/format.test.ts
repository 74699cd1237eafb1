import { describe, expect, it } from 'vitest';
import { bleu, formatBleu } from '../../src/metrics/bleu.js';
import { fixed } from '../../src/metrics/format.js';

describe('fixed', () => {
  // As Python's f'{x:.{n}f}' prints them: what lies exactly in the middle goes to the even digit.
  it.each([
    [3.125, 2, '3.12'],
    [9.375, 2, '9.38'],
    [-3.125, 2, '-3.12'],
    [12.5, 0, '12'],
    [13.5, 0, '14'],
    [0.5, 0, '0'],
    [100, 1, '100.0'],
    [2.675, 2, '2.67'], // the double lies below
    [0.045, 2, '0.04'], // the double lies below
    [1.005, 2, '1.00'],
    [33.333333333333336, 4, '33.3333'],
    [0.0625, 3, '0.062'],
    [1e-7, 2, '0.00'],
  ])('%f with %i decimals', (value, decimals, text) => {
    expect(fixed(value, decimals)).toBe(text);
  });
});

describe('formatScore', () => {
  const score = bleu(['a b c d e'], ['a b c d f']);
  const confidence = { mean: 61.5, low: 50, high: 70, halfWidth: 10 };

  it('adds the interval, takes another signature, or prints the figure alone', () => {
    expect(formatBleu(score, { width: 1, signature: '#:1', confidence })).toBe(
      'BLEU|#:1 = 66.9 (μ = 61.5 ± 10.0) 80.0/75.0/66.7/50.0 (BP = 1.000 ratio = 1.000 hyp_len = 5 ref_len = 5)',
    );
    expect(formatBleu(score, { scoreOnly: true })).toBe('66.87');
    expect(formatBleu(score, { scoreOnly: true, confidence })).toBe('66.87 (μ = 61.50 ± 10.00)');
  });
});
