import { add, logSumExp, matMul, mul, softmax, type Tensor3D, tensor3d, tidy } from '@tensorflow/tfjs-core';
import { DragomanError } from '../errors.js';

/**
 * How much states have in common with patterns: beta s X^T.
 * @param states s, `[batch, states, size]`
 * @param patterns X, `[batch, patterns, size]`
 * @param beta inverse temperature
 * @returns `[batch, states, patterns]`
 */
export function similarity(states: Tensor3D, patterns: Tensor3D, beta: number): Tensor3D {
  return mul(matMul(states, patterns, false, true), beta);
}

/**
 * One update of every state (Ramsauer et al. 2020, equation 3): s <- softmax(beta s X^T) X.
 * @param bias added to the similarities, `[batch, 1, patterns]`: a large negative number hides a pattern
 */
export function retrieve(states: Tensor3D, patterns: Tensor3D, beta: number, bias?: Tensor3D): Tensor3D {
  const alike = similarity(states, patterns, beta);
  return matMul(softmax(bias === undefined ? alike : add(alike, bias)), patterns);
}

export interface ModernHopfieldOptions {
  /** Inverse temperature; 1/sqrt(units) if absent, with which one update is the attention of transformers. */
  readonly beta?: number;
}

export interface RetrievalOptions {
  /** Updates; until nothing moves if absent. */
  readonly updates?: number;
}

export interface Retrieval {
  /** `[units]` */
  readonly state: Float32Array;
  /** Updates that it took. */
  readonly updates: number;
  /** Whether the last update moved no unit by more than a millionth of the longest pattern's length. */
  readonly settled: boolean;
}

/** What counts as no movement, as a share of the longest pattern's length; single precision knows seven digits. */
const STILL = 1e-6;
/** Updates after which a state is given up. Ramsauer et al. find that one is mostly enough. */
const MOST_UPDATES = 1000;

/**
 * Modern Hopfield network (Ramsauer et al. 2020, "Hopfield networks is all you need"): patterns of any real numbers,
 * stored as they are. For a state s, patterns x_1..x_N of which the longest has length M:
 *
 *     s <- X softmax(beta X^T s)                                              equation 3
 *     E(s) = -lse(beta, X^T s) + s·s / 2 + log(N) / beta + M² / 2             equation 2
 *     lse(beta, z) = log(sum_i exp(beta z_i)) / beta
 *
 * E lies between 0 and 2 M² for states no longer than M, and no update raises it. A large beta retrieves one pattern, a
 * small one the mean of those that are alike. The number of patterns it can hold grows exponentially with the units.
 *
 * Needs a running engine, which holds the patterns until {@link dispose}.
 */
export class ModernHopfield {
  readonly units: number;
  readonly beta: number;
  /** X^T, `[1, patterns, units]` */
  readonly #patterns: Tensor3D;
  /** M */
  readonly #longest: number;

  /**
   * @param patterns each `[units]`
   * @throws DragomanError `input` without patterns, or where they differ in size or hold no number
   */
  constructor(patterns: readonly ArrayLike<number>[], { beta }: ModernHopfieldOptions = {}) {
    const [first] = patterns;
    if (first === undefined || first.length === 0) {
      throw new DragomanError('input', 'expected at least one pattern of at least one unit, got none');
    }
    this.units = first.length;
    this.beta = beta ?? 1 / Math.sqrt(this.units);
    if (!(this.beta > 0 && this.beta < Number.POSITIVE_INFINITY)) {
      throw new DragomanError('usage', `expected a beta above 0, got ${this.beta}`);
    }
    this.#longest = Math.sqrt(patterns.reduce((most, pattern) => Math.max(most, square(pattern)), 0));
    this.#patterns = this.#tensor(patterns);
  }

  /** E of each state. @param states each `[units]` */
  energy(states: readonly ArrayLike<number>[]): number[] {
    const { beta } = this;
    const constant = Math.log(this.#patterns.shape[1]) / beta + this.#longest ** 2 / 2;
    const lse = tidy(() => logSumExp(similarity(this.#tensor(states), this.#patterns, beta), 2).dataSync());
    return states.map((state, k) => constant + square(state) / 2 - lse[k]! / beta);
  }

  /** Updates each state so many times, or until it stays. @param starts each `[units]` */
  recall(starts: readonly ArrayLike<number>[], { updates }: RetrievalOptions = {}): Retrieval[] {
    const found = starts.map((start) => ({ state: Float32Array.from(start), updates: 0, settled: false }));
    for (let n = 1; n <= (updates ?? MOST_UPDATES); n++) {
      const moving = found.filter(({ settled }) => updates !== undefined || !settled);
      if (moving.length === 0) break;
      const next = this.#update(moving.map(({ state }) => state));
      moving.forEach((retrieval, k) => {
        const state = next.slice(k * this.units, (k + 1) * this.units);
        const moved = state.reduce(
          (most, value, i) => Math.max(most, Math.abs(value - retrieval.state[i]!)),
          0,
        );
        retrieval.state = state;
        retrieval.updates = n;
        retrieval.settled = moved <= STILL * this.#longest;
      });
    }
    return found;
  }

  dispose(): void {
    this.#patterns.dispose();
  }

  #update(states: readonly Float32Array[]): Float32Array {
    return tidy(() => retrieve(this.#tensor(states), this.#patterns, this.beta).dataSync<'float32'>());
  }

  /** `[1, rows, units]` */
  #tensor(rows: readonly ArrayLike<number>[]): Tensor3D {
    const all = new Float32Array(rows.length * this.units);
    rows.forEach((row, k) => {
      this.#check(row);
      all.set(row, k * this.units);
    });
    return tensor3d(all, [1, rows.length, this.units]);
  }

  #check(pattern: ArrayLike<number>): void {
    if (pattern.length !== this.units) {
      throw new DragomanError('input', `expected a pattern of ${this.units} units, got ${pattern.length}`);
    }
    for (let i = 0; i < pattern.length; i++) {
      if (Number.isFinite(pattern[i])) continue;
      throw new DragomanError('input', `expected a number in unit ${i + 1} of a pattern, got ${pattern[i]}`);
    }
  }
}

function square(pattern: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < pattern.length; i++) sum += pattern[i]! ** 2;
  return sum;
}
