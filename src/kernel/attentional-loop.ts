import type { Algebra, Product, Way } from './algebra.js';
import { LOOP_CELLS, type LoopCell, type LoopCellKind } from './attentional-cell.js';
import type { LoopFixed, LoopInput, LoopLayer, LoopOutput } from './attentional-records.js';
import { additiveScore, dotScore, type LoopScore } from './attentional-score.js';

/** Steps whose large shares of the keys' gradient are held at once. */
const CHUNK = 8;

/** The loop's weights in the form in which steps use them. */
class Loop<H> {
  readonly time: number;
  readonly batch: number;
  readonly cells: readonly LoopCell<H>[];
  readonly score: LoopScore<H>;
  /** What s is multiplied with: W_q beside its part of W_o. */
  readonly ofState: Product<H>;
  /** The part of W_o that a_t is multiplied with. */
  readonly ofContext: Product<H>;
  /** Rows of the first kernel: those of y, of c if there, of o. */
  readonly rows: readonly number[];
  readonly kernels: readonly H[];
  readonly hidden: number;
  readonly memorySize: number;
  readonly outputSize: number;

  constructor(
    readonly ops: Algebra<H>,
    readonly kinds: readonly LoopCellKind[],
    readonly input: LoopInput<H>,
    way: Way,
  ) {
    const { y, summary, layers, keys, memory, query, readout } = input;
    const [time, batch, embedding] = ops.shape(y) as [number, number, number];
    this.time = time;
    this.batch = batch;
    this.hidden = ops.shape(layers.at(-1)!.recurrent)[0]!;
    this.memorySize = ops.shape(memory)[2]!;
    this.outputSize = ops.shape(readout.bias)[0]!;
    this.rows = [embedding, ...(summary === null ? [] : [ops.shape(summary)[1]!]), this.outputSize];
    this.kernels = ops.split(layers[0]!.kernel, this.rows, 0);
    this.cells = layers.map(({ kernel, recurrent }, n) => {
      const fed = n === 0 ? this.kernels.at(-1)! : kernel;
      return LOOP_CELLS[kinds[n]!](ops, { input: fed, recurrent }, way, batch);
    });
    this.score = query === null ? dotScore(ops, keys) : additiveScore(ops, keys, query.vector);
    const [byState, byContext] = ops.split(readout.kernel, [this.hidden, this.memorySize], 0) as [H, H];
    this.ofState = ops.product(query === null ? byState : ops.concat([query.kernel, byState], 1), way);
    this.ofContext = ops.product(byContext, way);
  }

  /** Widths of what {@link ofState} gives: the query's, if it is projected, and the output's. */
  get widths(): number[] {
    const { query } = this.input;
    return query === null ? [this.outputSize] : [this.ops.shape(query.vector)[0]!, this.outputSize];
  }

  /** x `[time, batch, size]` as rows. */
  flat(x: H): H {
    const { ops, time, batch } = this;
    return ops.reshape(x, [
      time * batch,
      ops
        .shape(x)
        .slice(2)
        .reduce((a, b) => a * b, 1),
    ]);
  }

  /** What the first layer knows of each step: y W + c W + b, each `[batch, width]`. */
  known(): H[] {
    const { ops, input, time, batch } = this;
    const { bias } = input.layers[0]!;
    const [width] = ops.shape(bias) as [number];
    const product = ops.matMul(this.flat(input.y), this.kernels[0]!);
    const constant =
      input.summary === null ? bias : ops.add(ops.matMul(input.summary, this.kernels[1]!), bias);
    return ops.unpack(ops.add(ops.reshape(product, [time, batch, width]), constant));
  }
}

