import { compiledKernels } from '../engine/compiled-kernels.js';
import type { BestLogits } from './best-logits.js';
import { Buffers } from './buffers.js';
import type { PackedDecoder } from './packed-decoder.js';

/** What a step needs of a batch of sources, read back from the engine once. */
export interface SourceArrays {
  /** Sources of the batch. */
  readonly batch: number;
  /** c of each source, `[batch, size]`; null where it does not enter every step. */
  readonly summary: Float32Array | null;
  /** null without attention. */
  readonly attention: {
    /** Positions of the longest source. */
    readonly length: number;
    /** Size of a memory vector, and of a key. */
    readonly size: number;
    readonly query: number;
    /** `[batch, length, query]` */
    readonly keys: Float32Array;
    /** `[batch, length, size]` */
    readonly memory: Float32Array;
    /** `[batch, length]` */
    readonly bias: Float32Array;
  } | null;
}

/** The rows of a step. */
export interface StepRows {
  /** `[rows]` the last token of each. */
  readonly previous: Int32Array;
  /** `[rows]` the row of the state that each continues. */
  readonly parents: Int32Array;
  /** `[rows]` its source. */
  readonly sources: Int32Array;
}

/** What a step gives. */
export interface StepArrays {
  /** The state after the step, in the order of the parts, each `[rows, size]`. */
  readonly state: readonly Float32Array[];
  /** `[rows, vocabulary]`; the next step writes there again. */
  readonly logits: Float32Array;
  /** `[rows, source]`; null without attention. */
  readonly weights: Float32Array | null;
}

/** What the compiled kernels call the ways to score. */
export const SCORINGS = { none: 0, product: 1, additive: 2 } as const;

/**
 * A decoder, from the last tokens to the logits, by one call of the compiled kernels a step (src/kernel/compiled/decoder-step.h),
 * outside TensorFlow, whose handles would cost as much as a step's arithmetic for one sentence. The form for tensors is
 * {@link DecoderStepKernel}; equations in `model/decoder.ts`.
 */
export class CompiledDecoder {
  readonly #weights: readonly Float32Array[];
  /** Of each state, in the order of the parts. */
  readonly stateSizes: readonly number[];
  readonly #layers: readonly number[];
  readonly #buffers = new Buffers();

  constructor(private readonly packed: PackedDecoder) {
    const { parts, layers, query, vector, readout, output } = packed;
    this.#weights = [
      ...layers.flat(),
      ...(query === null ? [] : [query.panels, query.bias, vector]),
      ...[readout, output].flatMap(({ panels, bias }) => [panels, bias]),
    ];
    const hidden = parts.layers.map(({ kind, recurrent }) => [kind === 'gru' ? 1 : 0, recurrent.shape[0]]);
    this.#layers = hidden.flat();
    const states = parts.layers.flatMap(({ kind, recurrent }) =>
      new Array<number>(kind === 'gru' ? 1 : 2).fill(recurrent.shape[0]),
    );
    this.stateSizes = parts.inputFeeding ? [...states, readout.columns] : states;
  }

  /** @param state in the order of the parts, each `[rows before, size]` */
  step(state: readonly Float32Array[], rows: StepRows, source: SourceArrays): StepArrays {
    const { parts, table, readout, output } = this.packed;
    const { attention, inputFeeding } = parts;
    const { summary, attention: memory, batch } = source;
    const count = rows.previous.length;
    const [vocabulary, embedding] = parts.table.shape;
    const after = this.stateSizes.map((size) => new Float32Array(count * size));
    const logits = this.#buffers.take('logits', count * output.columns);
    const weights = memory === null ? null : new Float32Array(count * memory.length);
    const shape = Int32Array.of(
      SCORINGS[attention?.kind ?? 'none'],
      Number(inputFeeding),
      count,
      state[0]!.length / this.stateSizes[0]!,
      batch,
      memory?.length ?? 0,
      vocabulary,
      embedding,
      summary === null ? 0 : summary.length / batch,
      memory?.query ?? 0,
      memory?.size ?? 0,
      readout.columns,
      ...this.#layers,
    );
    const floats = [table];
    if (summary !== null) floats.push(summary);
    if (memory !== null) floats.push(memory.keys, memory.memory, memory.bias);
    floats.push(...state, ...after, ...this.#weights, logits);
    if (weights !== null) floats.push(weights);
    const { previous, parents, sources } = rows;
    compiledKernels().decoderStep(this.#layers.length / 2, shape, previous, parents, sources, floats);
    return { state: after, logits, weights };
  }
}

/** The k best of each row of `logits [rows, columns]`, and what makes them log-probabilities. */
export function bestOfArray(logits: Float32Array, rows: number, wanted: number): BestLogits {
  const columns = logits.length / rows;
  const k = Math.min(wanted, columns);
  const ids = new Int32Array(rows * k);
  const values = new Float32Array(rows * k);
  const normalisers = new Float32Array(rows);
  compiledKernels().best(rows, columns, k, logits, ids, values, normalisers);
  return { ids, logits: values, normalisers, k };
}
