import type { Outcome } from './family-task.js';
import { LossCurve } from './loss-curve.js';
import type { TrainingWatch } from './watch.js';

/** What can be learned with and measured. */
interface Learner {
  /** Numbers in the weights. */
  readonly size: number;
  dispose(): void;
}

/**
 * One run of a task whose curve is the loss: trains, then tests, then frees the network.
 * @param train gives milliseconds a step
 * @param test the measures; not called after an interruption, whose outcome nobody reads
 */
export async function learnAndTest(
  network: Learner,
  steps: number,
  watch: TrainingWatch,
  train: (watch: TrainingWatch) => Promise<number>,
  test: () => Outcome['measures'],
): Promise<Outcome> {
  const curve = new LossCurve(steps, watch);
  try {
    const millisecondsPerStep = await train(curve.watch);
    const measures = watch.signal?.aborted ? {} : test();
    return { measures, parameters: network.size, millisecondsPerStep, curve: curve.points };
  } finally {
    network.dispose();
  }
}
