import { engine, type Scalar, type Tensor3D, tidy } from '@tensorflow/tfjs-core';
import type { Cell, State, Weights } from '../cell/cell.js';
import { createCell } from '../cell/family.js';
import type { CellInput } from '../cell/options.js';
import type { ScheduleSpec } from '../config.js';
import { RepeatedStep, type StepInputs, type StepTensors } from '../engine/repeated-step.js';
import { fullMask, type SequenceMask } from '../kernel/mask.js';
import { scanWithOneStepGradient } from '../kernel/one-step.js';
import { runSequence, type Wanted } from '../kernel/sequence.js';
import { dense, denseParameters } from '../model/dense.js';
import { type ParameterSpec, ParameterStore, prefixed, scoped } from '../model/parameters.js';
import type { Random } from '../random.js';
import { createOptimizer } from '../train/optimizer.js';
import { Schedule } from '../train/schedule.js';
import { adam } from './adam.js';
import { type TrainingWatch, watchSteps } from './watch.js';

export interface NetworkShape {
  readonly cell: CellInput;
  readonly layers: number;
  readonly units: number;
  /** Numbers read at a step. */
  readonly inputs: number;
  /** Numbers put out at a step. */
  readonly outputs: number;
}

export interface NetworkTraining {
  readonly steps: number;
  readonly learningRate: number;
  /** How the rate changes; constant if absent. */
  readonly schedule?: ScheduleSpec;
  /** Largest global norm of the gradients; 0 is off. */
  readonly clip: number;
  /** Whether the gradient of an output goes back through all steps before it, as it does if absent, or ends at its own. */
  readonly gradient?: 'through-time' | 'one-step';
  readonly watch?: TrainingWatch;
}

/** The learning rate of each step, from 1. */
export function rateOf({ steps, learningRate, schedule }: NetworkTraining): (step: number) => number {
  if (schedule === undefined) return () => learningRate;
  const rates = new Schedule(schedule, learningRate);
  return (step) => rates.rate(step, step / steps);
}

/**
 * One forward pass under the weights of a training step: inputs `[time, batch, inputs]` to `[time, batch, outputs]`. It
 * knows no padding: where rows end early, the outputs behind their ends mean nothing, and the loss leaves them out.
 */
export type Forward = (x: Tensor3D) => Tensor3D;

/** What a network learns. */
export interface Lesson<Name extends string> {
  /** The numbers of step n, from 1. The fewer shapes there are, the faster: see {@link RepeatedStep}. */
  batch(step: number): StepInputs<Name>;
  /** Their loss, computed from these tensors and the forward pass alone. */
  loss(forward: Forward, batch: StepTensors<Name>): Scalar;
}

/** Stacked recurrent layers under a linear readout: what every task outside the encoder-decoder is learned with. */
export class RecurrentNetwork {
  readonly #cells: readonly Cell[];
  readonly #readout: readonly ParameterSpec[];
  readonly #store: ParameterStore;

  /** @param random draws the initial weights */
  constructor(shape: NetworkShape, random: Random) {
    const { cell, layers, units, inputs, outputs } = shape;
    const cells: Cell[] = [];
    for (let n = 0; n < layers; n++) cells.push(createCell(cell, cells.at(-1)?.outputSize ?? inputs, units));
    this.#cells = cells;
    this.#readout = denseParameters(cells.at(-1)!.outputSize, outputs, { bias: true });
    this.#store = new ParameterStore(
      [
        ...cells.flatMap((layer, n) => prefixed(`layer.${n}`, layer.parameters)),
        ...prefixed('readout', this.#readout),
      ],
      random,
    );
  }

  /** Numbers in the weights, fixed ones included. */
  get size(): number {
    return this.#store.size;
  }

  /**
   * Minimises a loss with Adam.
   * @returns milliseconds a step, what the watch does not counted
   */
  train<Name extends string>(training: NetworkTraining, lesson: Lesson<Name>): Promise<number> {
    const { steps, clip, watch = {} } = training;
    const optimizer = createOptimizer(adam(training.learningRate), this.#store, clip);
    const rate = rateOf(training);
    const names = this.#store.specs.filter((spec) => spec.trainable).map((spec) => spec.name);
    const variables = [...this.#store.variables(), ...optimizer.variables()];
    const step = new RepeatedStep<Name>(variables, (batch, settings) => {
      const weights = this.#store.weights();
      const forward: Forward = (x) => {
        const [time, rows] = x.shape;
        const mask = fullMask(rows, time);
        return training.gradient === 'one-step'
          ? this.#runWithOneStepGradient(weights, x, mask)
          : this.#run(weights, x, this.start(rows), mask, 'outputs').outputs;
      };
      const { value, grads } = engine().gradients(
        () => lesson.loss(forward, batch),
        names.map((name) => weights[name]!),
      );
      optimizer.update(Object.fromEntries(names.map((name, k) => [name, grads[k]!])), settings);
      return [value];
    });
    return watchSteps(steps, watch, (n) => {
      const [loss] = step.run(lesson.batch(n), optimizer.begin(rate(n)));
      return loss as Scalar;
    }).finally(() => {
      step.dispose();
      optimizer.dispose();
    });
  }

  /** Outputs `[time, batch, outputs]` of inputs `[time, batch, inputs]` of full length. */
  outputs(x: Tensor3D): Tensor3D {
    return tidy(() => this.advance(this.start(x.shape[1]), x).outputs);
  }

  /** Each layer's state before the first step. */
  start(batch: number): State[] {
    return this.#cells.map((cell) => cell.initial(batch));
  }

  /** Reads on from where an earlier call stopped; the caller owns what it gets. */
  advance(states: readonly State[], x: Tensor3D): { outputs: Tensor3D; states: State[] } {
    const [time, batch] = x.shape;
    return tidy(() => this.#run(this.#store.weights(), x, states, fullMask(batch, time), 'states'));
  }

  dispose(): void {
    this.#store.dispose();
  }

  #runWithOneStepGradient(weights: Weights, x: Tensor3D, mask: SequenceMask): Tensor3D {
    const top = this.#cells.reduce((values, cell, n) => {
      const w = scoped(weights, `layer.${n}`, cell.parameters);
      return scanWithOneStepGradient(cell, w, values, cell.initial(mask.batch), mask);
    }, x);
    return dense(scoped(weights, 'readout', this.#readout), top);
  }

  #run(
    weights: Weights,
    x: Tensor3D,
    states: readonly State[],
    mask: SequenceMask,
    wanted: Wanted,
  ): { outputs: Tensor3D; states: State[] } {
    let values = x;
    const final = this.#cells.map((cell, n) => {
      const w = scoped(weights, `layer.${n}`, cell.parameters);
      const sequence = runSequence(cell, w, values, states[n]!, mask, 'forward', wanted);
      values = sequence.outputs;
      return sequence.final;
    });
    return { outputs: dense(scoped(weights, 'readout', this.#readout), values), states: final };
  }
}
