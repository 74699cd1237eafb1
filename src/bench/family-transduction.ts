import { CELL_KINDS, type CellKind } from '../cell/options.js';
import { Random } from '../random.js';
import { TRANSDUCTIONS, type Transduction, transductionPair } from '../task/transduction.js';
import { risingAndFalling } from './adam.js';
import { learnAndTest } from './family-learning.js';
import { type FamilyTask, membersOf, type Outcome } from './family-task.js';
import { type SymbolPair, Transducer } from './transducer.js';
import type { TrainingWatch } from './watch.js';

const SEQUENCES = { symbols: 10, shortest: 1, longest: 10 };
const UNITS = 64;
const EMBEDDING = 32;
const BATCH = 64;
const STEPS = { full: 800, quick: 15 };
const LEARNING_RATE = 3e-3;
const TESTED = 500;

const QUICK_TRANSDUCTIONS: readonly Transduction[] = ['reversal'];
const ATTENTIONS = ['none', 'general'] as const;
type Attention = (typeof ATTENTIONS)[number];

/** Copy and reversal by the encoder-decoder. */
export const transductionTask: FamilyTask = {
  title: `Copy and reversal of up to ${SEQUENCES.longest} of ${SEQUENCES.symbols} symbols by the encoder-decoder`,
  source: "the reversal task of Joey NMT's tutorial (Kreutzer, Bastings & Riezler 2019)",
  axes: { x: 'step', y: 'cross-entropy', logarithmic: true },
  trials: (budget) => {
    const steps = budget.quick ? STEPS.quick : STEPS.full;
    return membersOf(budget, CELL_KINDS).flatMap((cell) =>
      (budget.quick ? QUICK_TRANSDUCTIONS : TRANSDUCTIONS).flatMap((kind) =>
        ATTENTIONS.map((attention) => ({
          subject: cell,
          member: cell,
          setting: `${kind}, ${attention === 'none' ? 'no attention' : 'attention'}`,
          steps,
          run: (seed: number, watch: TrainingWatch) => learn(cell, kind, attention, steps, seed, watch),
        })),
      ),
    );
  },
};

function learn(
  cell: CellKind,
  kind: Transduction,
  attention: Attention,
  steps: number,
  seed: number,
  watch: TrainingWatch,
): Promise<Outcome> {
  const random = new Random(seed);
  const testRandom = random.fork(1);
  const { symbols, longest } = SEQUENCES;
  const transducer = new Transducer(
    {
      symbols: { source: symbols, target: symbols },
      model: {
        cell,
        attention,
        reverseSource: false,
        embedding: EMBEDDING,
        encoder: UNITS,
        decoder: UNITS,
        bidirectional: false,
      },
    },
    random,
  );
  const pairs = (count: number, from: Random): SymbolPair[] =>
    Array.from({ length: count }, () => transductionPair(kind, SEQUENCES, from));
  return learnAndTest(
    transducer,
    steps,
    watch,
    (watch) => transducer.train(risingAndFalling(steps, LEARNING_RATE, watch), () => pairs(BATCH, random)),
    () => {
      const tested = pairs(TESTED, testRandom);
      const said = transducer.translate(
        tested.map((pair) => pair.source),
        longest + 1,
      );
      const right = said.filter((symbols, k) => symbols.join() === tested[k]!.target.join()).length;
      return { 'sequences right, %': (100 * right) / TESTED };
    },
  );
}
