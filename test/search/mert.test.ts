import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/random.js';
import {
  bestRows,
  CandidateCollector,
  type CandidateTable,
  choiceStatistics,
} from '../../src/search/candidates.js';
import { searchLine, upperEnvelope } from '../../src/search/line-search.js';
import { type MertOptions, mert } from '../../src/search/mert.js';

/** Right choices over all choices: statistics [right, 1]. Simple, and as jagged as BLEU. */
const share = (sum: readonly number[]): number => sum[0]! / sum[1]!;

/** A measure that is no sum over sentences: the geometric mean of two corpus ratios, like BLEU's precisions. */
const product = (sum: readonly number[]): number => Math.sqrt((sum[0]! * sum[1]!) / (sum[2]! * sum[2]!));

interface Shape {
  sentences: number;
  candidates: number;
  features: number;
  /** Features are whole numbers from 0 to this, so that lines are parallel and meet in one point; else any. */
  whole?: number;
}

/** Random candidates; statistics [a, b, c] with a, b at most c. */
function randomTable(seed: number, { sentences, candidates, features, whole }: Shape): CandidateTable {
  const random = new Random(seed);
  const names = Array.from({ length: features }, (_, i) => `f${i}`);
  const collector = new CandidateCollector(names, 3);
  for (let s = 0; s < sentences; s++) {
    for (let k = 1 + random.integer(candidates); k > 0; k--) {
      const c = 1 + random.integer(9);
      collector.add(
        names.map(() => (whole === undefined ? random.normal() : random.integer(whole + 1))),
        [random.integer(c + 1), random.integer(c + 1), c],
      );
    }
    collector.endSentence();
  }
  collector.addEmpty([0, 0, 3]);
  return collector.table();
}

const along = (weights: ArrayLike<number>, direction: ArrayLike<number>, step: number): Float64Array =>
  Float64Array.from(weights, (w, i) => w + step * direction[i]!);

/** The slow twin: where any two candidates of a sentence are equal, and the metric in the middle of all intervals. */
function enumerate(table: CandidateTable, weights: number[], direction: number[]): number {
  const dot = (row: number, w: number[]): number =>
    w.reduce((sum, value, i) => sum + value * table.features[row * w.length + i]!, 0);
  const crossings: number[] = [];
  for (let s = 0; s + 1 < table.starts.length; s++) {
    for (let a = table.starts[s]!; a < table.starts[s + 1]!; a++) {
      for (let b = a + 1; b < table.starts[s + 1]!; b++) {
        const x = (dot(a, weights) - dot(b, weights)) / (dot(b, direction) - dot(a, direction));
        if (Number.isFinite(x)) crossings.push(x);
      }
    }
  }
  crossings.sort((a, b) => a - b);
  const points = [(crossings[0] ?? 0) - 1, (crossings.at(-1) ?? 0) + 1];
  for (let i = 0; i + 1 < crossings.length; i++) {
    const [left, right] = [crossings[i]!, crossings[i + 1]!];
    if (right - left > 1e-8) points.push((left + right) / 2);
  }
  return Math.max(
    ...points.map((x) => product(choiceStatistics(table, bestRows(table, along(weights, direction, x))))),
  );
}

