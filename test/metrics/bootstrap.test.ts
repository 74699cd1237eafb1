import { describe, expect, it } from 'vitest';
import { bleuMetric } from '../../src/metrics/bleu.js';
import { approximateRandomization, bootstrap, pairedBootstrap } from '../../src/metrics/bootstrap.js';
import { chrfMetric } from '../../src/metrics/chrf.js';
import { corpusStatistics, type MetricStatistics, sumStatistics } from '../../src/metrics/metric.js';
import { NumpyRandom } from '../../src/metrics/numpy-random.js';
import { terMetric } from '../../src/metrics/ter.js';
import { Random } from '../../src/random.js';

describe('NumpyRandom', () => {
  // Each from numpy 2.4.6; r = numpy.random.default_rng(seed) anew.
  it('draws what numpy draws', () => {
    const draws = (seed: number, n: number, count: number) => {
      const random = new NumpyRandom(seed);
      return Array.from({ length: count }, () => random.integer(n));
    };
    // default_rng(12345).choice(1000, size=12)
    expect(draws(12345, 1000, 12)).toEqual([699, 227, 788, 316, 204, 797, 642, 676, 988, 391, 839, 332]);
    // default_rng(7).choice(3000000000, size=6): many draws are rejected at this size
    expect(draws(7, 3000000000, 6)).toEqual([
      2834714867, 2052539810, 2691641402, 1734877356, 2327057070, 2500953064,
    ]);
    // default_rng(2**40 + 5).choice(3, size=6)
    expect(draws(2 ** 40 + 5, 3, 6)).toEqual([0, 0, 1, 1, 2, 1]);
    expect(draws(1, 1, 3)).toEqual([0, 0, 0]);
    // default_rng(12345).integers(2, size=70, dtype=bool)
    const bits = new Uint8Array(70);
    const random = new NumpyRandom(12345);
    random.bits(bits.subarray(0, 45));
    random.bits(bits.subarray(45));
    expect(bits.join('')).toBe('1011100110000011111111110100110110110001100011010100110001011100011110');
  });
});

/** Statistics [sum, 1] of a mean. */
const meanOf = ([sum, count]: MetricStatistics) => sum! / count!;
const rows = (values: readonly number[]): MetricStatistics[] => values.map((value) => [value, 1]);

/** Four standard errors of a share that is estimated from so many draws. */
const noise = (share: number, draws: number) => 4 * Math.sqrt((share * (1 - share)) / draws) + 1 / draws;

describe('bootstrap', () => {
  it('finds the interval of a mean: 1.96 standard errors to either side', () => {
    const random = new Random(5);
    const values = Array.from({ length: 400 }, () => random.normal());
    const mean = meanOf(sumStatistics(rows(values)));
    const deviation = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length);
    const error = deviation / Math.sqrt(values.length);
    const resamples = 4000;
    const found = bootstrap(rows(values), meanOf, { resamples });
    expect(Math.abs(found.mean - mean)).toBeLessThan((4 * error) / Math.sqrt(resamples));
    // The standard error of a 2.5 % quantile of R normal draws: sqrt(0.025 · 0.975 / R) / density(1.96) = 0.042
    // standard deviations; four of them.
    const slack = 4 * (Math.sqrt((0.025 * 0.975) / resamples) / 0.0584) * error;
    expect(Math.abs(found.low - (mean - 1.96 * error))).toBeLessThan(slack);
    expect(Math.abs(found.high - (mean + 1.96 * error))).toBeLessThan(slack);
    expect(found.halfWidth).toBeCloseTo((found.high - found.low) / 2, 12);
  });

  it('repeats with its seed and changes with another', () => {
    const values = rows([1, 2, 3, 5, 8, 13, 21, 34]);
    const run = (seed?: number) => bootstrap(values, meanOf, { resamples: 50, seed });
    expect(run()).toEqual(run(12345));
    expect(run(1).mean).not.toBe(run(2).mean);
  });

  it('has no width for one sentence', () => {
    expect(bootstrap([[3, 1]], meanOf)).toEqual({ mean: 3, low: 3, high: 3, halfWidth: 0 });
  });

  it('refuses no sentence, too few resamples, and seeds that are none', () => {
    expect(() => bootstrap([], meanOf)).toThrow('resampling: expected at least one sentence, got none');
    expect(() => bootstrap(rows([1]), meanOf, { resamples: 1 })).toThrow(
      'resampling: expected at least 2 resamples, got 1',
    );
    expect(() => bootstrap(rows([1]), meanOf, { seed: -1 })).toThrow('expected a seed from 0, got -1');
    expect(() => pairedBootstrap(rows([1]), rows([1, 2]), meanOf)).toThrow(
      'paired test: expected the same sentences of both systems, got 1 and 2',
    );
    expect(() => approximateRandomization(rows([1]), rows([2]), meanOf, { trials: 0 })).toThrow(
      'expected at least 1 trials, got 0',
    );
  });
});

