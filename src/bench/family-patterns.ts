import { AssociativeMemory, LEARNING_RULES, type LearningRule } from '../classic/associative-memory.js';
import { Random } from '../random.js';
import { flipped, overlap, randomPattern } from '../task/patterns.js';
import type { FamilyTask, Outcome } from './family-task.js';

const UNITS = { full: 500, quick: 200 };
/** Patterns stored, as a share of the units. */
const LOADS = [0.02, 0.05, 0.08, 0.1, 0.12, 0.138, 0.15, 0.17, 0.2, 0.25];
const TABLE_LOADS = [0.05, 0.1, 0.138, 0.2];
/** Share of the units that are wrong at the start. */
const FLIPPED = { none: 0, quarter: 0.25 };
/** Recalls at each load. */
const RECALLS = 20;
/** At the break the overlap falls from 0.97 to about 0.35 (Amit, Gutfreund & Sompolinsky 1985). */
const RECALLED = 0.9;

/** Recall from wrong patterns, over the number of patterns stored. */
export const patternTask: FamilyTask = {
  title:
    'Pattern recall: share of patterns that come back (overlap above 0.9), over patterns stored per unit',
  source: 'Hopfield 1982; Amit, Gutfreund & Sompolinsky 1985 (break at 0.138); Storkey 1997',
  axes: { x: 'patterns per unit', y: 'recalled', logarithmic: false },
  trials: ({ cells, quick }) => {
    if (cells !== null && !cells.includes('hopfield')) return [];
    return LEARNING_RULES.flatMap((rule) =>
      (['none', 'quarter'] as const).map((wrong) => ({
        subject: `memory, ${rule}`,
        setting: wrong === 'none' ? 'from the pattern itself' : 'from 25 % flipped',
        steps: 1,
        run: async (seed) => recall(rule, UNITS[quick ? 'quick' : 'full'], FLIPPED[wrong], new Random(seed)),
      })),
    );
  },
};

function recall(rule: LearningRule, units: number, wrong: number, random: Random): Outcome {
  const memory = new AssociativeMemory(units);
  const patterns: Int8Array[] = [];
  const measures: Record<string, number> = {};
  const curve: [number, number][] = [];
  for (const load of LOADS) {
    const added = Array.from({ length: Math.round(load * units) - patterns.length }, () =>
      randomPattern(units, random),
    );
    memory.learn(added, rule);
    patterns.push(...added);
    let recalled = 0;
    for (let k = 0; k < RECALLS; k++) {
      const pattern = patterns[random.integer(patterns.length)]!;
      const { state } = memory.recallAsynchronous(flipped(pattern, wrong, random), random);
      if (overlap(state, pattern) > RECALLED) recalled++;
    }
    curve.push([load, recalled / RECALLS]);
    if (TABLE_LOADS.includes(load)) measures[`at load ${load}, %`] = (100 * recalled) / RECALLS;
  }
  return { measures, parameters: (units * (units - 1)) / 2, millisecondsPerStep: null, curve };
}
