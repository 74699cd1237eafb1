import type { Random } from '../random.js';

export interface AddingProblem {
  /** `[length, 2]`: a value in [0, 1) and a marker that is 1 at two steps, else 0. */
  readonly inputs: Float32Array;
  /** The sum of the two marked values. */
  readonly target: number;
}

/** Mean squared error of the one who always says 1: twice the variance of a uniform number. */
export const ADDING_BASELINE = 1 / 6;

/**
 * The adding problem (Hochreiter & Schmidhuber 1997, task 4) in the form in use since Le, Jaitly & Hinton 2015: values
 * from [0, 1) instead of [-1, 1], a fixed length, one marker in each half, and the plain sum as the target.
 */
export function addingProblem(length: number, random: Random): AddingProblem {
  const inputs = new Float32Array(length * 2);
  for (let t = 0; t < length; t++) inputs[2 * t] = random.next();
  const half = Math.floor(length / 2);
  const first = random.integer(half);
  const second = half + random.integer(length - half);
  inputs[2 * first + 1] = 1;
  inputs[2 * second + 1] = 1;
  return { inputs, target: inputs[2 * first]! + inputs[2 * second]! };
}
