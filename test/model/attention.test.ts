import { mul, type Tensor3D, tensor2d, tensor3d, tidy } from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { Attention, type AttentionOptions } from '../../src/model/attention.js';
import { Random } from '../../src/random.js';
import { describeOnEngines } from '../engines.js';

const SIZE = 4;
const SOURCE = 5;
/** W = 1: the patterns are the memory itself. */
const IDENTITY = Array.from({ length: SIZE }, (_, i) =>
  Array.from({ length: SIZE }, (__, j) => (i === j ? 1 : 0)),
);

const random = new Random(1);
const draw = (time: number): number[][] =>
  Array.from({ length: time }, () => Array.from({ length: SIZE }, () => random.normal()));
const MEMORY = draw(SOURCE);
const QUERIES = draw(2);
/** The last position is padding. */
const BIAS = [0, 0, 0, 0, -1e9];

/** Weights that an attention gives a target of two steps. */
function weightsOf(options: AttentionOptions, factor = 1): number[][] {
  return tidy(() => {
    const attention = new Attention(options, SIZE, SIZE);
    const w = { 'attention.kernel': tensor2d(IDENTITY) };
    const source = attention.prepare(w, tensor3d([MEMORY]), tensor3d([[BIAS]]));
    const queries = mul(tensor3d([QUERIES]), factor) as Tensor3D;
    return attention.attend(w, queries, source).weights.arraySync()[0]!;
  });
}

function expectClose(a: number[][], b: number[][]): void {
  a.forEach((row, t) => {
    row.forEach((value, k) => {
      expect(Math.abs(value - b[t]![k]!)).toBeLessThan(1e-6); // weights at most 1, in 32-bit floats
    });
  });
}

describeOnEngines('hopfield attention', () => {
  it('is softmax dot attention with 1/sqrt(d) at one step', () => {
    expectClose(weightsOf({ kind: 'hopfield', steps: 1 }), weightsOf({ kind: 'dot' }, 1 / Math.sqrt(SIZE)));
  });

  it('updates the query as Ramsauer et al. 2020, equation 3, say', () => {
    const beta = 1.5;
    const attend = (s: number[]): number[] => {
      const e = MEMORY.map((pattern, k) =>
        Math.exp(beta * pattern.reduce((sum, v, i) => sum + v * s[i]!, 0) + BIAS[k]!),
      );
      const norm = e.reduce((a, b) => a + b, 0);
      return e.map((v) => v / norm);
    };
    const retrieve = (p: number[]): number[] =>
      MEMORY[0]!.map((_, i) => p.reduce((sum, v, k) => sum + v * MEMORY[k]![i]!, 0));
    const expected = QUERIES.map((query) => attend(retrieve(attend(retrieve(attend(query))))));
    expectClose(weightsOf({ kind: 'hopfield', steps: 3, beta }), expected);
  });

  it('settles on one stored pattern when cold, whatever the padding holds', () => {
    const [first] = weightsOf({ kind: 'hopfield', steps: 5, beta: 50 });
    expect(Math.max(...first!)).toBeGreaterThan(0.999);
    expect(first![SOURCE - 1]).toBe(0);
  });
});
