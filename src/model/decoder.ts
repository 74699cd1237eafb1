import {
  concat,
  reshape,
  stack,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  tanh,
  tile,
  transpose,
  zeros,
} from '@tensorflow/tfjs-core';
import { type Cell, type ParameterSpec, type State, type Weights, weight } from '../cell/cell.js';
import { createCell } from '../cell/family.js';
import type { ModelConfig } from '../config.js';
import { isLoopCell } from '../kernel/attentional-cell.js';
import { attentionalDecoder } from '../kernel/attentional-decoder.js';
import type { SequenceMask } from '../kernel/mask.js';
import { scan } from '../kernel/scan.js';
import { runSequence } from '../kernel/sequence.js';
import { type StepLayer, type StepParts, type StepSource, stepLayer } from '../kernel/step-parts.js';
import { Attention, type AttentionSource } from './attention.js';
import { dense, denseParameters } from './dense.js';
import type { Dropout } from './dropout.js';
import { prefixed, scoped } from './parameters.js';

/** What the decoder knows of the source. */
export interface DecoderSource {
  /** The context summary c of each decoder row, `[rows, memory]`. */
  readonly summary: Tensor2D;
  /** For attention, `[batch, …]`; null without. */
  readonly attention: AttentionSource | null;
}

/** What one decoder step gives for `[rows]`, where rows are `batch` groups of equally many hypotheses. */
export interface DecoderStep {
  /** o_t, `[rows, output]`. */
  readonly output: Tensor2D;
  /** Attention weights `[rows, source]`; null without attention. */
  readonly weights: Tensor2D | null;
  readonly state: State;
}

/** What of a model's configuration makes its decoder. */
export type DecoderConfig = Pick<
  ModelConfig,
  'cell' | 'embedding' | 'decoder' | 'context' | 'attention' | 'inputFeeding' | 'output'
> & { readonly dropout: Pick<ModelConfig['dropout'], 'layers'> };

/** See {@link Decoder.startParts}. */
export interface StartParts {
  readonly keys: Tensor2D | null;
  readonly bridges: readonly ({ readonly kernel: Tensor2D; readonly bias: Tensor1D } | null)[];
}

interface Layer {
  readonly prefix: string;
  readonly cell: Cell;
}

/** Name of o_{t-1} among the state tensors, for input feeding. */
const FEED = 'feed';

/**
 * Recurrent decoder:
 *
 *     s_0 = tanh(W_0 c + b_0)                       the bridge: one layer for every state tensor but a cell's own
 *     s_t = f_dec([y_{t-1} ; c ; o_{t-1}], s_{t-1})  c every step (Cho et al. 2014), o with input feeding (Luong et al. 2015)
 *     a_t = attention(s_t, h)
 *     o_t = tanh(W_o [s_t ; a_t] + b_o)             without attention: [s_t ; y_{t-1}], and c where it conditions every step
 *
 * The state is flat: `0.h` is tensor h of layer 0, `feed` is o.
 */
export class Decoder {
  readonly #layers: readonly Layer[];
  readonly #attention: Attention | null;
  readonly #everyStep: boolean;
  readonly #inputFeeding: boolean;
  readonly #dropout: number;
  readonly #bridges: ReadonlyMap<string, readonly ParameterSpec[]>;
  readonly #readout: readonly ParameterSpec[];
  /** Size of o_t. */
  readonly outputSize: number;
  readonly parameters: readonly ParameterSpec[];

