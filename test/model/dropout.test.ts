import {
  engine,
  memory,
  mul,
  ones,
  type Scalar,
  sum,
  type Tensor,
  tensor,
  tensor1d,
  tidy,
} from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { ownOperations } from '../../src/engine/own-operations.js';
import { Dropout } from '../../src/model/dropout.js';
import { describeOnKernels } from '../engines.js';

const SIZE = 100_003; // several pieces for several threads, and a last vector that is not full

/** The factors of a first call with this seed: dropout of ones. */
function factors(rate: number, seed: number): Float32Array {
  return tidy(() => new Dropout(seed).apply(ones([SIZE]), rate).dataSync<'float32'>() as Float32Array);
}

/** lowbias32, bit by bit as its author writes it. */
function scrambled(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

describeOnKernels('dropout', (engineName, asUsual) => {
  it.each([0.1, 0.5, 0.9])('drops its share and scales up the rest: %d', (rate) => {
    const values = factors(rate, 1);
    const kept = values.filter((v) => v !== 0);
    for (const v of kept) expect(v).toBeCloseTo(1 / (1 - rate), 5);
    // Five standard deviations of a binomial distribution.
    const deviation = Math.sqrt(rate * (1 - rate) * SIZE);
    expect(Math.abs(SIZE - kept.length - rate * SIZE)).toBeLessThan(5 * deviation);
    // Neighbours know nothing of one another: pairs are dropped as often as chance has it.
    const pairs = values.filter((v, k) => v === 0 && values[k + 1] === 0).length;
    const chance = rate * rate;
    expect(Math.abs(pairs - chance * SIZE)).toBeLessThan(8 * Math.sqrt(chance * SIZE));
  });

  it('depends on the seed and on the order of the calls alone', () => {
    expect(factors(0.3, 5)).toEqual(factors(0.3, 5));
    const agreement = (a: Float32Array, b: Float32Array) => a.filter((v, k) => v === b[k]).length / SIZE;
    // Two that know nothing of one another agree in 0.3² + 0.7² of the places; a deviation is 0.0016.
    expect(Math.abs(agreement(factors(0.3, 5), factors(0.3, 6)) - 0.58)).toBeLessThan(0.008);
    tidy(() => {
      const dropout = new Dropout(5);
      const [first, second] = [0, 1].map(
        () => dropout.apply(ones([SIZE]), 0.3).dataSync<'float32'>() as Float32Array,
      );
      expect(first).toEqual(factors(0.3, 5));
      expect(Math.abs(agreement(first!, second!) - 0.58)).toBeLessThan(0.008);
    });
  });

  it('has for gradient its own factors, in any shape, and leaves nothing behind', () => {
    const x = tensor(
      Float32Array.from({ length: 60 }, (_, k) => k - 30),
      [3, 4, 5],
    );
    const before = memory().numTensors;
    tidy(() => {
      const { value, grads } = engine().gradients(
        () => sum(new Dropout(7).apply(x, 0.4)) as Scalar,
        [x as Tensor],
      );
      const factors = new Dropout(7).apply(ones([3, 4, 5]), 0.4);
      expect(grads[0]!.shape).toEqual([3, 4, 5]);
      expect(grads[0]!.dataSync()).toEqual(factors.dataSync());
      expect(value.dataSync()[0]).toBeCloseTo(sum(mul(factors, x)).dataSync()[0]!, 4);
    });
    expect(memory().numTensors).toBe(before);
    x.dispose();
  });

  it('as a mask is what it multiplies with', () => {
    tidy(() => {
      const mask = new Dropout(3).mask([4, 50], 0.4)!;
      expect(mask.dataSync()).toEqual(new Dropout(3).apply(ones([4, 50]), 0.4).dataSync());
      expect(new Dropout(null).mask([2], 0.5)).toBeNull();
      expect(new Dropout(1).mask([2], 0)).toBeNull();
    });
  });

  it('is nothing without a seed and at rate 0', () => {
    tidy(() => {
      const x = tensor1d([1, 2]);
      expect(new Dropout(null).apply(x, 0.5)).toBe(x);
      expect(new Dropout(1).apply(x, 0)).toBe(x);
    });
  });

  it.runIf(engineName !== 'cpu' && asUsual)('draws what its formula says', ({ skip }) => {
    const values = factors(0.3, 11);
    if (ownOperations() === null) skip('no compiled kernels');
    const seed = scrambled(11);
    const stream = scrambled((0 + seed) | 0);
    values.forEach((value, place) => {
      const drawn = scrambled((scrambled(place ^ seed) + stream) | 0) >>> 8;
      expect(value !== 0).toBe(Math.fround(drawn / 2 ** 24) >= Math.fround(0.3));
    });
  });
});
