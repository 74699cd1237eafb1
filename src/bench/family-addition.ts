import { CELL_KINDS } from '../cell/options.js';
import { AdditionNetwork } from './addition.js';
import { learnAndTest } from './family-learning.js';
import { type FamilyTask, membersOf } from './family-task.js';
import type { TrainingWatch } from './watch.js';

const CHECKPOINTS = [2000, 10_000];
const QUICK_CHECKPOINTS = [150];

/** Binary addition, two layers of 20 units, as `dragoman addition` trains it. */
export const additionTask: FamilyTask = {
  title: 'Binary addition: sums right of all 16,384 pairs of 7-bit numbers',
  source: 'the article that this project started from',
  axes: { x: 'step', y: 'mean squared error', logarithmic: true },
  trials: (budget) => {
    const checkpoints = budget.quick ? QUICK_CHECKPOINTS : CHECKPOINTS;
    const steps = checkpoints.at(-1)!;
    return membersOf(budget, CELL_KINDS).map((cell) => ({
      subject: cell,
      member: cell,
      setting: '',
      steps,
      run(seed, watch) {
        const network = new AdditionNetwork({ cell, seed, steps });
        const measures: Record<string, number> = {};
        const onStep: TrainingWatch['onStep'] = (step, loss) => {
          watch.onStep?.(step, loss);
          if (!checkpoints.includes(step)) return;
          const { exact, pairs } = network.test();
          measures[`right after ${step} steps, %`] = (100 * exact) / pairs;
        };
        return learnAndTest(
          network,
          steps,
          { ...watch, onStep },
          (watch) => network.train(watch),
          () => measures,
        );
      },
    }));
  },
};
