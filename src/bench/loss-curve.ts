import type { TrainingWatch } from './watch.js';

/** Points on a curve of losses, at most. */
const POINTS = 50;

/** Collects the loss of a training at even distances, beside what another watch does. */
export class LossCurve {
  readonly points: [step: number, loss: number][] = [];
  readonly watch: TrainingWatch;

  constructor(steps: number, { onStep, signal }: TrainingWatch) {
    const every = Math.max(1, Math.floor(steps / POINTS));
    this.watch = {
      ...(signal === undefined ? {} : { signal }),
      onStep: (step, loss) => {
        if (step % every === 0) this.points.push([step, loss()]);
        onStep?.(step, loss);
      },
    };
  }
}
