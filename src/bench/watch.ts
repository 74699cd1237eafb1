import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Scalar } from '@tensorflow/tfjs-core';

/** Who looks on while a benchmark trains. */
export interface TrainingWatch {
  /** Gets each step's number, from 1, and a way to read its loss; reading waits for the engine. */
  readonly onStep?: (step: number, loss: () => number) => void;
  /** Ends training after the running step. */
  readonly signal?: AbortSignal;
}

/** So many steps run before signals and timers get their turn. */
const STEPS_PER_TURN = 10;

/**
 * Runs `steps` training steps, each of which gives its loss, under a watch.
 * @returns milliseconds a step, what the watch does not counted
 */
export async function watchSteps(
  steps: number,
  { onStep, signal }: TrainingWatch,
  train: (step: number) => Scalar,
): Promise<number> {
  let spent = 0;
  let done = 0;
  while (done < steps && !signal?.aborted) {
    const start = performance.now();
    const loss = train(++done);
    spent += performance.now() - start;
    onStep?.(done, () => loss.dataSync()[0]!);
    loss.dispose();
    if (done % STEPS_PER_TURN === 0) await nextTurn();
  }
  return spent / done;
}
