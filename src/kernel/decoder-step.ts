import { getBackend, type Tensor2D } from '@tensorflow/tfjs-core';
import { hasCompiledKernels } from '../engine/compiled-kernels.js';
import { type Handle, nativeOps } from '../engine/native.js';
import { attend } from './step-attention.js';
import { CompiledStep } from './step-compiled.js';
import { FEW_ROWS, StepOperations } from './step-operations.js';
import type { StepParts, StepSource } from './step-parts.js';
import { type LayerWeights, StepWeights } from './step-weights.js';

/** What a step gives; the caller disposes all of it. */
export interface StepResult {
  /** The decoder's state after the step, in the order of {@link DecoderStepKernel.step}'s `state`. */
  readonly state: readonly Tensor2D[];
  /** `[rows, vocabulary]` */
  readonly logits: Tensor2D;
  /** Attention weights `[rows, source]`; null without attention. */
  readonly weights: Tensor2D | null;
}

/**
 * One whole decoder step on the tensorflow engine, from the tokens to the logits, without tfjs's bookkeeping, which costs
 * three times as much as a small operation: the composed form in `model/decoder.ts` from TensorFlow's single operations.
 * What depends on the parameters alone is kept from step to step ({@link StepWeights}).
 */
export class DecoderStepKernel {
  #ops: StepOperations | null = null;
  /** The step itself where it is compiled, else the weights of that from single operations. */
  #weights: CompiledStep | StepWeights | null = null;

  /** Whether the running engine has this kernel. */
  static get isHere(): boolean {
    return getBackend() === 'tensorflow';
  }

  /**
   * @param parts the parameters now
   * @param state of each layer h and, for an LSTM, c, each `[rows before, hidden]`; then o with input feeding
   * @param rows row of `state` that each row continues; null where all keep their places
   * @param previous the last token of each row
   */
  step(
    parts: StepParts,
    state: readonly Tensor2D[],
    rows: Int32Array | null,
    previous: Int32Array,
    source: StepSource,
  ): StepResult {
    const native = nativeOps();
    if (this.#ops?.native !== native) {
      this.#ops?.free();
      this.#ops = new StepOperations(native);
    }
    if (this.#weights?.isOf(parts) !== true) {
      this.#weights?.free();
      this.#weights = hasCompiledKernels() ? new CompiledStep(parts) : new StepWeights(parts);
    }
    const ops = this.#ops;
    const weights = this.#weights;
    const handles = native.scope(() => {
      const before = ops.rowsOf(
        state.map((tensor) => native.from(tensor)),
        rows,
      );
      return weights instanceof CompiledStep
        ? weights.run(ops, parts, source, previous, before)
        : new OneStep(ops, parts, weights, source, previous).run(before);
    });
    const tensors = handles.map((handle) => native.toTensor<Tensor2D>(handle));
    return {
      state: tensors.slice(0, state.length),
      logits: tensors[state.length]!,
      weights: tensors[state.length + 1] ?? null,
    };
  }

  /** Frees what is kept. */
  forget(): void {
    this.#weights?.free();
    this.#weights = null;
    this.#ops?.free();
    this.#ops = null;
  }
}

class OneStep {
  readonly #ops: StepOperations;
  readonly #parts: StepParts;
  readonly #weights: StepWeights;
  readonly #source: StepSource;
  readonly #previous: Int32Array;

  constructor(
    ops: StepOperations,
    parts: StepParts,
    weights: StepWeights,
    source: StepSource,
    previous: Int32Array,
  ) {
    this.#ops = ops;
    this.#parts = parts;
    this.#weights = weights;
    this.#source = source;
    this.#previous = previous;
  }

  /** The new state, the logits and, with attention, its weights. */
  run(before: readonly Handle[]): Handle[] {
    const ops = this.#ops;
    const { table, everyStep, inputFeeding, attention } = this.#parts;
    const rows = this.#previous.length;
    const y = ops.gather(ops.native.from(table), ops.indices(this.#previous)); // [rows, embedding]
    const inputs = [y];
    if (everyStep) inputs.push(ops.native.from(this.#source.summary!));
    if (inputFeeding) inputs.push(before.at(-1)!);

    const after: Handle[] = [];
    let top = inputs;
    for (const layer of this.#weights.layers) {
      const own = before.slice(after.length, after.length + (layer.kind === 'lstm' ? 2 : 1));
      const next = layer.kind === 'lstm' ? this.#lstm(layer, top, own) : this.#gru(layer, top, own);
      after.push(...next);
      top = [next[0]!];
    }
    const s = top[0]!; // [rows, hidden]

    const others = attention === null ? inputs.slice(0, everyStep ? 2 : 1) : [];
    let weights: Handle | null = null;
    if (attention !== null) {
      const attended = attend(ops, attention, this.#source, s, rows);
      others.push(attended.context);
      weights = attended.weights;
    }
    const { readout, output } = this.#weights;
    const product = ops.product(ops.joined([s, ...others]), readout.kernel, rows);
    const o = ops.tanh(ops.biasAdd(product, readout.bias)); // [rows, output + 1]
    if (inputFeeding) after.push(ops.columns(o, this.#parts.readout.bias.shape[0]));
    const logits = ops.product(o, output, rows);
    return weights === null ? [...after, logits] : [...after, logits, weights];
  }

  #lstm(layer: LayerWeights, inputs: readonly Handle[], [h, c]: readonly Handle[]): Handle[] {
    const ops = this.#ops;
    const rows = this.#previous.length;
    if (rows <= FEW_ROWS) {
      const [, cs, , , , , hs] = ops.lstmCell(ops.joined(inputs), c!, h!, layer);
      return [hs!, cs!];
    }
    const { hidden, spread } = layer;
    const product = ops.product(ops.joined([...inputs, h!]), layer.ordered!, rows);
    const z = ops.biasAdd(product, layer.bias);
    const [gates, g] = ops.split(z, spread > 0 ? [3 * hidden, hidden, spread] : [3 * hidden, hidden]);
    const [i, f, o] = ops.thirds(ops.sigmoid(gates!));
    const cNew = ops.add(ops.mul(i!, ops.tanh(g!)), ops.mul(f!, c!));
    return [ops.mul(o!, ops.tanh(cNew)), cNew];
  }

  #gru(layer: LayerWeights, inputs: readonly Handle[], [h]: readonly Handle[]): Handle[] {
    const ops = this.#ops;
    const rows = this.#previous.length;
    const { hidden } = layer;
    const x = ops.biasAdd(ops.product(ops.joined(inputs), layer.kernel!, rows), layer.bias);
    const [xGates, xCandidate] = ops.split(x, [2 * hidden, hidden]);
    const rz = ops.sigmoid(ops.add(xGates!, ops.product(h!, layer.gates!, rows)));
    const [r, z] = ops.split(rz, [hidden, hidden]);
    const n = ops.tanh(ops.add(xCandidate!, ops.product(ops.mul(r!, h!), layer.candidate!, rows)));
    return [ops.add(n, ops.mul(z!, ops.sub(h!, n)))];
  }
}
