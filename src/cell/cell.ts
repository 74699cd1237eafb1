import type { Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import type { CellKind } from '../config.js';

/** How a parameter starts. */
export type Initializer =
  | { readonly kind: 'zeros' }
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'uniform'; readonly limit: number }
  | { readonly kind: 'normal'; readonly deviation: number }
  /** Columns `from` to `to` get `value`, the others 0: a bias that differs by gate. */
  | { readonly kind: 'band'; readonly from: number; readonly to: number; readonly value: number };

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

/**
 * A recurrent cell: one member of the family. It sees one step; the time loop is `kernel/scan.ts`, and padding,
 * direction and stacking are handled outside.
 */
export interface Cell {
  readonly kind: CellKind;
  readonly inputSize: number;
  readonly outputSize: number;
  /** Size of each state tensor, in the order in which the bridge fills them. */
  readonly stateSizes: Readonly<Record<string, number>>;
  /** Parameters with local names (`kernel`, `recurrent`, `bias`). */
  readonly parameters: readonly ParameterSpec[];
  /**
   * What needs no state, for all steps at once.
   * @param w the cell's weights under their local names
   * @param x inputs `[time, batch, inputSize]`
   * @returns projected inputs `[time, batch, any]`
   */
  project(w: Weights, x: Tensor3D): Tensor3D;
  /**
   * One step.
   * @param xt one step of what {@link project} returned, `[batch, any]`
   * @param state the state before the step
   */
  step(w: Weights, xt: Tensor2D, state: State): { readonly output: Tensor2D; readonly state: State };
}

/** A constructor for every kind of cell: `new LstmCell(inputSize, hiddenSize)`. */
export type CellConstructor = new (inputSize: number, hiddenSize: number) => Cell;

/** The named weight; a missing one is a mistake in the program, not in its input. */
export function weight<T extends Tensor = Tensor>(w: Weights, name: string): T {
  const found = w[name];
  if (found === undefined) throw new Error(`no weight named ${name}`);
  return found as T;
}

/**
 * Kernel, recurrent matrix and bias of `gates` stacked gates, uniform in ±1/sqrt(hidden): the usual start for
 * recurrent layers of this size, under which every seed of the addition task converges.
 */
export function gateParameters(inputSize: number, hiddenSize: number, gates: number): ParameterSpec[] {
  const initializer: Initializer = { kind: 'uniform', limit: 1 / Math.sqrt(hiddenSize) };
  const width = gates * hiddenSize;
  return [
    { name: 'kernel', shape: [inputSize, width], initializer, trainable: true },
    { name: 'recurrent', shape: [hiddenSize, width], initializer, trainable: true },
    { name: 'bias', shape: [width], initializer: { kind: 'zeros' }, trainable: true },
  ];
}
