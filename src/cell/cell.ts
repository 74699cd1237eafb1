import type { Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import type { z } from 'zod';
import type { Random } from '../random.js';
import type { CellKind, OptionsOf } from './options.js';

/** How a parameter starts. */
export type Initializer =
  | { readonly kind: 'zeros' }
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'uniform'; readonly limit: number }
  | { readonly kind: 'normal'; readonly deviation: number }
  /** Columns `from` to `to` get `value`, the others 0: a bias that differs by gate. */
  | { readonly kind: 'band'; readonly from: number; readonly to: number; readonly value: number }
  /** Values of a parameter's own making, such as a reservoir's. */
  | {
      readonly kind: 'drawn';
      readonly draw: (shape: readonly number[], random: Random) => Float32Array;
    };

export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly initializer: Initializer;
  /** A fixed parameter (a reservoir) gets no gradient but is saved like any other. */
  readonly trainable: boolean;
}

/** Parameter values by name. */
export type Weights = Readonly<Record<string, Tensor>>;

/** Named state tensors, each `[batch, size]`. */
export type State = Readonly<Record<string, Tensor2D>>;

/** What one step gives. */
export interface StepResult {
  /** The state after the step. */
  readonly state: State;
  /** What {@link Cell.backwardStep} wants back of this step, each `[batch, any]`. */
  readonly trace?: readonly Tensor2D[];
}

/** A step that was taken, as its derivative sees it. */
export interface StepTaken {
  readonly before: State;
  readonly after: State;
  readonly trace: readonly Tensor2D[];
}

/**
 * Collects what weights get of one step. Products are summed over all steps as one matrix product at the end, which is
 * what makes a derivative written by hand fast.
 */
export interface WeightGradients {
  /** The weight entered as `input W`, and `gradient` is that of this product: `[batch, m]`, `[batch, n]`. */
  product(name: string, input: Tensor2D, gradient: Tensor2D): void;
  /** The weight is a vector `[n]`, and the sum of these rows is its gradient, `[batch, n]`. */
  vector(name: string, gradient: Tensor2D): void;
}

/** Gradients that leave a step. */
export interface StepGradients {
  /** Of the projected input, `[batch, any]`. */
  readonly xt: Tensor2D;
  /** Of the state before the step; a state that is not named has none. */
  readonly state: State;
}

/**
 * One step of a cell.
 * @param w what {@link Cell.prepare} returned
 * @param xt one step of what {@link Cell.project} returned, `[batch, any]`
 * @param state the state before the step
 */
export type Step = (w: Weights, xt: Tensor2D, state: State) => StepResult;

/**
 * The derivative of a {@link Step}, written by hand.
 * @param w what {@link Cell.prepare} returned
 * @param transposed its matrices, transposed
 * @param by gradients of the states after the step
 * @param weights takes the weights' share
 */
export type BackwardStep = (
  w: Weights,
  transposed: Weights,
  taken: StepTaken,
  by: State,
  weights: WeightGradients,
) => StepGradients;

/**
 * A recurrent cell: one member of the family. It sees one step; the time loop is `kernel/scan.ts`, and padding,
 * direction and stacking are handled outside. {@link CellBase} has the usual answers to everything but the step.
 */
export interface Cell {
  readonly kind: CellKind;
  readonly inputSize: number;
  readonly outputSize: number;
  /** Size of each state tensor, in the order in which the bridge fills them. */
  readonly stateSizes: Readonly<Record<string, number>>;
  /** States that nothing outside fills: they begin as {@link initial} says. A clock is one. */
  readonly ownStates: readonly string[];
  /** Parameters with local names (`kernel`, `recurrent`, `bias`). */
  readonly parameters: readonly ParameterSpec[];
  /** The state before the first step, each `[batch, size]`. */
  initial(batch: number): State;
  /** What the steps share: weights derived from the parameters, such as a symmetric matrix. Computed once a sequence. */
  prepare(w: Weights): Weights;
  /**
   * What needs no state, for all steps at once.
   * @param w the cell's weights under their local names
   * @param x inputs `[time, batch, inputSize]`
   * @returns projected inputs `[time, batch, any]`
   */
  project(w: Weights, x: Tensor3D): Tensor3D;
  readonly step: Step;
  /**
   * The output, a function of the state after the step: of one, `[batch, size]`, or of all, `[time, batch, size]`.
   */
  read<T extends Tensor>(state: Readonly<Record<string, T>>): T;
  /** Without it the step is differentiated automatically, which gives the same and takes longer. */
  readonly backwardStep?: BackwardStep;
}

/**
 * One kind of cell as the table of members holds it, the class itself:
 * `new JordanCell(inputSize, hiddenSize, { kind: 'jordan', decay: 0.5 })`.
 */
export interface CellClass<K extends CellKind = CellKind> {
  new (inputSize: number, hiddenSize: number, options: OptionsOf<K>): Cell & { readonly kind: K };
  /** What a configuration can tell the cell: every default with its reason. Descriptions make docs/configuration.md. */
  readonly options: z.ZodType<OptionsOf<K>>;
  /** Why a cell cannot have so many units; null if it can. Without it any number will do. */
  sizeProblem?(options: OptionsOf<K>, hidden: number): string | null;
}

/** The named weight; a missing one is a mistake in the program, not in its input. */
export function weight<T extends Tensor = Tensor2D>(w: Weights, name: string): T {
  const found = w[name];
  if (found === undefined) throw new Error(`no weight named ${name}`);
  return found as T;
}
