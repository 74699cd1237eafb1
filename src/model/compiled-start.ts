import type { CompiledDecoder, SourceArrays } from '../kernel/compiled-decoder.js';
import { CompiledEncoder, type EncoderParts } from '../kernel/compiled-encoder.js';
import { MASKED } from '../kernel/mask.js';
import { PackedLinear } from '../kernel/packed-matrix.js';
import type { PaddedIds } from '../text/batch.js';
import { ArrayState } from './array-state.js';
import type { StartParts } from './decoder.js';
import type { Weights } from './parameters.js';
import type { ArraySummary } from './summary.js';

/** What a {@link CompiledStart} is made of. */
export interface CompiledStartParts {
  readonly encoder: EncoderParts;
  readonly summary: ArraySummary;
  readonly start: StartParts;
  readonly decoder: CompiledDecoder;
  /** The summary c enters every step. */
  readonly everyStep: boolean;
  /** Whether the decoder attends to the source. */
  readonly attends: boolean;
}

/** From source ids to the state that a search begins with, by the compiled kernels alone. */
export class CompiledStart {
  readonly #encoder: CompiledEncoder;
  readonly #keys: PackedLinear | null;
  readonly #bridges: readonly (PackedLinear | null)[];

  /** @param w all parameters of the model, as they are now */
  constructor(
    private readonly w: Weights,
    private readonly parts: CompiledStartParts,
  ) {
    const { keys, bridges } = parts.start;
    this.#encoder = new CompiledEncoder(parts.encoder);
    this.#keys = keys === null ? null : PackedLinear.of(keys, null);
    this.#bridges = bridges.map((own) => (own === null ? null : PackedLinear.of(own.kernel, own.bias)));
  }

  /** Whether it is made of these parameters, as they are now. */
  isOf(w: Weights): boolean {
    return Object.entries(w).every(([name, value]) => this.w[name] === value);
  }

  /** @param source ids in the order in which they are read */
  run(source: PaddedIds): ArrayState {
    const { summary, decoder, everyStep, attends } = this.parts;
    const { rows, time, lengths } = source;
    const encoded = this.#encoder.run(source);
    const c = summary(encoded, lengths);
    const attention: SourceArrays['attention'] = attends
      ? {
          length: time,
          size: encoded.size,
          query: this.#keys?.columns ?? encoded.size,
          keys: this.#keys?.run(encoded.memory, 'nothing') ?? encoded.memory,
          memory: encoded.memory,
          bias: Float32Array.from({ length: rows * time }, (_, k) =>
            k % time < lengths[Math.floor(k / time)]! ? 0 : MASKED,
          ),
        }
      : null;
    return ArrayState.begin({
      decoder,
      lengths,
      time,
      source: { batch: rows, summary: everyStep ? c : null, attention },
      state: this.#bridges.map(
        (bridge, k) => bridge?.run(c, 'tanh') ?? new Float32Array(rows * decoder.stateSizes[k]!),
      ),
    });
  }
}
