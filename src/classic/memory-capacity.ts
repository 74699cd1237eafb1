import type { Random } from '../random.js';
import { EchoStateNetwork, type EchoStateOptions } from './echo-state.js';

export interface MemoryCapacity {
  /** The sum over all delays; at most the number of units. */
  readonly total: number;
  /** `byDelay[k - 1]`: squared correlation of the input k steps ago with its reconstruction. */
  readonly byDelay: Float64Array;
}

export interface MemoryCapacityOptions
  extends Pick<EchoStateOptions, 'units' | 'spectralRadius' | 'activation'> {
  /** Longest delay. */
  readonly delays: number;
  readonly trainingSteps: number;
  readonly testSteps: number;
}

/** Small inputs keep tanh in its linear part, where it remembers most (Jaeger 2001, section 5). */
const INPUT_SCALING = 0.1;
/** Only against dependent columns: the inputs' own scale is 1e-2. */
const REGULARIZATION = 1e-12;

/**
 * Short-term memory capacity (Jaeger 2001, "Short term memory in echo state networks"): how well a reservoir of n units
 * that reads independent uniform numbers can be made to say what it read k steps ago, summed over k from 1. Jaeger
 * proves that it cannot exceed n. Measured on inputs that the readout has not learned from, where chance adds less
 * than `delays / testSteps`.
 */
export function memoryCapacity(options: MemoryCapacityOptions, random: Random): MemoryCapacity {
  const { units, spectralRadius, activation, delays, trainingSteps, testSteps } = options;
  const network = new EchoStateNetwork(
    {
      units,
      inputs: 1,
      outputs: delays,
      spectralRadius,
      sparsity: 0.8,
      leak: 1,
      inputScaling: INPUT_SCALING,
      biasScaling: 0,
      activation,
      readsInput: false,
    },
    random,
  );
  const washout = 2 * delays;
  const input = Float64Array.from({ length: washout + trainingSteps + testSteps }, () => random.next() - 0.5);
  const targets = new Float64Array(input.length * delays);
  for (let t = 0; t < input.length; t++) {
    for (let k = 1; k <= Math.min(t, delays); k++) targets[t * delays + k - 1] = input[t - k]!;
  }
  const learned = washout + trainingSteps;
  network.train(input.subarray(0, learned), targets.subarray(0, learned * delays), {
    washout,
    regularization: REGULARIZATION,
    noise: 0,
    random,
  });
  const said = Array.from({ length: testSteps }, (_, t) =>
    network.step(input.subarray(learned + t, learned + t + 1)),
  );
  const byDelay = Float64Array.from({ length: delays }, (_, k) =>
    squaredCorrelation(
      said.map((outputs) => outputs[k]!),
      said.map((_, t) => input[learned + t - k - 1]!),
    ),
  );
  return { total: byDelay.reduce((a, b) => a + b, 0), byDelay };
}

/** cov(a, b)² / (var(a) var(b)); 0 where one of them is constant. */
function squaredCorrelation(a: readonly number[], b: readonly number[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  a.forEach((value, t) => {
    const [x, y] = [value - meanA, b[t]! - meanB];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  });
  return aa === 0 || bb === 0 ? 0 : (ab * ab) / (aa * bb);
}