/** Runs the decoder over the whole target. */
export function loopForward<H>(
  ops: Algebra<H>,
  kinds: readonly LoopCellKind[],
  input: LoopInput<H>,
  fixed: LoopFixed<H>,
): LoopOutput<H> {
  const loop = new Loop(ops, kinds, input, 'forward');
  const { batch, outputSize } = loop;
  const known = loop.known();
  const masks = fixed.masks.map((mask) => (mask === null ? null : ops.unpack(mask)));
  let feed = ops.zeros([batch, outputSize]);
  let states = input.layers.map(({ initial }) => initial);
  const steps = known.map((knownNow, t) => {
    const step = ops.scope(() => {
      const layers = [];
      let u = feed;
      for (const [n, cell] of loop.cells.entries()) {
        const mask = masks[n]?.[t];
        const entering = mask === undefined ? u : ops.mul(u, mask);
        const made = cell.forward(n === 0 ? knownNow : input.layers[n]!.bias, entering, states[n]!);
        layers.push(made);
        u = made.states[0]!;
      }
      const parts = ops.split(loop.ofState(u), loop.widths, 1);
      const { scores, trace } = loop.score.forward(parts.length === 2 ? parts[0]! : u);
      const weights = ops.softmax(ops.add(scores, fixed.bias));
      const context = ops.reshape(ops.batchMatMul(weights, input.memory), [batch, loop.memorySize]);
      const sum = ops.add(ops.add(parts.at(-1)!, loop.ofContext(context)), input.readout.bias);
      const result = { layers, weights, context, trace, output: ops.tanh(sum) };
      const kept = [...layers.flatMap((layer) => [...layer.states, ...layer.trace]), weights, context];
      return { result, keep: [...kept, result.output, ...(trace === null ? [] : [trace])] };
    });
    feed = step.output;
    states = step.layers.map((layer) => layer.states);
    return step;
  });
  return {
    output: ops.pack(steps.map(({ output }) => output)),
    weights: ops.pack(steps.map(({ weights }) => weights)),
    contexts: ops.pack(steps.map(({ context }) => context)),
    layers: loop.cells.map((_, n) => ({
      states: steps[0]!.layers[n]!.states.map((_, k) => ops.pack(steps.map((s) => s.layers[n]!.states[k]!))),
      trace: steps[0]!.layers[n]!.trace.map((_, k) => ops.pack(steps.map((s) => s.layers[n]!.trace[k]!))),
    })),
    scores: steps.flatMap(({ trace }) => (trace === null ? [] : [trace])),
  };
}

