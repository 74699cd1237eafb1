import {
  add,
  concat,
  matMul,
  split,
  stack,
  sum,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  tidy,
  transpose,
  unstack,
  zerosLike,
} from '@tensorflow/tfjs-core';
import type { Cell, State, StepTaken, WeightGradients, Weights } from '../cell/cell.js';
import { customOperation } from './custom-operation.js';
import type { SequenceMask } from './mask.js';
import type { Sequence } from './scan.js';
import type { Wanted } from './sequence.js';

/** A cell whose step's derivative is written by hand. */
export type DifferentiatedCell = Cell & Required<Pick<Cell, 'backwardStep'>>;

export function isDifferentiated(cell: Cell): cell is DifferentiatedCell {
  return cell.backwardStep !== undefined;
}

/**
 * Runs any cell with a derivative of its own over a padded sequence, on any engine: the faster twin of `scanCell`. To
 * automatic differentiation the whole sequence is one operation; its gradient goes back step by step through the states
 * and forms each weight's gradient as one product over all steps. Padding needs no care inside: padded steps come last
 * and nothing behind them is used, so no gradient enters there.
 */
export function runRecurrence(
  cell: DifferentiatedCell,
  w: Weights,
  x: Tensor3D,
  initial: State,
  mask: SequenceMask,
  wanted: Wanted,
): Sequence {
  const states = sequenceOf(cell, cell.prepare(w), cell.project(w, x), initial);
  const ends = Object.entries(wanted === 'states' ? states : {});
  return {
    outputs: mask.apply(cell.read(states)),
    final: Object.fromEntries(ends.map(([name, values]) => [name, mask.last(initial[name]!, values)])),
  };
}

/** The states after every step, each `[time, batch, size]`. @param w prepared; @param x projected */
function sequenceOf(
  cell: DifferentiatedCell,
  w: Weights,
  x: Tensor3D,
  initial: State,
): Record<string, Tensor3D> {
  const names = Object.keys(cell.stateSizes);
  const weightNames = Object.keys(w);
  const sizes = names.map((name) => cell.stateSizes[name]!);
  const inputs = [x, ...names.map((name) => initial[name]!), ...weightNames.map((name) => w[name]!)];
  // One tensor comes out, since a custom gradient has one: the states side by side.
  const packed = customOperation(
    inputs,
    (all) => {
      const [xs, begin, weights] = open(all, names, weightNames);
      const { states, traces } = forward(cell, weights, unstack(xs) as Tensor2D[], begin);
      const value = joined(names.map((name) => stack(states.map((state) => state[name]!)) as Tensor3D));
      // Stacked, so that few tensors are kept: to keep one costs as much as a small operation.
      const kept = [value, ...traces[0]!.map((_, k) => stack(traces.map((trace) => trace[k]!)))];
      return { value, kept };
    },
    (by, all, [states, ...traced]) =>
      tidy(() => {
        const [, start, given] = open(all, names, weightNames);
        const after = stepsOf(states as Tensor3D, names, sizes);
        const trace = traced.map((values) => unstack(values) as Tensor2D[]);
        const steps = after.map(
          (state, t): StepTaken => ({
            before: t === 0 ? start : after[t - 1]!,
            after: state,
            trace: trace.map((values) => values[t]!),
          }),
        );
        return backward(cell, given, steps, stepsOf(by, names, sizes), start);
      }),
  );
  const parts = apart(packed, sizes);
  return Object.fromEntries(names.map((name, k) => [name, parts[k]!]));
}

/** Sequences that stand side by side. */
function apart(packed: Tensor3D, sizes: readonly number[]): Tensor3D[] {
  return sizes.length === 1 ? [packed] : split(packed, [...sizes], 2);
}

/** What {@link sequenceOf} packs, by step and name. */
function stepsOf(packed: Tensor3D, names: readonly string[], sizes: readonly number[]): State[] {
  const parts = apart(packed, sizes).map((part) => unstack(part) as Tensor2D[]);
  return parts[0]!.map((_, t) => Object.fromEntries(names.map((name, k) => [name, parts[k]![t]!])));
}

/** The inputs of the operation under their names again. */
function open(
  [x, ...rest]: readonly Tensor[],
  names: readonly string[],
  weightNames: readonly string[],
): [x: Tensor3D, initial: State, weights: Weights] {
  return [
    x as Tensor3D,
    Object.fromEntries(names.map((name, k) => [name, rest[k] as Tensor2D])),
    Object.fromEntries(weightNames.map((name, k) => [name, rest[names.length + k]!])),
  ];
}

