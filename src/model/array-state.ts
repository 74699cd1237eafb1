import type { CompiledDecoder, SourceArrays, StepArrays } from '../kernel/compiled-decoder.js';
import { at, repeated, rowsOf, type SearchSize, SearchState } from './search-state.js';
import type { TensorState } from './tensor-state.js';

/** What an {@link ArrayState} is made of. */
interface Arrays extends SearchSize {
  /** As the parameters are while it is searched. */
  readonly decoder: CompiledDecoder;
  /** Of all sentences that the search began with. */
  readonly source: SourceArrays;
  /** [sentences] their number among those. */
  readonly origins: Int32Array;
  /** The decoder's state, each `[any, size]`. */
  readonly state: readonly Float32Array[];
  /** [sentences * width] row of `state` that each row stands for. */
  readonly rows: Int32Array;
}

/** A search state in arrays, for the compiled decoder: sentences and rows are taken by number, and nothing is moved. */
export class ArrayState extends SearchState<Arrays> {
  /** The state that a search begins with. */
  static begin(parts: Pick<Arrays, 'decoder' | 'lengths' | 'time' | 'source' | 'state'>): ArrayState {
    const sentences = parts.source.batch;
    const origins = repeated(sentences, 1);
    return new ArrayState({ ...parts, sentences, width: 1, origins, rows: origins });
  }

  /** Reads a state back from the engine; the tensors stay the caller's. @param names order of the decoder's state */
  static from({ parts }: TensorState, decoder: CompiledDecoder, names: readonly string[]): ArrayState {
    const { sentences, width, lengths, time, source, summary, state, rows } = parts;
    const { memory, keys, bias } = source;
    const attention =
      memory === undefined
        ? null
        : {
            length: memory.shape[1],
            size: memory.shape[2],
            query: keys!.shape[2],
            keys: keys!.dataSync<'float32'>() as Float32Array,
            memory: memory.dataSync<'float32'>() as Float32Array,
            bias: bias!.dataSync<'float32'>() as Float32Array,
          };
    return new ArrayState({
      decoder,
      sentences,
      width,
      lengths,
      time,
      source: {
        batch: sentences,
        summary: summary === null ? null : everyRow(summary.dataSync<'float32'>(), width, summary.shape[1]),
        attention,
      },
      origins: repeated(sentences, 1),
      state: names.map((name) => state[name]!.dataSync<'float32'>() as Float32Array),
      rows: rows ?? repeated(sentences * width, 1),
    });
  }

  get source(): SourceArrays {
    return this.parts.source;
  }

  get state(): readonly Float32Array[] {
    return this.parts.state;
  }

  /** The next step. @param previous `[rows]` the last token of each row */
  step(previous: Int32Array): { readonly next: ArrayState; readonly arrays: StepArrays } {
    const { decoder, source, origins, sentences, width, state, rows: parents } = this.parts;
    const sources = at(origins, repeated(sentences, width));
    const arrays = decoder.step(state, { previous, parents, sources }, source);
    const rows = repeated(sentences * width, 1); // every row has come to its place
    return { arrays, next: new ArrayState({ ...this.parts, state: arrays.state, rows }) };
  }

  expanded(width: number): ArrayState {
    const { sentences, rows } = this.parts;
    return new ArrayState({ ...this.parts, width, rows: at(rows, repeated(sentences, width)) });
  }

  reordered(parents: Int32Array): ArrayState {
    return new ArrayState({ ...this.parts, rows: at(this.parts.rows, parents) });
  }

  kept(sentences: Int32Array): ArrayState {
    const { lengths, origins, rows, width } = this.parts;
    return new ArrayState({
      ...this.parts,
      sentences: sentences.length,
      lengths: at(lengths, sentences),
      origins: at(origins, sentences),
      rows: at(rows, rowsOf(sentences, width)),
    });
  }

  release(): void {}
}

/** The first of every `width` rows. */
function everyRow(values: Float32Array, width: number, size: number): Float32Array {
  if (width === 1) return values;
  const chosen = new Float32Array(values.length / width);
  for (let to = 0; to < chosen.length; to += size) {
    chosen.set(values.subarray(to * width, to * width + size), to);
  }
  return chosen;
}