describe('paired tests', () => {
  // `uneven` differs from a by numbers whose sums are all unlike, so that no resample ties with the real difference.
  const a = rows([1, 5, 2, 8, 3]);
  const b = rows([2, 7, 2, 9, 1]);
  const uneven = rows([2.29, 7.07, 2.63, 9.37, 1.93]);

  it('bootstrap: the p-value is that of all resamples there are, within the noise of the draws', () => {
    // All 5^5 resamples.
    const all: number[] = [];
    for (let code = 0; code < 5 ** 5; code++) {
      const drawn = Array.from({ length: 5 }, (_, place) => Math.floor(code / 5 ** place) % 5);
      const scores = [a, uneven].map((system) => meanOf(sumStatistics(drawn.map((i) => system[i]!))));
      all.push(scores[1]! - scores[0]!);
    }
    const share = (holds: (difference: number) => boolean) => all.filter(holds).length / all.length;
    const center = all.reduce((sum, difference) => sum + Math.abs(difference), 0) / all.length;
    const resamples = 5000;
    const found = pairedBootstrap(a, uneven, meanOf, { resamples });
    const real = (1.29 + 2.07 + 0.63 + 1.37 - 1.07) / 5;
    expect([found.a, found.b, found.difference]).toEqual(
      [3.8, 3.8 + real, real].map((value) => expect.closeTo(value, 12)),
    );
    const p = share((difference) => Math.abs(difference) - center > real);
    // The center is an estimate too: four standard errors of it (0.6 / sqrt(5000) each) move the bound, at a density
    // of the differences of at most 1.
    expect(Math.abs(found.pValue - p)).toBeLessThan(noise(p, resamples) + 0.035);
    const higher = share((difference) => difference > 0);
    expect(Math.abs(found.shareHigher - higher)).toBeLessThan(noise(higher, resamples));
    const below = share((difference) => difference < found.confidence.low);
    expect(below).toBeLessThan(0.025 + noise(0.025, resamples));
    const above = share((difference) => difference > found.confidence.high);
    expect(above).toBeLessThan(0.025 + noise(0.025, resamples));
    expect(found.confidenceB.mean).toBeCloseTo(3.8 + real, 1);
  });

  it('approximate randomization: the p-value is that of all swaps there are, within the noise of the draws', () => {
    let larger = 0;
    for (let code = 0; code < 2 ** 5; code++) {
      const swapped = (i: number) => ((code >> i) & 1) === 1;
      const first = a.map((row, i) => (swapped(i) ? b[i]! : row));
      const second = b.map((row, i) => (swapped(i) ? a[i]! : row));
      const difference = meanOf(sumStatistics(first)) - meanOf(sumStatistics(second));
      if (Math.abs(difference) > 0.4 + 1e-9) larger++;
    }
    // Sums instead of means: whole numbers, so that equal differences are equal.
    const exact = larger / 2 ** 5;
    const sums = ([sum]: MetricStatistics) => sum!;
    const found = approximateRandomization(a, b, sums, { trials: 5000 });
    expect(Math.abs(found.pValue - exact)).toBeLessThan(noise(exact, 5000));
  });

  it('calls a system and itself equal', () => {
    expect(pairedBootstrap(a, a, meanOf, { resamples: 20 }).pValue).toBe(1);
    expect(approximateRandomization(a, a, meanOf, { trials: 20 }).pValue).toBe(1);
  });

  it('finds what is plainly better', () => {
    const better = rows(Array.from({ length: 30 }, () => 2));
    const worse = rows(Array.from({ length: 30 }, () => 1));
    expect(approximateRandomization(worse, better, meanOf).pValue).toBeLessThan(0.001);
    const found = pairedBootstrap(worse, better, meanOf);
    expect([found.pValue, found.shareHigher]).toEqual([1 / 1001, 1]);
  });
});

describe('statistics', () => {
  it('give the corpus score from sums over any part of the corpus', () => {
    const hypotheses = ['the cat sat on a mat', 'on the mat', 'a dog', ''];
    const references = [
      ['the cat sat on the mat', 'upon the mat', 'the dog', 'x'],
      ['a cat was sitting there', 'on a mat', 'dogs', 'y z'],
    ];
    for (const metric of [bleuMetric(), chrfMetric({ wordOrder: 2 }), terMetric()]) {
      const { statistics } = corpusStatistics(metric, hypotheses, references);
      const part = references.map((set) => set.slice(1, 3));
      const alone = corpusStatistics(metric, hypotheses.slice(1, 3), part).statistics;
      expect(statistics.slice(1, 3)).toEqual(alone);
      expect(metric.scoreOf(sumStatistics(statistics))).toBe(
        metric.report(sumStatistics(statistics), '').score,
      );
    }
  });
});
