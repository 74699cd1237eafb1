import { cast, greaterEqual, mul, ones, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { ownOperations } from '../engine/own-operations.js';
import { uniform } from '../engine/random.js';
import { compiledDropout } from '../kernel/compiled-dropout.js';

/**
 * Dropout (Srivastava et al. 2014) with kept values scaled up, so that nothing changes when it is off. The masks
 * depend on the step's seed and on the order of the calls alone: a resumed run draws the same ones.
 */
export class Dropout {
  #stream = 0;

  /** @param seed of this training step; null switches dropout off */
  constructor(readonly seed: number | null) {}

  /** @param rate share of the values of x that become zero */
  apply<T extends Tensor>(x: T, rate: number): T {
    if (this.seed !== null && rate > 0 && ownOperations() !== null) {
      return compiledDropout(x, rate, this.seed, this.#stream++);
    }
    const mask = this.mask(x.shape, rate);
    return mask === null ? x : (mul(x, mask) as T);
  }

  /** What the next values are multiplied with, the same as {@link apply} draws; null where nothing is dropped. */
  mask(shape: number[], rate: number): Tensor | null {
    if (this.seed === null || rate === 0) return null;
    const { seed } = this;
    const stream = this.#stream++;
    return tidy(() => {
      if (ownOperations() !== null) return compiledDropout(ones(shape), rate, seed, stream);
      const kept = greaterEqual(uniform(shape, seed, stream), rate);
      return mul(cast(kept, 'float32'), 1 / (1 - rate));
    });
  }
}