  /** @param memorySize size of c and of h_j; 0 without a source: s_0 = tanh(b_0) then is learned as it is */
  constructor(config: DecoderConfig, memorySize: number) {
    const { embedding, decoder, attention } = config;
    this.outputSize = config.output ?? decoder.hidden;
    this.#everyStep = config.context === 'every-step';
    this.#inputFeeding = config.inputFeeding;
    this.#dropout = config.dropout.layers;
    let inputSize =
      embedding + (this.#everyStep ? memorySize : 0) + (this.#inputFeeding ? this.outputSize : 0);
    this.#layers = Array.from({ length: decoder.layers }, (_, n) => {
      const cell = createCell(config.decoder.cell ?? config.cell, inputSize, decoder.hidden);
      inputSize = cell.outputSize;
      return { prefix: `decoder.${n}`, cell };
    });
    const top = inputSize;
    this.#attention = attention.kind === 'none' ? null : new Attention(attention, memorySize, top);
    const others = this.#attention === null ? embedding + (this.#everyStep ? memorySize : 0) : memorySize;
    this.#readout = denseParameters(top + others, this.outputSize, { bias: true });
    this.#bridges = new Map(
      this.#layers.flatMap(({ cell }, n) =>
        Object.entries(cell.stateSizes)
          .filter(([name]) => !cell.ownStates.includes(name))
          .map(([name, size]): [string, ParameterSpec[]] => [
            `${n}.${name}`,
            bridgeParameters(memorySize, size),
          ]),
      ),
    );
    this.parameters = [
      ...[...this.#bridges].flatMap(([name, specs]) => prefixed(`bridge.${name}`, specs)),
      ...this.#layers.flatMap(({ prefix, cell }) => prefixed(prefix, cell.parameters)),
      ...(this.#attention?.parameters ?? []),
      ...prefixed('readout', this.#readout),
    ];
  }

  /** The source as the decoder uses it. @param memory `[batch, source, size]`; @param bias `[batch, 1, source]` */
  prepare(w: Weights, summary: Tensor2D, memory: Tensor3D, bias: Tensor3D): DecoderSource {
    return { summary, attention: this.#attention?.prepare(w, memory, bias) ?? null };
  }

  /** s_0, and o_0 = 0. @param summary c, `[batch, memory]` */
  initialState(w: Weights, summary: Tensor2D): State {
    const state: Record<string, Tensor2D> = {};
    for (const [n, { cell }] of this.#layers.entries()) {
      if (cell.ownStates.length === 0) continue;
      const begin = cell.initial(summary.shape[0]);
      for (const name of cell.ownStates) state[`${n}.${name}`] = begin[name]!;
    }
    for (const [name, specs] of this.#bridges) {
      state[name] = tanh(bridge(scoped(w, `bridge.${name}`, specs), summary));
    }
    if (this.#inputFeeding) state[FEED] = zeros([summary.shape[0], this.outputSize]);
    return state;
  }

  /**
   * Teacher forcing: the whole target at once.
   * @param y embedded y_0..y_{T-1}, `[time, batch, embedding]`
   * @returns o_1..o_T, `[time, batch, output]`
   */
  run(w: Weights, y: Tensor3D, source: DecoderSource, mask: SequenceMask, dropout: Dropout): Tensor3D {
    // With input feeding o_{t-1} enters step t, so attention cannot wait for the whole sequence.
    if (this.#inputFeeding) {
      return this.#runLoop(w, y, source, dropout) ?? this.runStepwise(w, y, source, mask, dropout);
    }
    const initial = this.initialState(w, source.summary);
    const [time, batch] = y.shape;
    let input = y;
    if (this.#everyStep) {
      const size = source.summary.shape[1];
      input = concat([y, tile(reshape(source.summary, [1, batch, size]), [time, 1, 1])], 2) as Tensor3D;
    }
    for (const [n, { prefix, cell }] of this.#layers.entries()) {
      if (n > 0) input = dropout.apply(input, this.#dropout);
      const weights = scoped(w, prefix, cell.parameters);
      const begin = layerState(initial, n, cell);
      input = runSequence(cell, weights, input, begin, mask, 'forward', 'outputs').outputs;
    }
    if (this.#attention === null) return this.#combine(w, input, y, source);
    const queries = transpose(input, [1, 0, 2]); // [batch, time, hidden]
    const { context } = this.#attention.attend(w, queries, source.attention!);
    const output = tanh(
      dense(scoped(w, 'readout', this.#readout), concat([queries, context], 2) as Tensor3D),
    );
    return transpose(output, [1, 0, 2]); // [time, batch, output]
  }

  /** The reference: what {@link run} returns, step by step, for every cell and attention. Zero at padded steps. */
  runStepwise(
    w: Weights,
    y: Tensor3D,
    source: DecoderSource,
    mask: SequenceMask,
    dropout: Dropout,
  ): Tensor3D {
    const step = (yt: Tensor2D, state: State) => this.#step(w, yt, state, source, dropout);
    return scan(step, y, this.initialState(w, source.summary), mask).outputs;
  }

  /** The same by the loop kernel; null where that has no form for a cell or the attention. */
  #runLoop(w: Weights, y: Tensor3D, source: DecoderSource, dropout: Dropout): Tensor3D | null {
    const kinds = this.#layers.map(({ cell }) => cell.kind).filter(isLoopCell);
    const attention = this.#attention?.loop(w, source.attention!) ?? null;
    if (attention === null || kinds.length < this.#layers.length) return null;
    const initial = this.initialState(w, source.summary);
    const layers = this.#layers.map(({ prefix, cell }, n) => {
      const { kernel, recurrent, bias } = scoped(w, prefix, cell.parameters);
      const states = layerState(initial, n, cell);
      const begin = Object.keys(cell.stateSizes).map((name) => states[name]!);
      return { kernel: kernel!, recurrent: recurrent!, bias: bias!, initial: begin };
    });
    const { kernel, bias } = scoped(w, 'readout', this.#readout);
    const { memory, bias: padding } = source.attention!;
    const summary = this.#everyStep ? source.summary : null;
    return attentionalDecoder(
      kinds,
      { y, summary, layers, ...attention, memory, readout: { kernel: kernel!, bias: bias! } },
      { bias: padding, masks: this.#masks(y.shape[0], y.shape[1], dropout) },
    );
  }

  /** Dropout before each layer but the first, drawn in the order in which the steps would: null, then `[time, batch, input]`. */
  #masks(time: number, batch: number, dropout: Dropout): (Tensor3D | null)[] {
    const steps = Array.from({ length: time }, () =>
      this.#layers.map(({ cell }, n) =>
        n === 0 ? null : dropout.mask([batch, cell.inputSize], this.#dropout),
      ),
    );
    return this.#layers.map((_, n) => {
      const masks = steps.map((layers) => layers[n]!);
      return masks[0] === null ? null : (stack(masks as Tensor2D[]) as Tensor3D);
    });
  }

  /**
   * One step while decoding. Rows are `[batch, hypotheses]` flattened, for a source of `batch` sentences.
   * @param y embedded y_{t-1}, `[rows, embedding]`
   */
  step(w: Weights, y: Tensor2D, state: State, source: StepSource): DecoderStep {
    return this.#step(w, y, state, source, null);
  }

  /**
   * The parameters laid open for a kernel that runs a whole {@link step}; null where a cell or the attention has none
   * that does. {@link stateNames} is the order of its state.
   */
  stepParts(w: Weights): Omit<StepParts, 'table' | 'output'> | null {
    const attention = this.#attention === null ? null : this.#attention.stepAttention(w);
    if (attention === undefined) return null;
    const layers: StepLayer[] = [];
    for (const { prefix, cell } of this.#layers) {
      const layer = stepLayer(cell, scoped(w, prefix, cell.parameters));
      if (layer === null) return null;
      layers.push(layer);
    }
    const own = scoped(w, 'readout', this.#readout);
    const readout = { kernel: weight(own, 'kernel'), bias: weight<Tensor1D>(own, 'bias') };
    return { layers, everyStep: this.#everyStep, inputFeeding: this.#inputFeeding, attention, readout };
  }

  /**
   * The parameters of {@link prepare} and {@link initialState} laid open, for where {@link stepParts} are: U, null where the
   * memory itself is what queries are compared with; and of each state tensor, in the order of {@link stateNames}, its
   * bridge, null where it begins with zeros.
   */
  startParts(w: Weights): StartParts {
    return {
      keys: this.#attention?.keyKernel(w) ?? null,
      bridges: this.stateNames.map((name) => {
        const specs = this.#bridges.get(name);
        if (specs === undefined) return null;
        const own = scoped(w, `bridge.${name}`, specs);
        return { kernel: weight(own, 'kernel'), bias: weight<Tensor1D>(own, 'bias') };
      }),
    };
  }

  /** Names of the state tensors: layer by layer, then what is fed back. */
  get stateNames(): readonly string[] {
    const names = this.#layers.flatMap(({ cell }, n) =>
      Object.keys(cell.stateSizes).map((name) => `${n}.${name}`),
    );
    return this.#inputFeeding ? [...names, FEED] : names;
  }

  #step(w: Weights, y: Tensor2D, state: State, source: StepSource, dropout: Dropout | null): DecoderStep {
    const next: Record<string, Tensor2D> = {};
    const inputs = [y];
    if (this.#everyStep) inputs.push(source.summary!);
    if (this.#inputFeeding) inputs.push(state[FEED]!);
    let input = inputs.length === 1 ? y : (concat(inputs, 1) as Tensor2D);
    for (const [n, { prefix, cell }] of this.#layers.entries()) {
      if (n > 0) input = dropout?.apply(input, this.#dropout) ?? input;
      const weights = scoped(w, prefix, cell.parameters);
      const [rows, size] = input.shape;
      const projected = cell.project(weights, reshape(input, [1, rows, size]));
      const after = cell.step(
        cell.prepare(weights),
        reshape(projected, [rows, projected.shape[2]]),
        layerState(state, n, cell),
      ).state;
      for (const [name, value] of Object.entries(after)) next[`${n}.${name}`] = value;
      input = cell.read(after);
    }
    const { output, weights } = this.#read(w, input, y, source);
    if (this.#inputFeeding) next[FEED] = output;
    return { output, weights, state: next };
  }

  /** o_t of one step. @param s `[rows, hidden]` */
  #read(
    w: Weights,
    s: Tensor2D,
    y: Tensor2D,
    source: StepSource,
  ): { output: Tensor2D; weights: Tensor2D | null } {
    const [rows, size] = s.shape;
    if (this.#attention === null) {
      const flat = [s, y].map((x) => reshape(x, [1, rows, x.shape[1]]) as Tensor3D) as [Tensor3D, Tensor3D];
      const output = this.#combine(w, ...flat, source);
      return { output: reshape(output, [rows, this.outputSize]), weights: null };
    }
    const memory = source.attention!;
    const [batch, length, memorySize] = memory.memory.shape;
    const queries = reshape(s, [batch, rows / batch, size]) as Tensor3D; // hypotheses of a sentence share its source
    const { context, weights } = this.#attention.attend(w, queries, memory);
    const joined = concat([s, reshape(context, [rows, memorySize]) as Tensor2D], 1) as Tensor2D;
    const output = tanh(dense(scoped(w, 'readout', this.#readout), joined));
    return { output, weights: reshape(weights, [rows, length]) };
  }

  /** o without attention. @param s `[time, batch, hidden]`; @param y `[time, batch, embedding]` */
  #combine(w: Weights, s: Tensor3D, y: Tensor3D, source: StepSource): Tensor3D {
    const [time, batch] = s.shape;
    const parts = [s, y];
    if (this.#everyStep) {
      const size = source.summary!.shape[1];
      parts.push(tile(reshape(source.summary!, [1, batch, size]) as Tensor3D, [time, 1, 1]));
    }
    return tanh(dense(scoped(w, 'readout', this.#readout), concat(parts, 2) as Tensor3D));
  }
}

/** W_0 and b_0 of one state tensor; without a source b_0 alone. */
function bridgeParameters(memorySize: number, size: number): ParameterSpec[] {
  const specs = denseParameters(memorySize, size, { bias: true });
  return memorySize === 0 ? specs.filter(({ name }) => name === 'bias') : specs;
}

/** W_0 c + b_0, `[batch, size]`. @param summary c, `[batch, memory]` */
function bridge(w: Weights, summary: Tensor2D): Tensor2D {
  if (w.kernel !== undefined) return dense(w, summary);
  const bias = w.bias as Tensor1D;
  return tile(reshape(bias, [1, bias.shape[0]]), [summary.shape[0], 1]) as Tensor2D;
}

/** The state of one layer under its cell's own names. */
function layerState(state: State, layer: number, cell: Cell): State {
  return Object.fromEntries(Object.keys(cell.stateSizes).map((name) => [name, state[`${layer}.${name}`]!]));
}
