import { describe, expect, test } from 'vitest';
import { Random } from '../../src/random.js';
import {
  type ModelType,
  normalizerSpec,
  PIECE_TYPES,
  type SubwordModel,
  trainerSpec,
} from '../../src/subword/model.js';
import { SubwordProcessor } from '../../src/subword/processor.js';

function model(modelType: ModelType, scores: Readonly<Record<string, number>>): SubwordModel {
  const pieces = Object.entries(scores).map(([piece, score]) => ({ piece, score, type: PIECE_TYPES.normal }));
  return {
    pieces: [{ piece: '<unk>', score: 0, type: PIECE_TYPES.unknown }, ...pieces],
    trainer: trainerSpec({ modelType }),
    normalizer: normalizerSpec({ addDummyPrefix: false }),
    denormalizer: null,
  };
}

/** Every way to cut text into pieces that `score` knows, with the sum of their scores. */
function segmentations(text: string, score: (piece: string) => number | undefined): Map<string, number> {
  if (text === '') return new Map([['', 0]]);
  const found = new Map<string, number>();
  for (let length = 1; length <= text.length; length++) {
    const piece = text.slice(0, length);
    const own = score(piece);
    if (own === undefined) continue;
    for (const [rest, sum] of segmentations(text.slice(length), score)) {
      found.set(rest === '' ? piece : `${piece} ${rest}`, own + sum);
    }
  }
  return found;
}

/** Pearson's statistic of draws against probabilities, and how many outcomes it sums over. */
function chiSquare(drawn: readonly string[], expected: ReadonlyMap<string, number>): [number, number] {
  const counts = new Map<string, number>();
  for (const outcome of drawn) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  for (const outcome of counts.keys()) expect(expected.get(outcome) ?? 0, outcome).toBeGreaterThan(0);
  // Outcomes of fewer than five expected draws are counted as one, as the approximation wants.
  let [statistic, cells, rare, rareDrawn] = [0, 0, 0, 0];
  for (const [outcome, probability] of expected) {
    const mean = probability * drawn.length;
    const count = counts.get(outcome) ?? 0;
    if (mean < 5) [rare, rareDrawn] = [rare + mean, rareDrawn + count];
    else [statistic, cells] = [statistic + (count - mean) ** 2 / mean, cells + 1];
  }
  if (rare >= 5) [statistic, cells] = [statistic + (rareDrawn - rare) ** 2 / rare, cells + 1];
  return [statistic, cells];
}

/**
 * With k degrees of freedom the statistic has mean k and variance 2k: k + 5 sqrt(2k) + 5 is passed by chance less than
 * once in 10,000 seeds, and the seeds are fixed.
 */
function expectDrawnFrom(drawn: readonly string[], expected: ReadonlyMap<string, number>): void {
  const [statistic, cells] = chiSquare(drawn, expected);
  expect(cells).toBeGreaterThan(1);
  expect(statistic).toBeLessThan(cells - 1 + 5 * Math.sqrt(2 * (cells - 1)) + 5);
}

