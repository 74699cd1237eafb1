import type { OptimizerSpec, ScheduleSpec } from '../config.js';

/** What every benchmark learns with: Adam with the settings of its paper (Kingma & Ba 2015). */
export function adam(learningRate: number): OptimizerSpec {
  return { kind: 'adam', learningRate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
}

/** The rate rises for a few steps and then falls linearly to 0: a fixed budget ends with small steps. */
export const RISE_AND_FALL: ScheduleSpec = { kind: 'linear', warmup: 20 };
