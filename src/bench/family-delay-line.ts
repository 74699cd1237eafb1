import { memoryCapacity } from '../classic/memory-capacity.js';
import { Random } from '../random.js';
import type { FamilyTask } from './family-task.js';

const UNITS = { full: [20, 50, 100, 200], quick: [20, 50] };
const ACTIVATIONS = ['linear', 'tanh'] as const;
const SPECTRAL_RADIUS = 0.95;
/** Steps of training and of test for every unit. */
const STEPS_PER_UNIT = 40;
const TEST_STEPS = 4000;

/** How much an echo state network remembers. */
export const delayLineTask: FamilyTask = {
  title: 'Memory capacity of a reservoir of n units; it cannot exceed n',
  source: 'Jaeger 2001, "Short term memory in echo state networks"',
  axes: { x: 'delay', y: 'squared correlation', logarithmic: false },
  trials: ({ cells, quick }) => {
    if (cells !== null && !cells.includes('echo-state')) return [];
    return ACTIVATIONS.flatMap((activation) =>
      UNITS[quick ? 'quick' : 'full'].map((units) => ({
        subject: `reservoir, ${activation}`,
        member: 'echo-state',
        setting: `n = ${units}`,
        steps: 1,
        async run(seed) {
          const { total, byDelay } = memoryCapacity(
            {
              units,
              activation,
              spectralRadius: SPECTRAL_RADIUS,
              delays: 2 * units,
              trainingSteps: 1000 + STEPS_PER_UNIT * units,
              testSteps: TEST_STEPS,
            },
            new Random(seed),
          );
          return {
            measures: { 'memory capacity': total, 'of the bound, %': (100 * total) / units },
            parameters: units,
            millisecondsPerStep: null,
            curve: Array.from(byDelay, (value, k) => [k + 1, value] as const),
          };
        },
      })),
    );
  },
};