describe('line search', () => {
  it.each([
    ['any values', undefined],
    ['whole numbers: parallel lines, common crossings, equal candidates', 2],
  ])('finds what enumerating every interval finds: %s', (_, whole) => {
    const shape = fc.record({
      sentences: fc.integer({ min: 1, max: 6 }),
      candidates: fc.integer({ min: 1, max: 6 }),
      features: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(fc.integer(), shape, (seed, size) => {
        const table = randomTable(seed, { ...size, whole });
        const random = new Random(seed + 1);
        const weights = table.names.map(() => random.normal());
        const direction = table.names.map(() => random.normal());
        const found = searchLine(table, weights, direction, product);
        expect(found.score).toBe(enumerate(table, weights, direction));
        // The score is that of the weights it leads to.
        const there = along(weights, direction, found.step);
        expect(product(choiceStatistics(table, bestRows(table, there)))).toBe(found.score);
      }),
      { numRuns: 300 },
    );
  });

  it('goes to the middle of the widest of the best stretches', () => {
    // One sentence, lines 0, x - 1 and 4 (x - 3): the second is best from 1 to 11/3, so the middle is 7/3.
    const collector = new CandidateCollector(['a', 'b'], 3);
    collector.add([0, 0], [0, 0, 1]);
    collector.add([-1, 1], [1, 1, 1]);
    collector.add([-12, 4], [0, 0, 1]);
    collector.endSentence();
    const found = searchLine(collector.table(), [1, 0], [0, 1], product);
    expect(found.score).toBe(1);
    expect(found.step).toBeCloseTo(7 / 3, 12);
  });

  it('a direction that changes nothing stays where it is', () => {
    const table = randomTable(1, { sentences: 3, candidates: 4, features: 2 });
    const found = searchLine(table, [1, 1], [0, 0], product);
    expect(found).toEqual({ step: 0, score: product(choiceStatistics(table, bestRows(table, [1, 1]))) });
  });

  it('the envelope is the maximum of all lines, everywhere', () => {
    const line = fc.tuple(fc.integer({ min: -5, max: 5 }), fc.integer({ min: -3, max: 3 }));
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 12 }), (lines) => {
        const a = Float64Array.from(lines, ([intercept]) => intercept);
        const b = Float64Array.from(lines, ([, slope]) => slope);
        const { rows, positions } = upperEnvelope(a, b, 0, lines.length);
        expect(positions[0]).toBe(Number.NEGATIVE_INFINITY);
        for (let x = -12; x <= 12; x += 0.25) {
          const on = rows[positions.findLastIndex((position) => position <= x)]!;
          expect(a[on]! + x * b[on]!).toBeCloseTo(Math.max(...lines.map(([c, d]) => c + x * d)), 9);
        }
        // Of equal lines the first.
        for (const row of rows) expect(lines.findIndex(([c, d]) => c === a[row] && d === b[row])).toBe(row);
      }),
    );
  });
});

