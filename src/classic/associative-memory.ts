import { DragomanError } from '../errors.js';
import type { Random } from '../random.js';

/** How patterns become weights. */
export const LEARNING_RULES = ['hebbian', 'storkey'] as const;
export type LearningRule = (typeof LEARNING_RULES)[number];

export interface Recall {
  /** The state it came to, +1 and -1. */
  readonly state: Int8Array;
  /** Updates of all units that it took. */
  readonly sweeps: number;
  /** Whether nothing changes any more; a synchronous recall may end in two states that follow each other. */
  readonly settled: boolean;
}

/** Updates of all units after which a recall is given up. */
const MOST_SWEEPS = 1000;

/**
 * Hopfield's associative memory (Hopfield 1982): units of +1 and -1 with symmetric weights and none to themselves.
 *
 *     s_i = sign(sum_j w_ij s_j), as it was where the sum is 0
 *     E(s) = -1/2 sum_ij w_ij s_i s_j       never rises when one unit is updated at a time
 */
export class AssociativeMemory {
  /** `[units, units]` */
  readonly weights: Float64Array;

  constructor(readonly units: number) {
    this.weights = new Float64Array(units * units);
  }

  /**
   * Learns patterns, one after the other, in addition to what is known.
   *
   *     hebbian   w_ij += p_i p_j / n                                              (Hopfield 1982, equation 2)
   *     storkey   w_ij += (p_i p_j - p_i h_ji - h_ij p_j) / n,  h_ij = sum over k not i, j of w_ik p_k   (Storkey 1997)
   *
   * @param patterns each `[units]`, +1 and -1
   */
  learn(patterns: readonly Int8Array[], rule: LearningRule): void {
    for (const pattern of patterns) {
      this.#check(pattern);
      if (rule === 'hebbian') this.#learnHebbian(pattern);
      else this.#learnStorkey(pattern);
    }
  }

  /** E(s); the diagonal is zero and adds nothing. */
  energy(state: Int8Array): number {
    this.#check(state);
    return -this.#fields(state).reduce((sum, field, i) => sum + field * state[i]!, 0) / 2;
  }

  /**
   * Updates one unit at a time, in a new random order each time round, until none changes. Ends always, since the
   * energy falls with every change.
   * @param onChange told the state after each change of a unit
   */
  recallAsynchronous(start: Int8Array, random: Random, onChange?: (state: Int8Array) => void): Recall {
    this.#check(start);
    const { units } = this;
    const state = Int8Array.from(start);
    const fields = this.#fields(state);
    const order = random.shuffle(Int32Array.from({ length: units }, (_, i) => i));
    for (let sweeps = 1; sweeps <= MOST_SWEEPS; sweeps++) {
      let changed = false;
      for (const unit of random.shuffle(order)) {
        const next = updated(fields[unit]!, state[unit]!);
        if (next === state[unit]) continue;
        state[unit] = next;
        changed = true;
        for (let i = 0; i < units; i++) fields[i] = fields[i]! + 2 * next * this.weights[unit * units + i]!;
        onChange?.(state);
      }
      if (!changed) return { state, sweeps, settled: true };
    }
    return { state, sweeps: MOST_SWEEPS, settled: false };
  }

  /** Updates all units at once, until nothing changes or the last two states follow each other for ever (Goles 1985). */
  recallSynchronous(start: Int8Array): Recall {
    this.#check(start);
    let before = Int8Array.from(start);
    let state = before;
    for (let sweeps = 1; sweeps <= MOST_SWEEPS; sweeps++) {
      const fields = this.#fields(state);
      const next = state.map((value, i) => updated(fields[i]!, value));
      if (equal(next, state)) return { state, sweeps, settled: true };
      if (sweeps > 1 && equal(next, before)) return { state: next, sweeps, settled: false };
      [before, state] = [state, next];
    }
    return { state, sweeps: MOST_SWEEPS, settled: false };
  }

  #check(pattern: Int8Array): void {
    if (pattern.length !== this.units) {
      throw new DragomanError('input', `expected a pattern of ${this.units} units, got ${pattern.length}`);
    }
    const odd = pattern.findIndex((value) => value !== 1 && value !== -1);
    if (odd >= 0) {
      throw new DragomanError(
        'input',
        `expected +1 or -1 in unit ${odd + 1} of a pattern, got ${pattern[odd]}`,
      );
    }
  }

  #learnHebbian(pattern: Int8Array): void {
    const { units, weights } = this;
    for (let i = 0; i < units; i++) {
      for (let j = 0; j < units; j++) {
        if (i !== j) weights[i * units + j] = weights[i * units + j]! + (pattern[i]! * pattern[j]!) / units;
      }
    }
  }

  #learnStorkey(pattern: Int8Array): void {
    const { units, weights } = this;
    const fields = this.#fields(pattern);
    for (let i = 0; i < units; i++) {
      for (let j = 0; j < i; j++) {
        const weight = weights[i * units + j]!;
        const [p, q] = [pattern[i]!, pattern[j]!];
        // The field of each without the other's share; its own is zero.
        const change = (p * q - p * (fields[j]! - weight * p) - (fields[i]! - weight * q) * q) / units;
        weights[i * units + j] = weight + change;
        weights[j * units + i] = weight + change;
      }
    }
  }

  /** sum_j w_ij s_j of every unit. */
  #fields(state: Int8Array): Float64Array {
    const { units, weights } = this;
    const fields = new Float64Array(units);
    for (let i = 0; i < units; i++) {
      let sum = 0;
      for (let j = 0; j < units; j++) sum += weights[i * units + j]! * state[j]!;
      fields[i] = sum;
    }
    return fields;
  }
}

function updated(field: number, old: number): number {
  if (field > 0) return 1;
  return field < 0 ? -1 : old;
}

function equal(a: Int8Array, b: Int8Array): boolean {
  return a.every((value, i) => value === b[i]);
}
