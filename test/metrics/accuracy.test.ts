import { describe, expect, it } from 'vitest';
import { accuracy } from '../../src/metrics/accuracy.js';

describe('accuracy', () => {
  it('counts equal lines, and equal tokens by position', () => {
    const score = accuracy(['1 0 1', '1 1', '0 0 0 0'], ['1 0 1', '1 0', '0 0']);
    expect(score).toMatchObject({ sequences: 3, correctSequences: 1, tokens: 9, correctTokens: 6 });
    expect(score.sequence).toBeCloseTo(100 / 3, 9);
    expect(score.token).toBeCloseTo(600 / 9, 9);
  });

  it('counts characters, and ignores case if asked', () => {
    expect(accuracy(['1001'], ['1011'], { unit: 'character' }).token).toBe(75);
    expect(accuracy(['Yes'], ['yes']).sequence).toBe(0);
    expect(accuracy(['Yes'], ['yes'], { lowercase: true }).sequence).toBe(100);
  });

  it('takes the reference that agrees most', () => {
    expect(accuracy(['a b'], [['a c'], ['a b']])).toMatchObject({ correctSequences: 1, correctTokens: 2 });
  });

  it('lets two empty lines agree', () => {
    expect(accuracy([''], [''])).toMatchObject({ sequence: 100, token: 100 });
    expect(accuracy([''], [['a'], ['']])).toMatchObject({ sequence: 100 });
    expect(accuracy([''], ['a'])).toMatchObject({ sequence: 0, token: 0 });
  });

  it('refuses an empty corpus and unequal lengths', () => {
    expect(() => accuracy([], [])).toThrow('accuracy: expected at least one hypothesis, got none');
    expect(() => accuracy(['a'], ['a', 'b'])).toThrow('reference set 1 as hypotheses (1), got 2');
  });
});
