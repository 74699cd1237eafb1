import {
  mean,
  type Scalar,
  slice,
  squaredDifference,
  type Tensor3D,
  tensor3d,
  tidy,
} from '@tensorflow/tfjs-core';
import type { CellKind } from '../cell/options.js';
import { EchoStateNetwork } from '../classic/echo-state.js';
import { Random } from '../random.js';
import { mackeyGlass } from '../task/mackey-glass.js';
import { risingAndFalling } from './adam.js';
import { type FamilyBudget, type FamilyTask, membersOf, type Outcome, type Trial } from './family-task.js';
import { LossCurve } from './loss-curve.js';
import { RecurrentNetwork } from './network.js';
import type { TrainingWatch } from './watch.js';

const CELLS: readonly CellKind[] = ['continuous-time'];

/** Steps that the free run goes on. */
const AHEAD = 84;
/** Free runs of the test, so many steps apart. */
const RUNS = 50;
const APART = 40;
/** Values before the series has found its attractor. */
const TRANSIENT = 1000;
/** Values that are learned from, and the first of them that only warm the network up (Jaeger & Haas 2004). */
const TRAINING = 3000;
const WASHOUT = 1000;

/** Units of the echo state network, 1000 as in the paper. */
const UNITS = { full: 1000, quick: 200 };
const RESERVOIR = {
  inputs: 1,
  outputs: 1,
  spectralRadius: 0.9,
  sparsity: 0.99,
  leak: 0.4,
  inputScaling: 1,
  biasScaling: 0.2,
  activation: 'tanh',
  readsInput: true,
} as const;
/** The smallest with which the normal equations of 1000 strongly dependent units still factor in double precision. */
const REGULARIZATION = 1e-10;

/** Of the networks that are trained step by step. */
const TRAINED = { units: 64, batch: 32, window: 60, warmUp: 20, learningRate: 5e-3, lead: 500 };
const STEPS = { full: 1500, quick: 40 };

/** A chaotic series that a network goes on with by itself. */
export const mackeyGlassTask: FamilyTask = {
  title: `Mackey-Glass series, tau = 17: error ${AHEAD} steps into a free run, as a share of the deviation`,
  source: 'Jaeger & Haas 2004, "Harnessing nonlinearity"',
  axes: { x: 'steps ahead', y: 'normalised error (NRMSE)', logarithmic: true },
  trials: (budget) => {
    const units = budget.quick ? UNITS.quick : UNITS.full;
    const steps = budget.quick ? STEPS.quick : STEPS.full;
    const classic: Trial = {
      subject: 'reservoir, ridge',
      member: 'echo-state',
      setting: `${units} units`,
      steps: 1,
      run: async (seed: number) => byRidge(units, seed),
    };
    const trained = membersOf(budget, CELLS).map((cell) => ({
      subject: cell,
      member: cell,
      setting: `${TRAINED.units} units`,
      steps,
      run: (seed: number, watch: TrainingWatch) => byGradient(cell, steps, seed, watch),
    }));
    return wantsReservoir(budget) ? [classic, ...trained] : trained;
  },
};

function wantsReservoir({ cells }: FamilyBudget): boolean {
  return cells === null || cells.includes('echo-state');
}

/** tanh(x - 1) of the series, as in the paper: centred, within ±1. */
function series(): Float64Array {
  const length = TRANSIENT + TRAINING + RUNS * APART + AHEAD + 1;
  return mackeyGlass(length)
    .subarray(TRANSIENT)
    .map((x) => Math.tanh(x - 1));
}

