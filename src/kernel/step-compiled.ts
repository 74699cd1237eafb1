import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import { type Handle, type NativeOps, nativeOps } from '../engine/native.js';
import { type Attended, attend } from './step-attention.js';
import type { StepOperations } from './step-operations.js';
import type { StepLayer, StepParts, StepSource } from './step-parts.js';
import { tensorsOf } from './step-weights.js';

/** A matrix in the form that our own operations multiply with, and what is added to the product. */
interface Packed {
  readonly panels: Handle;
  readonly bias: Handle;
}

type PackedLayer =
  | { readonly kind: 'lstm'; readonly joint: Packed }
  | {
      readonly kind: 'gru';
      readonly hidden: number;
      readonly input: Packed;
      readonly gates: Packed;
      readonly candidate: Packed;
    };

/**
 * A decoder step from our own operations (src/kernel/compiled/step.h), each of which is a product with what follows it.
 * Its weights are packed once, when it is made; handles outside tfjs's bookkeeping, until {@link free}.
 */
export class CompiledStep {
  readonly #native: NativeOps = nativeOps();
  readonly #owned: Handle[] = [];
  readonly #made: readonly Tensor[];
  readonly #layers: readonly PackedLayer[];
  readonly #readout: Packed;
  readonly #output: Packed;
  readonly #linear: Handle;
  readonly #tanh: Handle;

  constructor(parts: StepParts) {
    const { readout, output } = parts;
    this.#made = tensorsOf(parts);
    this.#layers = parts.layers.map((layer) => this.#layer(layer));
    this.#readout = this.#pack([readout.kernel], readout.bias, 1);
    this.#output = this.#pack([output.matrix], output.bias, 1, output.transposed);
    this.#linear = this.#keep(() => this.#native.constant([], 'int32', [0]));
    this.#tanh = this.#keep(() => this.#native.constant([], 'int32', [1]));
  }

  /** Whether it was made of these parameters, as they are now. */
  isOf(parts: StepParts): boolean {
    const now = tensorsOf(parts);
    return now.length === this.#made.length && now.every((tensor, i) => tensor === this.#made[i]);
  }

  free(): void {
    for (const handle of this.#owned) this.#native.free(handle);
    this.#owned.length = 0;
  }

  /**
   * The new state, the logits and, with attention, its weights.
   * @param before the state in the order of the parts
   */
  run(
    ops: StepOperations,
    { table, everyStep, inputFeeding, attention }: StepParts,
    source: StepSource,
    previous: Int32Array,
    before: readonly Handle[],
  ): Handle[] {
    const y = ops.gather(ops.native.from(table), ops.indices(previous)); // [rows, embedding]
    const inputs = [y];
    if (everyStep) inputs.push(ops.native.from(source.summary!));
    if (inputFeeding) inputs.push(before.at(-1)!);

    const after: Handle[] = [];
    let top: readonly Handle[] = inputs;
    for (const layer of this.#layers) {
      const own = before.slice(after.length);
      const next = layer.kind === 'lstm' ? this.#lstm(ops, layer, top, own) : this.#gru(ops, layer, top, own);
      after.push(...next);
      top = [next[0]!];
    }
    const s = top[0]!; // [rows, hidden]

    const others = attention === null ? inputs.slice(0, everyStep ? 2 : 1) : [];
    let attended: Attended | null = null;
    if (attention !== null) {
      attended =
        attention.kind === 'product'
          ? this.#attend(source, s)
          : attend(ops, attention, source, s, previous.length);
      others.push(attended.context);
    }
    const o = this.#product(ops.joined([s, ...others]), this.#readout, this.#tanh); // [rows, output]
    if (inputFeeding) after.push(o);
    const logits = this.#product(o, this.#output, this.#linear);
    return attended === null ? [...after, logits] : [...after, logits, attended.weights];
  }

  #product(x: Handle, { panels, bias }: Packed, activation: Handle): Handle {
    return this.#native.one('DragomanLinearStep', [], [x, panels, bias, activation]);
  }

