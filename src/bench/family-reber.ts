import { type Tensor3D, tensor3d, tidy } from '@tensorflow/tfjs-core';
import type { CellKind } from '../cell/options.js';
import { Random } from '../random.js';
import { embeddedReberString, type GrammarString, REBER_SYMBOLS, reberString } from '../task/reber.js';
import { risingAndFalling } from './adam.js';
import { learnAndTest } from './family-learning.js';
import { type FamilyBudget, type FamilyTask, membersOf, type Outcome, type Trial } from './family-task.js';
import { labelInputs, labelLoss, NO_LABEL } from './label-loss.js';
import { type Lesson, type NetworkTraining, RecurrentNetwork } from './network.js';
import { symbolBatch } from './symbol-batch.js';
import type { TrainingWatch } from './watch.js';

const CELLS: readonly CellKind[] = ['elman', 'jordan', 'fully-recurrent', 'gru', 'lstm'];
const UNITS = 12;
const BATCH = 32;
const STEPS = { full: 1500, quick: 100 };
const LEARNING_RATE = 1e-2;
const TESTED = 1000;

/** Strings of the plain grammar between the two symbols that belong together. */
const INSIDE = 4;

const GRAMMARS = {
  plain: reberString,
  embedded: (random: Random) => embeddedReberString(random),
  [`embedded, ${INSIDE} inside`]: (random: Random) => embeddedReberString(random, INSIDE),
} satisfies Readonly<Record<string, Grammar>>;

/** Next-symbol prediction on both grammars of Reber. */
export const reberTask: FamilyTask = {
  title: 'Reber grammars: every symbol that may come next rated above every one that may not',
  source: 'Cleeremans, Servan-Schreiber & McClelland 1989; Hochreiter & Schmidhuber 1997, experiment 1',
  axes: { x: 'step', y: 'cross-entropy', logarithmic: false },
  trials: (budget) =>
    Object.entries(GRAMMARS).flatMap(([setting, grammar]) =>
      learnersOf(budget).map((learner) => reberTrial(learner, setting, grammar, budget)),
    ),
};

interface Learner {
  readonly subject: string;
  readonly cell: CellKind;
  readonly gradient: NonNullable<NetworkTraining['gradient']>;
}

/** The members, and after `elman` the network of its paper, whose gradient does not go back in time. */
function learnersOf(budget: FamilyBudget): Learner[] {
  return membersOf(budget, CELLS).flatMap((cell): Learner[] => {
    const whole: Learner = { subject: cell, cell, gradient: 'through-time' };
    return cell === 'elman'
      ? [whole, { ...whole, subject: 'elman, one-step gradient', gradient: 'one-step' }]
      : [whole];
  });
}

type Grammar = (random: Random) => GrammarString;

function reberTrial(learner: Learner, setting: string, grammar: Grammar, budget: FamilyBudget): Trial {
  const steps = budget.quick ? STEPS.quick : STEPS.full;
  return {
    subject: learner.subject,
    member: learner.cell,
    setting,
    steps,
    run: (seed, watch) => learn(learner, grammar, steps, seed, watch),
  };
}

function learn(
  { cell, gradient }: Learner,
  grammar: Grammar,
  steps: number,
  seed: number,
  watch: TrainingWatch,
): Promise<Outcome> {
  const random = new Random(seed);
  const testRandom = random.fork(1);
  const symbols = REBER_SYMBOLS.length;
  const shape = { cell, layers: 1, units: UNITS, inputs: symbols, outputs: symbols };
  const network = new RecurrentNetwork(shape, random);
  const draw = (count: number, from: Random): GrammarString[] =>
    Array.from({ length: count }, () => grammar(from));
  const lesson: Lesson<'x' | 'labels' | 'shares'> = {
    batch: () => {
      const rows = draw(BATCH, random).map(({ text }) => numbers(text));
      const x = symbolBatch(
        rows.map((row) => row.slice(0, -1)),
        symbols,
      );
      return { x, ...labelInputs(following(rows, x.shape[0])) };
    },
    loss: (forward, { x, ...labels }) => labelLoss(forward(x as Tensor3D), labels),
  };
  return learnAndTest(
    network,
    steps,
    watch,
    (watch) => network.train({ ...risingAndFalling(steps, LEARNING_RATE, watch), gradient }, lesson),
    () => {
      const right = ratedRight(network, draw(TESTED, testRandom));
      const wholly = { 'strings right, %': share(right.map((steps) => steps.every(Boolean))) };
      // The symbol that repeats the second one stands last but one; it is predicted at the step before.
      return grammar === reberString
        ? wholly
        : { ...wholly, 'repeated symbol, %': share(right.map((steps) => steps.at(-2)!)) };
    },
  );
}

function share(flags: readonly boolean[]): number {
  return (100 * flags.filter(Boolean).length) / flags.length;
}

function numbers(text: string): number[] {
  return Array.from(text, (symbol) => REBER_SYMBOLS.indexOf(symbol));
}

/** The symbol that follows each, `[time, batch]`. */
function following(rows: readonly (readonly number[])[], time: number): Int32Array {
  const labels = new Int32Array(time * rows.length).fill(NO_LABEL);
  rows.forEach((row, b) => {
    for (let t = 0; t + 1 < row.length; t++) labels[t * rows.length + b] = row[t + 1]!;
  });
  return labels;
}

/** For each string and step whether every symbol that may follow is rated above every one that may not. */
function ratedRight(network: RecurrentNetwork, strings: readonly GrammarString[]): boolean[][] {
  const symbols = REBER_SYMBOLS.length;
  const rows = strings.map(({ text }) => numbers(text));
  const { values, shape } = symbolBatch(rows, symbols);
  const rated = tidy(() => network.outputs(tensor3d(values, shape)).dataSync()); // [time, batch, symbols]
  return strings.map(({ next }, b) =>
    next.map((legal, t) => {
      const ratings = rated.subarray((t * rows.length + b) * symbols, (t * rows.length + b + 1) * symbols);
      let [lowestLegal, highestOther] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      ratings.forEach((rating, symbol) => {
        if (legal.includes(REBER_SYMBOLS[symbol]!)) lowestLegal = Math.min(lowestLegal, rating);
        else highestOther = Math.max(highestOther, rating);
      });
      return lowestLegal > highestOther;
    }),
  );
}
