import type { TrainConfig } from '../config.js';

/** Why training ended. */
export type StopReason = 'epochs' | 'steps' | 'minutes' | 'early stopping' | 'interrupted';

/** How far training has come. */
export interface Position {
  readonly step: number;
  /** Epochs finished. */
  readonly epoch: number;
  /** Batches taken of the running epoch, and how many it has. */
  readonly epochStep: number;
  readonly epochSteps: number;
  /** Training time so far, earlier sessions included. */
  readonly seconds: number;
}

type LimitConfig = Pick<TrainConfig, 'epochs' | 'steps' | 'minutes'>;

/** The limit that has been reached, if one has. */
export function limitReached(limits: LimitConfig, at: Position): StopReason | null {
  if (at.epoch >= limits.epochs) return 'epochs';
  if (limits.steps !== undefined && at.step >= limits.steps) return 'steps';
  if (limits.minutes !== undefined && at.seconds >= limits.minutes * 60) return 'minutes';
  return null;
}

/** The part of the work that is done, 0 to 1, by the limit that comes first. */
export function fractionDone(limits: LimitConfig, at: Position): number {
  const parts = [(at.epoch + at.epochStep / at.epochSteps) / limits.epochs];
  if (limits.steps !== undefined) parts.push(at.step / limits.steps);
  if (limits.minutes !== undefined) parts.push(at.seconds / (limits.minutes * 60));
  return Math.min(1, Math.max(...parts));
}

/**
 * Seconds until the first limit is reached.
 *
 * @param secondsPerStep Wall time a step, validations included; null when it is not known yet.
 */
export function secondsLeft(limits: LimitConfig, at: Position, secondsPerStep: number | null): number | null {
  const left: number[] = [];
  if (limits.minutes !== undefined) left.push(limits.minutes * 60 - at.seconds);
  if (secondsPerStep !== null) {
    left.push(((limits.epochs - at.epoch) * at.epochSteps - at.epochStep) * secondsPerStep);
    if (limits.steps !== undefined) left.push((limits.steps - at.step) * secondsPerStep);
  }
  return left.length === 0 ? null : Math.max(0, Math.min(...left));
}
