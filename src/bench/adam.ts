import type { OptimizerSpec, ScheduleSpec } from '../config.js';
import type { Training } from './minimise.js';
import type { TrainingWatch } from './watch.js';

/** What every benchmark learns with: Adam with the settings of its paper (Kingma & Ba 2015). */
export function adam(learningRate: number): OptimizerSpec {
  return { kind: 'adam', learningRate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
}

export const RISE_AND_FALL: ScheduleSpec = { kind: 'linear', warmup: 20 };

/**
 * How most of the family's tasks train: the rate rises for a few steps and then falls linearly to 0, so that a fixed budget
 * ends with small steps; gradients are clipped to norm 1.
 */
export function risingAndFalling(steps: number, learningRate: number, watch: TrainingWatch): Training {
  return { steps, learningRate, schedule: RISE_AND_FALL, clip: 1, watch };
}