function byRidge(units: number, seed: number): Outcome {
  const values = series();
  const random = new Random(seed);
  const network = new EchoStateNetwork({ units, ...RESERVOIR }, random);
  network.train(values.subarray(0, TRAINING), values.subarray(1, TRAINING + 1), {
    washout: WASHOUT,
    regularization: REGULARIZATION,
    noise: 0,
    random,
  });
  const errors = new FreeRunErrors(values);
  for (let run = 0, at = TRAINING; run < RUNS; run++) {
    for (let t = 0; t < APART; t++, at++) network.step(values.subarray(at, at + 1));
    const state = network.snapshot();
    let value = values.subarray(at, at + 1);
    for (let k = 1; k <= AHEAD; k++) {
      value = network.step(value);
      errors.add(k, value[0]! - values[at + k]!);
    }
    network.restore(state);
  }
  return { ...errors.outcome(), parameters: network.parameters, millisecondsPerStep: null };
}

/** Learns the next value from windows of the training part, then goes on by itself like the reservoir. */
async function byGradient(
  cell: CellKind,
  steps: number,
  seed: number,
  watch: TrainingWatch,
): Promise<Outcome> {
  const values = series();
  const random = new Random(seed);
  const { units, batch, window, warmUp, learningRate, lead } = TRAINED;
  const network = new RecurrentNetwork({ cell, layers: 1, units, inputs: 1, outputs: 1 }, random);
  const training = risingAndFalling(steps, learningRate, new LossCurve(steps, watch).watch);
  const learned = (x: Tensor3D): Tensor3D => slice(x, [warmUp, 0, 0]);
  const millisecondsPerStep = await network.train(training, {
    batch: () => {
      const starts = Array.from({ length: batch }, () => random.integer(TRAINING - window));
      const next = starts.map((start) => start + 1);
      return { x: windows(values, starts, window), right: windows(values, next, window) };
    },
    loss: (forward, { x, right }) =>
      mean(squaredDifference(learned(forward(x as Tensor3D)), learned(right as Tensor3D))) as Scalar,
  });
  const errors = new FreeRunErrors(values);
  tidy(() => {
    // Every run is a row: all read their own past, then go on together.
    const ends = Array.from({ length: RUNS }, (_, run) => TRAINING + (run + 1) * APART);
    const read = (starts: readonly number[], length: number): Tensor3D => {
      const { values: data, shape } = windows(values, starts, length);
      return tensor3d(data, shape);
    };
    const past = read(
      ends.map((end) => end - lead),
      lead,
    );
    let { states } = network.advance(network.start(RUNS), past);
    let x = read(ends, 1);
    for (let k = 1; k <= AHEAD; k++) {
      const next = network.advance(states, x);
      [x, states] = [next.outputs, next.states];
      x.dataSync().forEach((value, run) => {
        errors.add(k, value - values[ends[run]! + k]!);
      });
    }
  });
  const parameters = network.size;
  network.dispose();
  return { ...errors.outcome(), parameters, millisecondsPerStep };
}

/** Stretches of the series, `[length, starts, 1]`. */
function windows(values: Float64Array, starts: readonly number[], length: number) {
  const data = new Float32Array(length * starts.length);
  for (let t = 0, k = 0; t < length; t++) {
    for (const start of starts) data[k++] = values[start + t]!;
  }
  return { values: data, shape: [length, starts.length, 1] as [number, number, number] };
}

/** Errors of free runs by how far they have come. */
class FreeRunErrors {
  readonly #squares = new Float64Array(AHEAD + 1);
  readonly #deviation: number;

  constructor(values: Float64Array) {
    const average = values.reduce((sum, x) => sum + x, 0) / values.length;
    this.#deviation = Math.sqrt(values.reduce((sum, x) => sum + (x - average) ** 2, 0) / values.length);
  }

  add(ahead: number, error: number): void {
    this.#squares[ahead] = this.#squares[ahead]! + error * error;
  }

  outcome(): Pick<Outcome, 'measures' | 'curve'> {
    const curve = Array.from(
      this.#squares,
      (sum, k) => [k, Math.sqrt(sum / RUNS) / this.#deviation] as const,
    );
    return { measures: { [`NRMSE ${AHEAD}`]: curve.at(-1)![1] }, curve: curve.slice(1) };
  }
}
