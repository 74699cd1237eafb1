import { engine, type Scalar } from '@tensorflow/tfjs-core';
import type { ScheduleSpec } from '../config.js';
import { RepeatedStep, type StepInputs, type StepTensors } from '../engine/repeated-step.js';
import type { ParameterStore, Weights } from '../model/parameters.js';
import { createOptimizer } from '../train/optimizer.js';
import { Schedule } from '../train/schedule.js';
import { adam } from './adam.js';
import { type TrainingWatch, watchSteps } from './watch.js';

/** How a benchmark trains. */
export interface Training {
  readonly steps: number;
  readonly learningRate: number;
  /** How the rate changes; constant if absent. */
  readonly schedule?: ScheduleSpec;
  /** Largest global norm of the gradients; 0 is off. */
  readonly clip: number;
  readonly watch?: TrainingWatch;
}

/** What is minimised. */
export interface Objective<Name extends string> {
  /** The numbers of step n, from 1. The fewer shapes there are, the faster: see {@link RepeatedStep}. */
  batch(step: number): StepInputs<Name>;
  /** Their loss, computed from the weights and these tensors alone. */
  loss(weights: Weights, batch: StepTensors<Name>): Scalar;
}

/**
 * Minimises a loss over the trainable parameters with Adam; on the tensorflow engine a step is one graph.
 * @returns milliseconds a step, what the watch does not counted
 */
export function minimise<Name extends string>(
  store: ParameterStore,
  training: Training,
  { batch, loss }: Objective<Name>,
): Promise<number> {
  const { steps, clip, watch = {} } = training;
  const optimizer = createOptimizer(adam(training.learningRate), store, clip);
  const rate = rateOf(training);
  const names = store.specs.filter((spec) => spec.trainable).map((spec) => spec.name);
  const step = new RepeatedStep<Name>(
    [...store.variables(), ...optimizer.variables()],
    (tensors, settings) => {
      const weights = store.weights();
      const { value, grads } = engine().gradients(
        () => loss(weights, tensors),
        names.map((name) => weights[name]!),
      );
      optimizer.update(Object.fromEntries(names.map((name, k) => [name, grads[k]!])), settings);
      return [value];
    },
  );
  return watchSteps(steps, watch, (n) => {
    const [value] = step.run(batch(n), optimizer.begin(rate(n)));
    return value as Scalar;
  }).finally(() => {
    step.dispose();
    optimizer.dispose();
  });
}

/** The learning rate of each step, from 1. */
function rateOf({ steps, learningRate, schedule }: Training): (step: number) => number {
  if (schedule === undefined) return () => learningRate;
  const rates = new Schedule(schedule, learningRate);
  return (step) => rates.rate(step, step / steps);
}
