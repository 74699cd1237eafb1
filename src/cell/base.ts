import { slice, type Tensor, type Tensor2D, type Tensor3D, zeros } from '@tensorflow/tfjs-core';
import type { Cell, Initializer, ParameterSpec, State, Step, Weights } from './cell.js';
import type { CellKind } from './options.js';
import { projectInputs } from './project.js';

/** A cell that projects its input by `kernel` and `bias`, starts from zeros and puts out its first state. */
export abstract class CellBase implements Cell {
  abstract readonly kind: CellKind;
  readonly ownStates: readonly string[] = [];

  constructor(
    readonly inputSize: number,
    readonly outputSize: number,
    readonly stateSizes: Readonly<Record<string, number>>,
    readonly parameters: readonly ParameterSpec[],
  ) {}

  initial(batch: number): State {
    return Object.fromEntries(
      Object.entries(this.stateSizes).map(([name, size]): [string, Tensor2D] => [name, zeros([batch, size])]),
    );
  }

  prepare(w: Weights): Weights {
    return w;
  }

  project(w: Weights, x: Tensor3D): Tensor3D {
    return projectInputs(w, x);
  }

  abstract readonly step: Step;

  read<T extends Tensor>(state: Readonly<Record<string, T>>): T {
    return state[Object.keys(this.stateSizes)[0]!]!;
  }
}

/** A cell of one gate matrix: kernel, recurrent matrix and bias hold `gates` blocks of columns of one width. */
export abstract class GateCell extends CellBase {
  constructor(
    inputSize: number,
    hiddenSize: number,
    gates: number,
    states: readonly string[] = ['h'],
    bias: Initializer = { kind: 'zeros' },
  ) {
    super(
      inputSize,
      hiddenSize,
      Object.fromEntries(states.map((name) => [name, hiddenSize])),
      gateParameters(inputSize, hiddenSize, gates * hiddenSize, bias),
    );
  }
}

/**
 * Kernel, recurrent matrix and bias of stacked gates, uniform in ±1/sqrt(hidden): the usual start for recurrent layers
 * of this size, under which every seed of the addition task converges.
 */
export function gateParameters(
  inputSize: number,
  hiddenSize: number,
  width: number,
  bias: Initializer = { kind: 'zeros' },
): ParameterSpec[] {
  const initializer: Initializer = { kind: 'uniform', limit: 1 / Math.sqrt(hiddenSize) };
  return [
    parameter('kernel', [inputSize, width], initializer),
    parameter('recurrent', [hiddenSize, width], initializer),
    parameter('bias', [width], bias),
  ];
}

/** A parameter that is trained. */
export function parameter(name: string, shape: readonly number[], initializer: Initializer): ParameterSpec {
  return { name, shape, initializer, trainable: true };
}

/** Columns `from` to `from + size` of x `[…, any]`. */
export function columns<T extends Tensor>(x: T, from: number, size: number): T {
  const last = x.shape.length - 1;
  return slice(
    x,
    x.shape.map((_, axis) => (axis === last ? from : 0)),
    x.shape.map((whole, axis) => (axis === last ? size : whole)),
  );
}
