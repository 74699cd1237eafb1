import type { StepFigures } from './late-reading.js';

/** Sums since the last line of the history; plain JSON, kept in checkpoints. */
export interface MeterState {
  readonly steps: number;
  readonly targetTokens: number;
  /** Loss times target tokens. */
  readonly loss: number;
  readonly logLikelihood: number;
  readonly gradientNorm: number;
  readonly learningRate: number;
  /** Time spent in these steps. */
  readonly seconds: number;
}

/** Training figures per target token over some steps. */
export interface MeterReading {
  readonly loss: number;
  readonly perplexity: number;
  readonly learningRate: number;
  readonly gradientNorm: number;
  readonly tokensPerSecond: number;
}

/** Share of the running mean that is kept from step to step; about the last 50 steps count. */
const DECAY = 0.98;

const EMPTY: MeterState = {
  steps: 0,
  targetTokens: 0,
  loss: 0,
  logLikelihood: 0,
  gradientNorm: 0,
  learningRate: 0,
  seconds: 0,
};

/** Sums up steps twice: since the last reading for the history, and as a running mean for the eye. */
export class Meter {
  #window = EMPTY;
  #running = EMPTY;

  /** @param seconds How long the step took. */
  add(figures: StepFigures, seconds: number): void {
    this.#window = sum(this.#window, 1, figures, seconds);
    this.#running = sum(this.#running, DECAY, figures, seconds);
  }

  /** Means over the last steps; null before the first. */
  running(): MeterReading | null {
    return this.#running.steps === 0 ? null : reading(this.#running);
  }

  get steps(): number {
    return this.#window.steps;
  }

  /** Means since this was last called; null when no step has come since. */
  take(): MeterReading | null {
    if (this.#window.steps === 0) return null;
    const result = reading(this.#window);
    this.#window = EMPTY;
    return result;
  }

  get state(): MeterState {
    return this.#window;
  }

  restore(state: MeterState): void {
    this.#window = state;
  }
}

function sum(before: MeterState, keep: number, figures: StepFigures, seconds: number): MeterState {
  return {
    steps: before.steps * keep + 1,
    targetTokens: before.targetTokens * keep + figures.targetTokens,
    loss: before.loss * keep + figures.loss * figures.targetTokens,
    logLikelihood: before.logLikelihood * keep + figures.logLikelihood,
    gradientNorm: before.gradientNorm * keep + figures.gradientNorm,
    learningRate: figures.learningRate,
    seconds: before.seconds * keep + seconds,
  };
}

function reading(state: MeterState): MeterReading {
  return {
    loss: state.loss / state.targetTokens,
    perplexity: Math.exp(-state.logLikelihood / state.targetTokens),
    learningRate: state.learningRate,
    gradientNorm: state.gradientNorm / state.steps,
    tokensPerSecond: state.targetTokens / Math.max(state.seconds, 1e-9),
  };
}
