import { type Scalar, type Tensor3D, tidy } from '@tensorflow/tfjs-core';
import type { Cell, State, Weights } from '../cell/cell.js';
import { createCell } from '../cell/family.js';
import type { CellInput } from '../cell/options.js';
import type { StepInputs, StepTensors } from '../engine/repeated-step.js';
import { fullMask, type SequenceMask } from '../kernel/mask.js';
import { scanWithOneStepGradient } from '../kernel/one-step.js';
import { runSequence, type Wanted } from '../kernel/sequence.js';
import { dense, denseParameters } from '../model/dense.js';
import { type ParameterSpec, ParameterStore, prefixed, scoped } from '../model/parameters.js';
import type { Random } from '../random.js';
import { minimise, type Training } from './minimise.js';

export interface NetworkShape {
  readonly cell: CellInput;
  readonly layers: number;
  readonly units: number;
  /** Numbers read at a step. */
  readonly inputs: number;
  /** Numbers put out at a step. */
  readonly outputs: number;
}

export interface NetworkTraining extends Training {
  /** Whether the gradient of an output goes back through all steps before it, as it does if absent, or ends at its own. */
  readonly gradient?: 'through-time' | 'one-step';
}

/**
 * One forward pass under the weights of a training step: inputs `[time, batch, inputs]` to `[time, batch, outputs]`. It
 * knows no padding: where rows end early, the outputs behind their ends mean nothing, and the loss leaves them out.
 */
export type Forward = (x: Tensor3D) => Tensor3D;

/** What a network learns. */
export interface Lesson<Name extends string> {
  /** The numbers of step n, from 1. The fewer shapes there are, the faster: see {@link minimise}. */
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
    return minimise<Name>(this.#store, training, {
      batch: (n) => lesson.batch(n),
      loss: (weights, batch) =>
        lesson.loss((x) => {
          const [time, rows] = x.shape;
          const mask = fullMask(rows, time);
          return training.gradient === 'one-step'
            ? this.#runWithOneStepGradient(weights, x, mask)
            : this.#run(weights, x, this.start(rows), mask, 'outputs').outputs;
        }, batch),
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