function joined(parts: readonly Tensor3D[]): Tensor3D {
  return parts.length === 1 ? parts[0]! : (concat([...parts], 2) as Tensor3D);
}

function forward(
  cell: DifferentiatedCell,
  w: Weights,
  xs: readonly Tensor2D[],
  initial: State,
): { states: State[]; traces: (readonly Tensor2D[])[] } {
  const states: State[] = [];
  const traces: (readonly Tensor2D[])[] = [];
  let state = initial;
  for (const xt of xs) {
    const result = tidy(() => {
      const { state: after, trace = [] } = cell.step(w, xt, state);
      return { after: { ...after }, trace: [...trace] };
    });
    state = result.after;
    states.push(result.after);
    traces.push(result.trace);
  }
  return { states, traces };
}

/** Gradients of the projected input, the initial states and the weights, in this order. */
function backward(
  cell: DifferentiatedCell,
  w: Weights,
  steps: readonly StepTaken[],
  by: readonly State[],
  initial: State,
): Tensor[] {
  // Once a sequence: a product with a transposed factor is slower than a plain one, and there are some in each step.
  const transposed: Weights = Object.fromEntries(
    Object.entries(w)
      .filter(([, { rank }]) => rank === 2)
      .map(([name, matrix]) => [name, transpose(matrix)]),
  );
  const total = new SequenceGradients();
  const dxs: Tensor2D[] = new Array(steps.length);
  let carried: State = {};
  for (let t = steps.length - 1; t >= 0; t--) {
    const step = new SequenceGradients();
    const result = tidy(() => {
      const now = Object.fromEntries(
        Object.entries(by[t]!).map(([name, own]): [string, Tensor2D] => {
          const later = carried[name];
          return [name, later === undefined ? own : add(own, later)];
        }),
      );
      const { xt, state } = cell.backwardStep(w, transposed, steps[t]!, now, step);
      // What was collected is returned too, so that it outlives the step's scope.
      return { xt, state: { ...state }, collected: step.tensors() };
    });
    total.take(step);
    dxs[t] = result.xt;
    carried = result.state;
  }
  const weights = Object.entries(w).map(([name, value]) => total.of(name) ?? zerosLike(value));
  return [
    stack(dxs),
    ...Object.entries(initial).map(([name, value]) => carried[name] ?? zerosLike(value)),
    ...weights,
  ];
}

/** What the steps of a sequence give each weight. */
class SequenceGradients implements WeightGradients {
  readonly #products = new Map<string, (readonly [input: Tensor2D, gradient: Tensor2D])[]>();
  readonly #vectors = new Map<string, Tensor2D[]>();

  product(name: string, input: Tensor2D, gradient: Tensor2D): void {
    append(this.#products, name, [input, gradient] as const);
  }

  vector(name: string, gradient: Tensor2D): void {
    append(this.#vectors, name, gradient);
  }

  take(step: SequenceGradients): void {
    for (const [name, pairs] of step.#products) for (const pair of pairs) append(this.#products, name, pair);
    for (const [name, rows] of step.#vectors) for (const row of rows) append(this.#vectors, name, row);
  }

  tensors(): Tensor2D[] {
    return [...[...this.#products.values()].flat(2), ...[...this.#vectors.values()].flat()];
  }

  /** The weight's whole gradient; null if it has none. */
  of(name: string): Tensor | null {
    const pairs = this.#products.get(name);
    if (pairs !== undefined) {
      const inputs = rowsOf(pairs.map(([input]) => input)); // [steps * batch, m]
      const gradients = rowsOf(pairs.map(([, gradient]) => gradient)); // [steps * batch, n]
      return tidy(() => matMul(transpose(inputs), gradients));
    }
    const rows = this.#vectors.get(name);
    return rows === undefined ? null : sum(rowsOf(rows), 0);
  }
}

function append<T>(lists: Map<string, T[]>, name: string, item: T): void {
  const list = lists.get(name);
  if (list === undefined) lists.set(name, [item]);
  else list.push(item);
}

function rowsOf(parts: readonly Tensor2D[]): Tensor2D {
  return parts.length === 1 ? parts[0]! : (concat([...parts], 0) as Tensor2D);
}
