import type { Handle } from '../engine/native.js';
import { type Attended, attend } from './step-attention.js';
import { FEW_ROWS, type StepOperations } from './step-operations.js';
import type { StepParts, StepSource } from './step-parts.js';
import type { Affine, LstmWeights, StepLayerWeights, StepWeights } from './step-weights.js';

/** A decoder step from TensorFlow's single operations. Its readout has one unit more, which brings the output's bias. */
export class SingleOperationsStep {
  /** @param previous the last token of each row */
  constructor(
    private readonly ops: StepOperations,
    private readonly parts: StepParts,
    private readonly weights: StepWeights,
    private readonly source: StepSource,
    private readonly previous: Int32Array,
  ) {}

  private get rows(): number {
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
        layer.kind === 'lstm' ? this.#lstm(layer.weights, top, h!, c!) : [this.#gru(layer, top, h!)];
      after.push(...next);
      top = [next[0]!];
    }
    const s = top[0]!; // [rows, hidden]

    const others = attention === null ? inputs.slice(0, everyStep ? 2 : 1) : [];
    let attended: Attended | null = null;
    if (attention !== null) {
      attended = attend(ops, attention, this.source, s, this.rows);
      others.push(attended.context);
    }
    const o = ops.tanh(this.#product(ops.joined([s, ...others]), this.weights.readout)); // [rows, output + 1]
    if (inputFeeding) after.push(ops.columns(o, this.parts.readout.bias.shape[0]));
    const logits = this.#product(o, this.weights.output);
    return attended === null ? [...after, logits] : [...after, logits, attended.weights];
  }

  /** x W and the bias, for x `[rows, any]`. */
  #product(x: Handle, { matrix, bias }: Affine): Handle {
    const product = this.ops.product(x, matrix, this.rows);
    return bias === null ? product : this.ops.biasAdd(product, bias);
  }

  /** The new h and c. @param inputs side by side, x */
  #lstm(layer: LstmWeights, inputs: readonly Handle[], h: Handle, c: Handle): Handle[] {
    const { ops } = this;
    if (this.rows <= FEW_ROWS) {
      const [, cs, , , , , hs] = ops.lstmCell(ops.joined(inputs), c, h, layer);
      return [hs!, cs!];
    }
    const { hidden, spread, ordered, bias } = layer;
    const z = this.#product(ops.joined([...inputs, h]), { matrix: ordered, bias });
    const [gates, g] = ops.split(z, spread > 0 ? [3 * hidden, hidden, spread] : [3 * hidden, hidden]);
    const [i, f, o] = ops.thirds(ops.sigmoid(gates!));
    const cNew = ops.add(ops.mul(i!, ops.tanh(g!)), ops.mul(f!, c));
    return [ops.mul(o!, ops.tanh(cNew)), cNew];
  }

  #gru(
    { hidden, input, gates, candidate }: Extract<StepLayerWeights, { kind: 'gru' }>,
    inputs: readonly Handle[],
    h: Handle,
  ): Handle {
    const { ops } = this;
    const x = this.#product(ops.joined(inputs), input);
    const [xGates, xCandidate] = ops.split(x, [2 * hidden, hidden]) as [Handle, Handle];
    const rz = ops.sigmoid(ops.add(xGates, this.#product(h, gates)));
    const [r, z] = ops.split(rz, [hidden, hidden]) as [Handle, Handle];
    const n = ops.tanh(ops.add(xCandidate, this.#product(ops.mul(r, h), candidate)));
    return ops.add(n, ops.mul(z, ops.sub(h, n)));
  }
}
