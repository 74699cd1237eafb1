import { AssociativeMemory, LEARNING_RULES, type LearningRule } from '../classic/associative-memory.js';
import { ModernHopfield } from '../classic/modern-hopfield.js';
import { Random } from '../random.js';
import { flipped, overlap, randomPattern } from '../task/patterns.js';
import type { FamilyTask, Outcome, Trial } from './family-task.js';

const UNITS = { full: 500, quick: 200 };
/** Patterns stored, as a share of the units. */
const LOADS = [0.02, 0.05, 0.08, 0.1, 0.12, 0.138, 0.15, 0.17, 0.2, 0.25];
const TABLE_LOADS = [0.05, 0.1, 0.138, 0.2];
/** The same for the modern network, which holds far more. */
const MODERN_LOADS = { full: [0.2, 0.5, 1, 2, 5, 10, 20, 50, 100], quick: [0.2, 0.5, 1, 2, 5, 10] };
const MODERN_TABLE_LOADS = [0.2, 1, 10, 100];
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
  source:
    'Hopfield 1982; Amit, Gutfreund & Sompolinsky 1985 (break at 0.138); Storkey 1997; Ramsauer et al. 2020',
  axes: { x: 'patterns per unit', y: 'recalled', logarithmic: false, logarithmicX: true },
  trials: ({ cells, quick }) => {
    if (cells !== null && !cells.includes('hopfield')) return [];
    const size = quick ? 'quick' : 'full';
    const units = UNITS[size];
    const trial = (subject: string, setting: string, run: (random: Random) => Outcome): Trial => ({
      subject,
      member: 'hopfield',
      setting,
      steps: 1,
      run: async (seed) => run(new Random(seed)),
    });
    return [
      ...LEARNING_RULES.flatMap((rule) =>
        (['none', 'quarter'] as const).map((wrong) =>
          trial(
            `memory, ${rule}`,
            wrong === 'none' ? 'from the pattern itself' : 'from 25 % flipped',
            (random) => classic(rule, units, FLIPPED[wrong], random),
          ),
        ),
      ),
      ...MODERN_BETAS.flatMap(({ name, beta }) =>
        MODERN_PATTERNS.map(({ setting, draw }) =>
          trial(`modern, beta = ${name}`, setting, (random) =>
            modern(MODERN_LOADS[size], units, beta(units), draw, random),
          ),
        ),
      ),
    ];
  },
};

/** Patterns that come one after the other, and how many are recalled at each load. */
function recallByLoad(
  loads: readonly number[],
  tableLoads: readonly number[],
  recalledAt: (load: number) => number,
): Pick<Outcome, 'measures' | 'curve'> {
  const measures: Record<string, number> = {};
  const curve = loads.map((load) => {
    const recalled = recalledAt(load);
    if (tableLoads.includes(load)) measures[`at load ${load}, %`] = (100 * recalled) / RECALLS;
    return [load, recalled / RECALLS] as const;
  });
  return { measures, curve };
}

function classic(rule: LearningRule, units: number, wrong: number, random: Random): Outcome {
  const memory = new AssociativeMemory(units);
  const patterns: Int8Array[] = [];
  const result = recallByLoad(LOADS, TABLE_LOADS, (load) => {
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
    return recalled;
  });
  return { ...result, parameters: (units * (units - 1)) / 2, millisecondsPerStep: null };
}

/** A pattern, and the same as a recall starts from it. */
interface ModernPatterns {
  readonly setting: string;
  readonly draw: {
    readonly pattern: (units: number, random: Random) => Float32Array;
    readonly start: (pattern: Float32Array, random: Random) => Float32Array;
  };
}

const MODERN_PATTERNS: readonly ModernPatterns[] = [
  {
    setting: 'from 25 % flipped',
    draw: {
      pattern: (units, random) => Float32Array.from(randomPattern(units, random)),
      start: (pattern, random) =>
        Float32Array.from(flipped(Int8Array.from(pattern), FLIPPED.quarter, random)),
    },
  },
  {
    setting: 'normal, equal noise',
    draw: {
      pattern: (units, random) => Float32Array.from({ length: units }, () => random.normal()),
      start: (pattern, random) => pattern.map((value) => value + random.normal()),
    },
  },
];

const MODERN_BETAS: readonly { name: string; beta: (units: number) => number }[] = [
  { name: '1/sqrt(n)', beta: (units) => 1 / Math.sqrt(units) },
  { name: '1', beta: () => 1 },
];

function modern(
  loads: readonly number[],
  units: number,
  beta: number,
  { pattern: drawPattern, start }: ModernPatterns['draw'],
  random: Random,
): Outcome {
  const patterns: Float32Array[] = [];
  const result = recallByLoad(loads, MODERN_TABLE_LOADS, (load) => {
    while (patterns.length < Math.round(load * units)) patterns.push(drawPattern(units, random));
    const network = new ModernHopfield(patterns, { beta });
    const wanted = Array.from({ length: RECALLS }, () => patterns[random.integer(patterns.length)]!);
    const found = network.recall(wanted.map((pattern) => start(pattern, random)));
    network.dispose();
    return found.filter(({ state }, k) => cosine(state, wanted[k]!) > RECALLED).length;
  });
  return { ...result, parameters: patterns.length * units, millisecondsPerStep: null };
}

/** What the overlap is to patterns of +1 and -1. */
function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array): number =>
    x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}