describe('unigram sampling', () => {
  const scores = {
    a: -2,
    b: -2.5,
    c: -3,
    ab: -2.2,
    bc: -3.1,
    abc: -4,
    ca: -3.5,
    bca: -5,
    '▁': -2,
    '▁a': -2.1,
  };
  const unigram = new SubwordProcessor(model('unigram', scores));

  test.each([0, 0.1, 0.5, 1, 3])('P(x)^alpha, alpha = %d', (alpha) => {
    const all = segmentations('abcab▁abca', (piece) => scores[piece as keyof typeof scores]);
    expect(all.size).toBeGreaterThan(100);
    const total = [...all.values()].reduce((sum, score) => sum + Math.exp(alpha * score), 0);
    const expected = new Map([...all].map(([way, score]) => [way, Math.exp(alpha * score) / total]));
    const random = new Random(1);
    const draw = () => unigram.sample('abcab abca', alpha, random).join(' ');
    expectDrawnFrom(Array.from({ length: 20_000 }, draw), expected);
  });

  test('unknown characters score ten less than the worst piece', () => {
    const all = segmentations('axab', (p) => (p === 'x' ? -5 - 10 : scores[p as keyof typeof scores]));
    const total = [...all.values()].reduce((sum, score) => sum + Math.exp(0.3 * score), 0);
    const expected = new Map([...all].map(([way, score]) => [way, Math.exp(0.3 * score) / total]));
    const random = new Random(2);
    const draw = () => unigram.sample('axab', 0.3, random).join(' ');
    expectDrawnFrom(Array.from({ length: 20_000 }, draw), expected);
  });

  test('a large alpha gives the best, and the same generator the same', () => {
    const text = 'abc ab bca x abcab';
    expect(unigram.sample(text, 1000, new Random(3))).toEqual(unigram.encode(text));
    const twice = [4, 4].map((seed) => unigram.sample(text, 0.1, new Random(seed)));
    expect(twice[0]).toEqual(twice[1]);
    expect(unigram.sample('', 0.1, new Random(5))).toEqual([]);
  });
});

describe('BPE-dropout', () => {
  // Merges in this order.
  const merges = ['ab', 'bc', 'abc', 'ca', 'abcab', 'bca', '▁a'];
  const scores = Object.fromEntries([...merges, 'a', 'b', 'c', '▁'].map((piece, rank) => [piece, -rank]));
  const bpe = new SubwordProcessor(model('bpe', scores));

  /** Provilkov et al. 2020, algorithm 1, with every outcome of every draw followed. */
  function outcomes(text: string, dropout: number): Map<string, number> {
    const result = new Map<string, number>();
    const follow = (symbols: readonly string[], probability: number): void => {
      const possible = symbols
        .slice(1)
        .map((right, i) => ({ at: i, rank: merges.indexOf(symbols[i] + right) }))
        .filter(({ rank }) => rank >= 0)
        .toSorted((x, y) => x.rank - y.rank || x.at - y.at);
      let left = probability; // that all before were dropped
      for (const { at } of possible) {
        const merged = [...symbols.slice(0, at), symbols[at]! + symbols[at + 1]!, ...symbols.slice(at + 2)];
        follow(merged, left * (1 - dropout));
        left *= dropout;
      }
      if (left === 0) return;
      const way = symbols.join(' ');
      result.set(way, (result.get(way) ?? 0) + left);
    };
    follow(Array.from(text), 1);
    return result;
  }

  test.each([0.1, 0.5, 0.9])('as the algorithm of the paper, dropout = %d', (dropout) => {
    const expected = outcomes('abcab▁abca', dropout);
    expect([...expected.values()].reduce((a, b) => a + b)).toBeCloseTo(1, 10);
    const random = new Random(6);
    const draw = () => bpe.sample('abcab abca', dropout, random).join(' ');
    expectDrawnFrom(Array.from({ length: 20_000 }, draw), expected);
  });

  test('0 is plain BPE, 1 gives characters', () => {
    const text = 'abcab x bca';
    expect(bpe.sample(text, 0, new Random(7))).toEqual(bpe.encode(text));
    expect(bpe.sample(text, 1, new Random(8))).toEqual(Array.from(text.replaceAll(' ', '▁')));
  });

  test('100,000 characters without a blank', () => {
    const text = 'abcabca'.repeat(15_000);
    expect(bpe.sample(text, 0.3, new Random(9)).join('')).toBe(text);
  });
});

test('models of words and characters have one segmentation only', () => {
  const sample = (type: ModelType) =>
    new SubwordProcessor(model(type, { a: -1, b: -1 })).sample('ab', 0.5, new Random(1));
  expect(sample('char')).toEqual(['a', 'b']);
  expect(sample('word')).toEqual(['ab']);
});
