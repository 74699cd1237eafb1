/** What has a gradient: the decoder's inputs and weights. */
export interface LoopInput<T> {
  /** Embedded y_0..y_{T-1}, `[time, batch, embedding]`. */
  readonly y: T;
  /** c where it conditions every step, `[batch, memory]`. */
  readonly summary: T | null;
  readonly layers: readonly LoopLayer<T>[];
  /** `[batch, source, query]` */
  readonly keys: T;
  /** h_1..h_S, `[batch, source, memory]`. */
  readonly memory: T;
  /** For additive scores: W `[hidden, query]` and v `[query]`; otherwise the state is the query. */
  readonly query: { readonly kernel: T; readonly vector: T } | null;
  /** W_o `[hidden + memory, output]` and b_o `[output]`. */
  readonly readout: { readonly kernel: T; readonly bias: T };
}

export interface LoopLayer<T> {
  /** Of the first layer: rows of y, of c if there, of o_{t-1}. `[input, width]` */
  readonly kernel: T;
  /** `[hidden, width]` */
  readonly recurrent: T;
  /** `[width]` */
  readonly bias: T;
  /** The states before the first step, the output first, each `[batch, hidden]`. */
  readonly initial: readonly T[];
}

/** What has none. */
export interface LoopFixed<T> {
  /** Added to the scores, `[batch, 1, source]`. */
  readonly bias: T;
  /** Dropout of what enters each layer, `[time, batch, input]`; null for the first and where it is off. */
  readonly masks: readonly (T | null)[];
}

/** What all steps made, each `[time, batch, …]`. */
export interface LoopOutput<T> {
  /** o_1..o_T, `[time, batch, output]`. */
  readonly output: T;
  /** Attention weights, `[time, batch, 1, source]`. */
  readonly weights: T;
  /** a_t, `[time, batch, memory]`. */
  readonly contexts: T;
  readonly layers: readonly { readonly states: readonly T[]; readonly trace: readonly T[] }[];
  /** Of the scores, one each step; not stacked, since they are large. */
  readonly scores: readonly T[];
}

// The records as lists, in one order each: automatic differentiation knows lists of tensors only.

export function mapInput<A, B>(input: LoopInput<A>, f: (x: A) => B): LoopInput<B> {
  const { y, summary, layers, keys, memory, query, readout } = input;
  return {
    y: f(y),
    summary: summary === null ? null : f(summary),
    layers: layers.map(({ kernel, recurrent, bias, initial }) => ({
      kernel: f(kernel),
      recurrent: f(recurrent),
      bias: f(bias),
      initial: initial.map((state) => f(state)),
    })),
    keys: f(keys),
    memory: f(memory),
    query: query === null ? null : { kernel: f(query.kernel), vector: f(query.vector) },
    readout: { kernel: f(readout.kernel), bias: f(readout.bias) },
  };
}

export function mapFixed<A, B>({ bias, masks }: LoopFixed<A>, f: (x: A) => B): LoopFixed<B> {
  return { bias: f(bias), masks: masks.map((mask) => (mask === null ? null : f(mask))) };
}

export function mapOutput<A, B>(made: LoopOutput<A>, f: (x: A) => B): LoopOutput<B> {
  const each = (list: readonly A[]): B[] => list.map((x) => f(x));
  return {
    output: f(made.output),
    weights: f(made.weights),
    contexts: f(made.contexts),
    layers: made.layers.map(({ states, trace }) => ({ states: each(states), trace: each(trace) })),
    scores: each(made.scores),
  };
}

export function inputList<T>(input: LoopInput<T>): T[] {
  const list: T[] = [];
  mapInput(input, (x) => list.push(x));
  return list;
}

export function fixedList<T>(fixed: LoopFixed<T>): T[] {
  const list: T[] = [];
  mapFixed(fixed, (x) => list.push(x));
  return list;
}

export function outputList<T>(made: LoopOutput<T>): T[] {
  const list: T[] = [];
  mapOutput(made, (x) => list.push(x));
  return list;
}

/** Gives what is in the list, one after the other. */
export function takeFrom<T>(list: readonly T[]): () => T {
  let k = 0;
  return () => list[k++]!;
}