/** The gradients of all inputs from that of o_1..o_T, `[time, batch, output]`. */
export function loopBackward<H>(
  ops: Algebra<H>,
  kinds: readonly LoopCellKind[],
  input: LoopInput<H>,
  fixed: LoopFixed<H>,
  made: LoopOutput<H>,
  by: H,
): LoopInput<H> {
  const loop = new Loop(ops, kinds, input, 'backward');
  const { time, batch, memorySize, outputSize } = loop;
  const memory = input.memory;
  const sourceLength = ops.shape(memory)[1]!;
  const [outputs, weights, dOutputs] = [made.output, made.weights, by].map((x) => ops.unpack(x)) as [
    H[],
    H[],
    H[],
  ];
  const masks = fixed.masks.map((mask) => (mask === null ? null : ops.unpack(mask)));
  const layers = made.layers.map(({ states, trace }, n) => {
    const [after, traced] = [states, trace].map((tensors) => tensors.map((x) => ops.unpack(x))) as [
      H[][],
      H[][],
    ];
    const { initial } = input.layers[n]!;
    return Array.from({ length: time }, (_, t) => ({
      before: t === 0 ? initial : after.map((values) => values[t - 1]!),
      step: { states: after.map((values) => values[t]!), trace: traced.map((values) => values[t]!) },
    }));
  });

  interface StepGradients {
    readonly readout: H;
    readonly query: H;
    readonly scores: H;
    readonly context: H;
    readonly z: readonly H[];
  }
  const gradients: StepGradients[] = new Array(time);
  let dFeed: H | null = null;
  let dStates: readonly (readonly H[])[] = input.layers.map(({ initial }) =>
    initial.map((state) => ops.zeros(ops.shape(state))),
  );

  const back = (t: number) => {
    const dOutput = dFeed === null ? dOutputs[t]! : ops.add(dOutputs[t]!, dFeed);
    const readout = ops.throughTanh(dOutput, outputs[t]!);
    const context = loop.ofContext(readout); // [batch, memory]
    const dWeights = ops.batchMatMul(ops.reshape(context, [batch, 1, memorySize]), memory, false, true);
    const weighted = ops.mul(dWeights, weights[t]!);
    const scores = ops.sub(weighted, ops.mul(ops.sum(weighted, 2, true), weights[t]!));
    const s = layers.at(-1)![t]!.step.states[0]!;
    const { query, shared } = loop.score.back(s, made.scores[t] ?? null, scores);
    let dState =
      input.query === null
        ? ops.add(query, loop.ofState(readout))
        : loop.ofState(ops.concat([query, readout], 1));
    const z: H[] = new Array(layers.length);
    const before: (readonly H[])[] = new Array(layers.length);
    for (let n = layers.length - 1; n >= 0; n--) {
      const taken = layers[n]![t]!;
      const [own, ...others] = dStates[n]! as [H, ...H[]];
      const result = loop.cells[n]!.back(taken.step, taken.before, [ops.add(own, dState), ...others]);
      z[n] = result.z;
      before[n] = result.before;
      const mask = masks[n]?.[t];
      dState = mask === undefined ? result.u : ops.mul(result.u, mask);
    }
    dFeed = dState;
    dStates = before;
    gradients[t] = { readout, query, scores, context, z };
    return shared;
  };

  const sharedParts: H[][] = [];
  for (let end = time; end > 0; end -= CHUNK) {
    const shared = ops.scope(() => {
      const parts: (readonly H[])[] = [];
      const start = Math.max(0, end - CHUNK);
      for (let t = end - 1; t >= start; t--) parts.push(back(t));
      const result = loop.score.sum(parts);
      const kept = gradients
        .slice(start, end)
        .flatMap((g) => [g.readout, g.query, g.scores, g.context, ...g.z]);
      return { result, keep: [...result, ...kept, dFeed!, ...dStates.flat()] };
    });
    sharedParts.push(shared);
  }

  const stacked = (pick: (step: StepGradients) => H): H => ops.pack(gradients.map(pick));
  const dReadout = loop.flat(stacked((g) => g.readout)); // [time * batch, output]
  const topStates = made.layers.at(-1)!.states[0]!;
  const flatStates = loop.flat(topStates);
  const readInputs = ops.concat([flatStates, loop.flat(made.contexts)], 1);

  const dContexts = ops.transpose(
    stacked((g) => g.context),
    [1, 0, 2],
  ); // [batch, time, memory]
  const byRow = ops.transpose(ops.reshape(made.weights, [time, batch, sourceLength]), [1, 2, 0]); // [batch, source, time]
  const score = loop.score.finish(
    loop.score.sum(sharedParts),
    topStates,
    stacked((g) => g.scores),
  );

  const previous = (sequence: H, first: H): H =>
    loop.flat(ops.pack([first, ...ops.unpack(sequence).slice(0, -1)]));
  const layerGradients = input.layers.map((layer, n): LoopLayer<H> & { readonly z: H } => {
    const stack = stacked((g) => g.z[n]!); // [time, batch, width]
    const z = loop.flat(stack);
    const { states, trace } = made.layers[n]!;
    const before = previous(states[0]!, layer.initial[0]!);
    const recurrent = loop.cells[n]!.recurrentGradient(
      before,
      trace.map((x) => loop.flat(x)),
      z,
    );
    const bias = ops.sum(z, 0);
    const initial = dStates[n]!;
    if (n > 0) {
      const below = made.layers[n - 1]!.states[0]!;
      const mask = fixed.masks[n];
      const entering = loop.flat(mask == null ? below : ops.mul(below, mask));
      return { kernel: ops.matMul(entering, z, true), recurrent, bias, initial, z };
    }
    const fed = previous(made.output, ops.zeros([batch, outputSize]));
    const parts = [ops.matMul(loop.flat(input.y), z, true)];
    if (input.summary !== null) parts.push(ops.matMul(input.summary, ops.sum(stack, 0), true));
    parts.push(ops.matMul(fed, z, true));
    return { kernel: ops.concat(parts, 0), recurrent, bias, initial, z: stack };
  });

  const first = layerGradients[0]!;
  const embedding = loop.rows[0]!;
  return {
    y: ops.reshape(ops.matMul(loop.flat(first.z), loop.kernels[0]!, false, true), [time, batch, embedding]),
    summary: input.summary === null ? null : ops.matMul(ops.sum(first.z, 0), loop.kernels[1]!, false, true),
    layers: layerGradients,
    keys: score.keys,
    memory: ops.batchMatMul(byRow, dContexts),
    query:
      input.query === null
        ? null
        : { kernel: ops.matMul(flatStates, loop.flat(stacked((g) => g.query)), true), vector: score.vector! },
    readout: { kernel: ops.matMul(readInputs, dReadout, true), bias: ops.sum(dReadout, 0) },
  };
}
