import {
  mean,
  reshape,
  type Scalar,
  slice,
  squaredDifference,
  type Tensor1D,
  type Tensor3D,
  tensor1d,
  tensor3d,
  tidy,
} from '@tensorflow/tfjs-core';
import type { CellKind } from '../cell/options.js';
import { Random } from '../random.js';
import { addingProblem } from '../task/adding-problem.js';
import { risingAndFalling } from './adam.js';
import { learnAndTest } from './family-learning.js';
import { type FamilyTask, membersOf, type Outcome } from './family-task.js';
import { type Lesson, RecurrentNetwork } from './network.js';
import type { TrainingWatch } from './watch.js';

const CELLS: readonly CellKind[] = ['elman', 'hierarchical', 'gru', 'lstm'];
const UNITS = 64;
const BATCH = 32;
/** At a constant 2e-3 the LSTM had only begun with 200 steps when the budget ended. */
const LEARNING_RATE = 5e-3;
const TESTED = 1000;
/** Steps of training by length. */
const FULL = new Map([
  [50, 2000],
  [100, 3000],
  [200, 4000],
]);
const QUICK = new Map([[50, 60]]);

/** The sum of two marked numbers far apart. */
export const addingTask: FamilyTask = {
  title: 'The adding problem: mean squared error; who always says 1 has 0.167',
  source: 'Hochreiter & Schmidhuber 1997, experiment 4; form of Le, Jaitly & Hinton 2015',
  axes: { x: 'step', y: 'mean squared error', logarithmic: true },
  trials: (budget) =>
    Array.from(budget.quick ? QUICK : FULL).flatMap(([length, steps]) =>
      membersOf(budget, CELLS).map((cell) => ({
        subject: cell,
        member: cell,
        setting: `T = ${length}`,
        steps,
        run: (seed: number, watch: TrainingWatch) => learn(cell, length, steps, seed, watch),
      })),
    ),
};

function learn(
  cell: CellKind,
  length: number,
  steps: number,
  seed: number,
  watch: TrainingWatch,
): Promise<Outcome> {
  const random = new Random(seed);
  const testRandom = random.fork(1);
  const network = new RecurrentNetwork({ cell, layers: 1, units: UNITS, inputs: 2, outputs: 1 }, random);
  const lesson: Lesson<'x' | 'targets'> = {
    batch: () => problems(length, BATCH, random),
    loss: (forward, { x, targets }) =>
      mean(squaredDifference(last(forward(x as Tensor3D)), targets)) as Scalar,
  };
  return learnAndTest(
    network,
    steps,
    watch,
    (watch) => network.train(risingAndFalling(steps, LEARNING_RATE, watch), lesson),
    () => {
      const { x, targets } = problems(length, TESTED, testRandom);
      const error = tidy(() => {
        const said = last(network.outputs(tensor3d(x.values, x.shape)));
        return mean(squaredDifference(said, tensor1d(targets.values))).dataSync()[0]!;
      });
      return { 'squared error': error };
    },
  );
}

/** Inputs `[length, count, 2]` and targets `[count]`. */
function problems(length: number, count: number, random: Random) {
  const values = new Float32Array(length * count * 2);
  const targets = new Float32Array(count);
  for (let b = 0; b < count; b++) {
    const { inputs, target } = addingProblem(length, random);
    for (let t = 0; t < length; t++) values.set(inputs.subarray(2 * t, 2 * t + 2), (t * count + b) * 2);
    targets[b] = target;
  }
  const shape: [number, number, number] = [length, count, 2];
  return { x: { values, shape }, targets: { values: targets, shape: [count] } };
}

/** The output at the last step, `[batch]`, of `[time, batch, 1]`. */
function last(outputs: Tensor3D): Tensor1D {
  const [time, batch] = outputs.shape;
  return reshape(slice(outputs, [time - 1, 0, 0], [1, batch, 1]), [batch]);
}