  #lstm(
    ops: StepOperations,
    { joint }: Extract<PackedLayer, { kind: 'lstm' }>,
    inputs: readonly Handle[],
    [h, c]: readonly Handle[],
  ): Handle[] {
    const x = ops.joined([...inputs, h!]);
    return this.#native.run('DragomanLstmStep', [], [x, c!, joint.panels, joint.bias], 2);
  }

  #gru(
    ops: StepOperations,
    { hidden, input, gates, candidate }: Extract<PackedLayer, { kind: 'gru' }>,
    inputs: readonly Handle[],
    [h]: readonly Handle[],
  ): Handle[] {
    const x = this.#product(ops.joined(inputs), input, this.#linear);
    const [xGates, xCandidate] = ops.split(x, [2 * hidden, hidden]) as [Handle, Handle];
    const rz = ops.sigmoid(ops.add(xGates, this.#product(h!, gates, this.#linear)));
    const [r, z] = ops.split(rz, [hidden, hidden]) as [Handle, Handle];
    const n = ops.tanh(ops.add(xCandidate, this.#product(ops.mul(r, h!), candidate, this.#linear)));
    return [ops.add(n, ops.mul(z, ops.sub(h!, n)))];
  }

  #attend(source: StepSource, s: Handle): Attended {
    const { memory, keys, bias } = source.attention!;
    const given = [keys, memory, bias].map((tensor) => this.#native.from(tensor));
    const [context, weights] = this.#native.run('DragomanAttendStep', [], [s, ...given], 2);
    return { context: context!, weights: weights! };
  }

  #layer({ kind, kernel, recurrent, bias }: StepLayer): PackedLayer {
    if (kind === 'lstm') return { kind, joint: this.#pack([kernel, recurrent], bias, 4) };
    const hidden = recurrent.shape[0];
    return {
      kind,
      hidden,
      input: this.#pack([kernel], bias, 1),
      gates: this.#pack([recurrent], null, 1, false, [0, 2 * hidden]),
      candidate: this.#pack([recurrent], null, 1, false, [2 * hidden, hidden]),
    };
  }

  /**
   * @param matrices one under the other
   * @param bias null for none
   * @param groups of columns that a step needs together
   * @param transposed whether the only matrix is to be transposed first
   * @param columns the first of it and how many, if not all
   */
  #pack(
    matrices: readonly Tensor2D[],
    bias: Tensor | null,
    groups: number,
    transposed = false,
    columns?: readonly [from: number, count: number],
  ): Packed {
    const native = this.#native;
    const panels = this.#keep(() => {
      const float = { type: 'float32' } as const;
      const axes = { type: 'int32' } as const;
      const parts = matrices.map((matrix) => native.from(matrix));
      let whole = parts[0]!;
      if (parts.length > 1) {
        const joining = native.attributes({ T: float, N: { int: parts.length }, Tidx: axes });
        whole = native.one('ConcatV2', joining, [...parts, native.constant([], 'int32', [0])]);
      }
      if (transposed) {
        const turning = native.attributes({ T: float, Tperm: axes });
        whole = native.one('Transpose', turning, [whole, native.constant([2], 'int32', [1, 0])]);
      }
      if (columns !== undefined) {
        const cutting = native.attributes({ T: float, Index: axes });
        const [from, count] = columns;
        const place = [native.constant([2], 'int32', [0, from]), native.constant([2], 'int32', [-1, count])];
        whole = native.one('Slice', cutting, [whole, ...place]);
      }
      return native.one('DragomanPack', [], [whole, native.constant([], 'int32', [groups])]);
    });
    // Parameters are variables: what is kept of them must be a copy, or their next update makes one.
    const copied = this.#keep(() =>
      bias === null
        ? native.constant([columns![1]], 'float32', new Float32Array(columns![1]))
        : native.one('DeepCopy', native.attributes({ T: { type: 'float32' } }), [native.from(bias)]),
    );
    return { panels, bias: copied };
  }

  #keep(make: () => Handle): Handle {
    const handle = this.#native.scope(make);
    this.#owned.push(handle);
    return handle;
  }
}