describe('MERT', () => {
  const options: MertOptions = { initial: [1, 1], restarts: 10, randomDirections: 2, seed: 1 };

  it('reaches the best of a grid, with three features', async () => {
    for (let seed = 11; seed <= 14; seed++) {
      const table = randomTable(seed, { sentences: 12, candidates: 6, features: 3 });
      const { score } = await mert(table, product, { ...options, initial: [1, 1, 1] });
      // Only the direction matters: 90,000 of them, even over latitude and longitude.
      let grid = 0;
      for (let i = 0; i < 300; i++) {
        const z = (2 * (i + 0.5)) / 300 - 1;
        const radius = Math.sqrt(1 - z * z);
        for (let j = 0; j < 300; j++) {
          const angle = (2 * Math.PI * j) / 300;
          const choice = bestRows(table, [radius * Math.cos(angle), radius * Math.sin(angle), z]);
          grid = Math.max(grid, product(choiceStatistics(table, choice)));
        }
      }
      expect(score).toBeGreaterThanOrEqual(grid);
    }
  });

  it('reaches the best of a dense grid, with two features', async () => {
    for (let seed = 1; seed <= 8; seed++) {
      const table = randomTable(seed, { sentences: 12, candidates: 6, features: 2 });
      const { weights, score } = await mert(table, product, options);
      // Only the direction of two weights matters: 20,000 angles see every interval wider than 0.0003.
      let grid = 0;
      for (let i = 0; i < 20_000; i++) {
        const angle = (2 * Math.PI * i) / 20_000;
        const choice = bestRows(table, [Math.cos(angle), Math.sin(angle)]);
        grid = Math.max(grid, product(choiceStatistics(table, choice)));
      }
      expect(score).toBeGreaterThanOrEqual(grid);
      expect(product(choiceStatistics(table, bestRows(table, weights)))).toBe(score);
      expect(Math.abs(weights[0]!) + Math.abs(weights[1]!)).toBeCloseTo(1, 3);
    }
  });

  it('finds the weights that a planted scorer has, however differently the features are scaled', async () => {
    // The right candidate is the one that 0.7 a - 0.2 b is highest for; b counts in thousands, c is noise.
    const random = new Random(5);
    const collector = new CandidateCollector(['a', 'b', 'c'], 2);
    for (let s = 0; s < 200; s++) {
      const rows = Array.from({ length: 8 }, () => [random.normal(), random.normal(), random.normal()]);
      const values = rows.map(([a, b]) => 0.7 * a! - 0.2 * b!);
      const right = values.indexOf(Math.max(...values));
      rows.forEach(([a, b, c], i) => {
        collector.add([a!, 1000 * b!, 0.001 * c!], [i === right ? 1 : 0, 1]);
      });
      collector.endSentence();
    }
    const { weights, score } = await mert(collector.table(), share, {
      ...options,
      initial: [0, 1, 0],
      randomDirections: 3,
    });
    expect(score).toBe(1);
    expect((1000 * weights[1]!) / weights[0]!).toBeCloseTo(-2 / 7, 1);
  });

  it('the same seed gives the same weights; another one tries other starts', async () => {
    const table = randomTable(3, { sentences: 30, candidates: 8, features: 4 });
    const run = (seed: number) => mert(table, product, { ...options, initial: [1, 0, 0, 0], seed });
    const [one, again, two] = [await run(1), await run(1), await run(2)];
    expect(again).toEqual(one);
    expect(two.runs).not.toEqual(one.runs);
    expect(two.runs[0]!.from).toBe(one.runs[0]!.from);
  });

  it('is never worse than where it began, and more restarts never worse than fewer', async () => {
    const table = randomTable(4, { sentences: 30, candidates: 8, features: 4 });
    const initial = [0.5, -1, 0, 2];
    const start = product(choiceStatistics(table, bestRows(table, initial)));
    const scores: number[] = [];
    for (const restarts of [0, 3, 12]) {
      scores.push((await mert(table, product, { ...options, initial, restarts })).score);
    }
    expect(scores[0]).toBeGreaterThanOrEqual(start);
    expect(scores.toSorted((a, b) => a - b)).toEqual(scores);
  });

  it('gives a feature that tells no candidates apart the weight 0, and names it', async () => {
    const collector = new CandidateCollector(['same', 'a'], 2);
    for (let s = 0; s < 3; s++) {
      // 0.1 is no binary fraction: the mean of three of them is not 0.1.
      for (let k = 0; k < 3; k++) collector.add([0.1 * (s + 1), k], [k === 2 ? 1 : 0, 1]);
      collector.endSentence();
    }
    const { weights, constant, score } = await mert(collector.table(), share, {
      ...options,
      initial: [1, -1],
    });
    expect([weights[0], constant, score]).toEqual([0, ['same'], 1]);
    expect(weights[1]).toBeGreaterThan(0);
  });

  it('gives a feature that repeats another the weight 0, and names it', async () => {
    const { starts, statistics, features } = randomTable(6, { sentences: 20, candidates: 6, features: 2 });
    const twice = Float64Array.from(
      { length: 3 * starts.at(-1)! },
      (_, i) => features[2 * Math.floor(i / 3) + ((i % 3) % 2)]!,
    );
    const table = { names: ['a', 'b', 'again'], starts, statistics, features: twice };
    const { weights, repeated, score, runs } = await mert(table, product, { ...options, initial: [1, 0, 2] });
    // The weight that the repetition begins with is the first one's.
    expect(runs[0]!.from).toBe(product(choiceStatistics(table, bestRows(table, [3, 0, 0]))));
    expect([repeated, weights[2]]).toEqual([['again'], 0]);
    const alone = await mert({ names: ['a', 'b'], starts, statistics, features }, product, options);
    // Runs draw other starts when there are more columns; both find the best of two dimensions.
    expect(score).toBe(alone.score);
  });

  it('says when there is nothing to learn', async () => {
    const collector = new CandidateCollector(['a'], 2);
    collector.add([3], [1, 1]);
    collector.endSentence();
    await expect(mert(collector.table(), share, { ...options, initial: [1] })).rejects.toThrow(
      /expected features that tell candidates of a sentence apart, got none/,
    );
  });
});
