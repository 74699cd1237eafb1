import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bleuMetric, sentenceBleu } from '../../src/metrics/bleu.js';
import { chrfMetric, sentenceChrf } from '../../src/metrics/chrf.js';
import { expectedUtilities, minimumBayesRisk } from '../../src/search/mbr.js';
import type { SourcedList } from '../../src/search/nbest.js';

const utilities = [
  ['bleu', bleuMetric({ effectiveOrder: true }), (h: string, r: string) => sentenceBleu(h, r).score],
  ['chrf', chrfMetric(), (h: string, r: string) => sentenceChrf(h, r).score],
] as const;

function listOf(candidates: readonly (readonly [text: string, lm: number])[]): SourcedList {
  return {
    id: 0,
    source: '',
    where: 'list:1',
    entries: candidates.map(([text, lm]) => ({
      text,
      features: new Map([['lm', [lm]]]),
      total: null,
      rest: {},
    })),
  };
}

const text = fc.array(fc.constantFrom('a', 'b', 'cat', 'sat', '.'), { maxLength: 7 }).map((w) => w.join(' '));
const candidates = fc.array(fc.tuple(text, fc.integer({ min: -9, max: 0 })), { minLength: 1, maxLength: 7 });

describe('minimum Bayes risk', () => {
  it.each([
    ['BLEU', bleuMetric({ effectiveOrder: true, tokenizer: 'char', order: 6 })],
    ['chrF++', chrfMetric({ wordOrder: 2, whitespace: true })],
    ['chrF, epsilon', chrfMetric({ epsilonSmoothing: true })],
  ])('%s: compared by numbered n-grams, the same to the last bit as one by one', (_, utility) => {
    const { among, ...oneByOne } = utility;
    expect(among).toBeDefined();
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 9 }), (texts) => {
        const probabilities = texts.map((_, i) => (i + 1) / 7);
        expect(expectedUtilities(texts, probabilities, utility)).toEqual(
          expectedUtilities(texts, probabilities, oneByOne),
        );
      }),
    );
  });

  it.each(utilities)('%s: equals its definition, a double sum over the list', (_, utility, score) => {
    fc.assert(
      fc.property(candidates, fc.constantFrom(0, 0.3, 1), (given, scale) => {
        const list = listOf(given);
        const got = minimumBayesRisk(list, { utility, weights: { lm: 2 }, scale });
        const power = given.map(([, lm]) => Math.exp(scale * 2 * lm));
        const sum = power.reduce((a, b) => a + b);
        const want = given.map(([h]) =>
          given.reduce((total, [r], i) => total + (power[i]! / sum) * score(h, r), 0),
        );
        const best = Math.max(...want);
        // Totals are written with nine digits.
        got.entries.forEach((entry, k) => {
          const i = given.findIndex(([t]) => t === entry.text);
          expect(entry.total).toBeCloseTo(want[i]!, 6);
          expect(entry.features.get('mbr')).toEqual([entry.total]);
          if (k > 0) expect(entry.total!).toBeLessThanOrEqual(got.entries[k - 1]!.total!);
        });
        expect(got.entries[0]!.total).toBeCloseTo(best, 6);
      }),
      { numRuns: 60 },
    );
  });

  it('without weights counts every sample, one that was drawn twice twice', () => {
    const list = listOf([
      ['the dog barks loudly', 0],
      ['the cat sat on the mat', -50],
      ['the cat sat on the mat', -50],
    ]);
    const options = { utility: chrfMetric(), scale: 1 };
    const samples = minimumBayesRisk(list, { ...options, weights: null });
    expect(samples.entries.map((entry) => entry.text)).toEqual([
      'the cat sat on the mat',
      'the cat sat on the mat',
      'the dog barks loudly',
    ]);
    const { score } = sentenceChrf('the cat sat on the mat', 'the dog barks loudly');
    expect(samples.entries[0]!.total).toBeCloseTo((100 + 100 + score) / 3, 6);
    // By their probabilities the first is all but certain.
    const weighted = minimumBayesRisk(list, { ...options, weights: { lm: 1 } });
    expect(weighted.entries[0]!.text).toBe('the dog barks loudly');
  });

  it('takes huge scores, an empty list, and a list of one', () => {
    const options = { utility: bleuMetric({ effectiveOrder: true }), weights: { lm: 1 }, scale: 1 };
    const huge = minimumBayesRisk(
      listOf([
        ['a b', -1e300],
        ['a c', -1e5],
      ]),
      options,
    );
    expect(huge.entries.map((entry) => entry.text)).toEqual(['a c', 'a b']);
    expect(minimumBayesRisk(listOf([]), options).entries).toEqual([]);
    expect(minimumBayesRisk(listOf([['a b', -3]]), options).entries[0]!.total).toBeCloseTo(100, 9);
  });
});
