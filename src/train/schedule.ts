import type { ScheduleSpec } from '../config.js';

/** What a schedule has learned so far; plain JSON, kept in checkpoints. */
export interface ScheduleState {
  /** Product of all reductions so far; 1 at the start. */
  readonly scale: number;
  /** Best (lowest) validation perplexity seen; null before the first. */
  readonly best: number | null;
  /** Validations in a row that brought nothing better, since the last reduction. */
  readonly waited: number;
}

/**
 * The learning rate of each step.
 *
 * - `constant`: always `learningRate`.
 * - `plateau`: multiplied by `factor` whenever `patience` validations in a row bring no lower perplexity, but
 *   never below `minimum`.
 * - `inverse-square-root`: linear warm-up, then the inverse square root of the step: Vaswani et al. 2017,
 *   equation 3, lrate = d^-0.5 · min(step^-0.5, step · warmup^-1.5), with another constant in place of d^-0.5:
 *   learningRate · warmup^0.5, so that the peak, at step = warmup, is `learningRate`.
 * - `linear`: linear warm-up to `learningRate`, then linearly down to 0 at step = steps, or without `steps` at the
 *   training's own limit. With a fixed budget this ends with the small steps that a constant rate never takes.
 */
export class Schedule {
  #scale = 1;
  #best: number | null = null;
  #waited = 0;

  /** @param learningRate The optimizer's rate, which the schedule scales. */
  constructor(
    private readonly spec: ScheduleSpec,
    private readonly learningRate: number,
  ) {}

  /**
   * The rate of a step.
   * @param step counts from 1
   * @param done the part of the training that lies behind this step, 0 to 1 (limits.ts)
   */
  rate(step: number, done: number): number {
    switch (this.spec.kind) {
      case 'constant':
        return this.learningRate;
      case 'plateau':
        return this.learningRate * this.#scale;
      case 'inverse-square-root': {
        const { warmup } = this.spec;
        return this.learningRate * Math.min(step / warmup, Math.sqrt(warmup / step));
      }
      case 'linear': {
        const { warmup, steps } = this.spec;
        const down = steps === undefined ? 1 - done : (steps - step) / Math.max(1, steps - warmup);
        return this.learningRate * Math.max(0, Math.min(1, down, warmup === 0 ? 1 : step / warmup));
      }
    }
  }

  /** Tells the schedule the perplexity of a validation. Returns whether the rate fell. */
  validated(perplexity: number): boolean {
    if (this.spec.kind !== 'plateau') return false;
    if (this.#best === null || perplexity < this.#best) {
      this.#best = perplexity;
      this.#waited = 0;
      return false;
    }
    this.#waited++;
    if (this.#waited < this.spec.patience) return false;
    this.#waited = 0;
    const lower = Math.max(this.#scale * this.spec.factor, this.spec.minimum / this.learningRate);
    // A `minimum` above the starting rate must not raise it.
    if (lower >= this.#scale) return false;
    this.#scale = lower;
    return true;
  }

  get state(): ScheduleState {
    return { scale: this.#scale, best: this.#best, waited: this.#waited };
  }

  restore(state: ScheduleState): void {
    this.#scale = state.scale;
    this.#best = state.best;
    this.#waited = state.waited;
  }
}
