import type { Scalar } from '@tensorflow/tfjs-core';
import { DragomanError } from '../errors.js';

interface Held {
  readonly step: number;
  readonly targetTokens: number;
  readonly learningRate: number;
  readonly loss: Scalar;
  readonly logLikelihood: Scalar;
  readonly gradientNorm: Scalar;
}

/** A step's figures as numbers. */
export interface StepFigures {
  readonly step: number;
  readonly targetTokens: number;
  readonly learningRate: number;
  /** Mean per target token, nats, smoothed. */
  readonly loss: number;
  /** Sum over the target tokens, nats. */
  readonly logLikelihood: number;
  readonly gradientNorm: number;
}

/**
 * Holds a step's scalars until the next step has been issued: reading a value back waits for the engine, and
 * would leave it idle while the next batch is put together.
 */
export class LateReading {
  #held: Held | null = null;

  /** Takes over the scalars of a step, and gives the figures of the one before. */
  async exchange(next: Held): Promise<StepFigures | null> {
    const previous = this.#held;
    this.#held = next;
    return previous && read(previous);
  }

  /** The figures of the last step, if they have not been given yet. */
  async settle(): Promise<StepFigures | null> {
    const previous = this.#held;
    this.#held = null;
    return previous && read(previous);
  }

  dispose(): void {
    if (this.#held) disposeHeld(this.#held);
    this.#held = null;
  }
}

async function read(held: Held): Promise<StepFigures> {
  const { step, targetTokens, learningRate } = held;
  const [loss, logLikelihood, gradientNorm] = await Promise.all(
    [held.loss, held.logLikelihood, held.gradientNorm].map(async (scalar) => (await scalar.data())[0]!),
  );
  disposeHeld(held);
  const figures = {
    step,
    targetTokens,
    learningRate,
    loss: loss!,
    logLikelihood: logLikelihood!,
    gradientNorm: gradientNorm!,
  };
  requireFinite(figures);
  return figures;
}

function disposeHeld(held: Held): void {
  held.loss.dispose();
  held.logLikelihood.dispose();
  held.gradientNorm.dispose();
}

function requireFinite({ step, loss, logLikelihood, gradientNorm }: StepFigures): void {
  const [what, value] =
    Number.isFinite(loss) && Number.isFinite(logLikelihood)
      ? ['gradient norm', gradientNorm]
      : ['loss', Number.isFinite(loss) ? logLikelihood : loss];
  if (Number.isFinite(value)) return;
  throw new DragomanError('training', `step ${step}: expected a finite ${what}, got ${value}`);
}
