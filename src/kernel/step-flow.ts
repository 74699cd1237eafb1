import type { Handle } from '../engine/native.js';
import { type Attended, attend } from './step-attention.js';
import type { StepOperations } from './step-operations.js';
import type { StepAttention, StepParts, StepSource } from './step-parts.js';

/** The weights of one recurrent layer: L those of an LSTM, W those of a product. */
export type StepLayerWeights<L, W> =
  | { readonly kind: 'lstm'; readonly weights: L }
  | {
      readonly kind: 'gru';
      readonly hidden: number;
      /** W and the bias, U_r and U_z side by side, U_n. */
      readonly input: W;
      readonly gates: W;
      readonly candidate: W;
    };

/** All weights of a step, in the form that it multiplies with. */
export interface FlowWeights<L, W> {
  readonly layers: readonly StepLayerWeights<L, W>[];
  readonly readout: W;
  readonly output: W;
}

/** One decoder step on the tensorflow engine: what follows what; its subclasses say how each part is computed. */
export abstract class StepFlow<L, W, F extends FlowWeights<L, W> = FlowWeights<L, W>> {
  /** @param previous the last token of each row */
  constructor(
    protected readonly ops: StepOperations,
    protected readonly parts: StepParts,
    protected readonly weights: F,
    protected readonly source: StepSource,
    protected readonly previous: Int32Array,
  ) {}

  protected get rows(): number {
    return this.previous.length;
  }

  /** The new state, the logits and, with attention, its weights. @param before the state in the order of the parts */
  run(before: readonly Handle[]): Handle[] {
    const { ops } = this;
    const { table, everyStep, inputFeeding, attention } = this.parts;
    const y = ops.gather(ops.native.from(table), ops.indices(this.previous)); // [rows, embedding]
    const inputs = [y];
    if (everyStep) inputs.push(ops.native.from(this.source.summary!));
    if (inputFeeding) inputs.push(before.at(-1)!);

    const after: Handle[] = [];
    let top: readonly Handle[] = inputs;
    for (const layer of this.weights.layers) {
      const [h, c] = before.slice(after.length);
      const next =
        layer.kind === 'lstm' ? this.lstm(layer.weights, top, h!, c!) : [this.#gru(layer, top, h!)];
      after.push(...next);
      top = [next[0]!];
    }
    const s = top[0]!; // [rows, hidden]

    const others = attention === null ? inputs.slice(0, everyStep ? 2 : 1) : [];
    const attended = attention === null ? null : this.attend(attention, s);
    if (attended !== null) others.push(attended.context);
    const o = this.readout(ops.joined([s, ...others]));
    if (inputFeeding) after.push(this.fed(o));
    const logits = this.product(o, this.weights.output);
    return attended === null ? [...after, logits] : [...after, logits, attended.weights];
  }

  /** x W and the bias, for x `[rows, any]`. */
  protected abstract product(x: Handle, w: W): Handle;

  /** The new h and c. @param inputs side by side, x */
  protected abstract lstm(layer: L, inputs: readonly Handle[], h: Handle, c: Handle): Handle[];

  /** o, from s and what stands beside it. */
  protected abstract readout(x: Handle): Handle;

  /** What input feeding takes of {@link readout}'s result. */
  protected fed(o: Handle): Handle {
    return o;
  }

  protected attend(attention: StepAttention, s: Handle): Attended {
    return attend(this.ops, attention, this.source, s, this.rows);
  }

  #gru(
    { hidden, input, gates, candidate }: Extract<StepLayerWeights<L, W>, { kind: 'gru' }>,
    inputs: readonly Handle[],
    h: Handle,
  ): Handle {
    const { ops } = this;
    const x = this.product(ops.joined(inputs), input);
    const [xGates, xCandidate] = ops.split(x, [2 * hidden, hidden]) as [Handle, Handle];
    const rz = ops.sigmoid(ops.add(xGates, this.product(h, gates)));
    const [r, z] = ops.split(rz, [hidden, hidden]) as [Handle, Handle];
    const n = ops.tanh(ops.add(xCandidate, this.product(ops.mul(r, h), candidate)));
    return ops.add(n, ops.mul(z, ops.sub(h, n)));
  }
}
