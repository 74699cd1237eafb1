import { type Tensor3D, tensor3d, tidy } from '@tensorflow/tfjs-core';
import type { CellInput, CellKind } from '../cell/options.js';
import { Random } from '../random.js';
import { type LabelledString, labelPrefixes, TOMITA, TomitaSampler } from '../task/tomita.js';
import { risingAndFalling } from './adam.js';
import { learnAndTest } from './family-learning.js';
import { type FamilyTask, membersOf, type Outcome } from './family-task.js';
import { labelInputs, labelLoss, NO_LABEL } from './label-loss.js';
import { type Lesson, RecurrentNetwork } from './network.js';
import { symbolBatch } from './symbol-batch.js';
import type { TrainingWatch } from './watch.js';

const CELLS: readonly CellKind[] = ['second-order', 'sequential-cascaded'];
const UNITS = 8;
const BATCH = 32;
const STEPS = { full: 400, quick: 60 };
const LEARNING_RATE = 1e-2;
/** Longest string in training and in the test. */
const SHORT = 12;
const LONG = 100;
/** Lengths of the test, so many strings of each sort at each. */
const TEST_LENGTHS = Array.from({ length: 20 }, (_, k) => 5 * (k + 1));
const TESTED_PER_LENGTH = 10;

/** Precedes every string, so that the first symbol, too, meets a state that is not zero. */
const START = 2;
const SYMBOLS = 3;

/** Accept or reject: the languages of Tomita. */
export const tomitaTask: FamilyTask = {
  title: `Tomita's languages: trained on strings up to ${SHORT}, tested up to ${LONG}`,
  source: 'Tomita 1982; Pollack 1991; Giles et al. 1992',
  axes: { x: 'step', y: 'cross-entropy', logarithmic: true },
  trials: (budget) => {
    const steps = budget.quick ? STEPS.quick : STEPS.full;
    return membersOf(budget, CELLS).flatMap((cell) =>
      TOMITA.map(({ description }, index) => ({
        subject: cell,
        member: cell,
        setting: `${index + 1}: ${description}`,
        steps,
        run: (seed: number, watch: TrainingWatch) => learn(cell, index, steps, seed, watch),
      })),
    );
  },
};

function learn(
  cell: CellKind,
  grammar: number,
  steps: number,
  seed: number,
  watch: TrainingWatch,
): Promise<Outcome> {
  const random = new Random(seed);
  const sampler = new TomitaSampler(TOMITA[grammar]!, LONG);
  const tested = testStrings(sampler, random.fork(1));
  const shape = { cell: withFullTensor(cell), layers: 1, units: UNITS, inputs: SYMBOLS, outputs: 2 };
  const network = new RecurrentNetwork(shape, random);
  const lesson: Lesson<'x' | 'labels' | 'shares'> = {
    batch: () => {
      const strings = Array.from({ length: BATCH }, (_, k) => trainingString(sampler, k % 2 === 0, random));
      const x = symbolBatch(strings.map(withStart), SYMBOLS);
      return { x, ...labelInputs(prefixLabels(strings, x.shape[0])) };
    },
    loss: (forward, { x, ...labels }) => labelLoss(forward(x as Tensor3D), labels),
  };
  return learnAndTest(
    network,
    steps,
    watch,
    (watch) => network.train(risingAndFalling(steps, LEARNING_RATE, watch), lesson),
    () => {
      const right = answeredRight(network, tested);
      const share = (accepted: boolean): number => {
        const own = right.filter((_, k) => tested[k]!.accepted.at(-1) === accepted);
        return (100 * own.filter(Boolean).length) / own.length;
      };
      return {
        'accuracy, %': (share(true) + share(false)) / 2,
        'accepted, %': share(true),
        'refused, %': share(false),
      };
    },
  );
}

/** The papers' networks have the full weight tensor, which for so few units is small. */
function withFullTensor(kind: CellKind): CellInput {
  return kind === 'second-order' || kind === 'sequential-cascaded' ? { kind, rank: 0 } : kind;
}

/** A string of random length: one of the language where there is one, one outside it, or just any. */
function trainingString(sampler: TomitaSampler, accepted: boolean, random: Random): LabelledString {
  const length = 1 + random.integer(SHORT);
  return (
    sampler.draw(length, accepted, random) ??
    labelPrefixes(
      sampler.grammar,
      Array.from({ length }, () => random.integer(2)),
    )
  );
}

/** Of each length: strings of the language, as many random ones outside it, and as many that miss it by a symbol. */
function testStrings(sampler: TomitaSampler, random: Random): LabelledString[] {
  const strings = TEST_LENGTHS.flatMap((length) =>
    Array.from({ length: TESTED_PER_LENGTH }, () => [
      sampler.draw(length, true, random),
      sampler.draw(length, false, random),
      sampler.nearMiss(length, random),
    ]).flat(),
  );
  return strings.filter((string) => string !== null);
}

function withStart({ symbols }: LabelledString): number[] {
  return [START, ...symbols];
}

/**
 * After the start and after each symbol whether the language has what was read, `[time, batch]`. Each prefix of a
 * short string is a short string itself, so this tells no more than labels of whole strings would.
 */
function prefixLabels(strings: readonly LabelledString[], time: number): Int32Array {
  const labels = new Int32Array(time * strings.length).fill(NO_LABEL);
  strings.forEach(({ accepted }, b) => {
    accepted.forEach((yes, t) => {
      labels[t * strings.length + b] = yes ? 1 : 0;
    });
  });
  return labels;
}

/** Whether each whole string is classified rightly. */
function answeredRight(network: RecurrentNetwork, strings: readonly LabelledString[]): boolean[] {
  const { values, shape } = symbolBatch(strings.map(withStart), SYMBOLS);
  const logits = tidy(() => network.outputs(tensor3d(values, shape)).dataSync()); // [time, batch, 2]
  return strings.map(({ symbols, accepted }, b) => {
    const at = (symbols.length * strings.length + b) * 2;
    return logits[at + 1]! > logits[at]! === accepted.at(-1);
  });
}
