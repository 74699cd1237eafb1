import { compiledKernels } from '../engine/compiled-kernels.js';
import type { PaddedIds } from '../text/batch.js';
import { Buffers } from './buffers.js';
import { SCORINGS, type SourceArrays } from './compiled-decoder.js';
import type { PackedDecoder } from './packed-decoder.js';
import { PackedLayer } from './packed-layer.js';
import { joinRows, type RowColumns } from './rows.js';

/**
 * Teacher forcing for scoring, by the compiled kernels: a decoder without input feeding over whole targets, of which no more is
 * kept than ln P of each token. Twin of `TeacherForcing.score` in `model/teacher-forcing.ts`.
 */
export class CompiledForcing {
  readonly #layers: readonly PackedLayer[];
  readonly #buffers = new Buffers();

  constructor(private readonly packed: PackedDecoder) {
    this.#layers = packed.parts.layers.map(
      (layer, n) => new PackedLayer({ ...layer, direction: 'forward' }, packed.layers[n]!),
    );
  }

  /**
   * @param initial the decoder's state at the start, in the order of the parts, each `[batch, size]`
   * @param previous the decoder's inputs, `[batch, time]`
   * @returns for each row ln P of its tokens, EOS last
   */
  scores(
    source: SourceArrays,
    initial: readonly Float32Array[],
    target: PaddedIds,
    previous: Int32Array,
  ): Float32Array[] {
    const { rows: batch, time, lengths, ids } = target;
    const { real, rows } = realPositions(target);
    const given = this.#joined('given', this.#inputs(source, previous, time), batch * time);
    const s = this.#states(given, initial, { batch, time, lengths });
    const columns: RowColumns[] = [{ ...s, rows: real }];
    if (source.attention === null) {
      columns.push({ values: given, size: given.length / (batch * time), rows: real });
    } else {
      const size = source.attention.size;
      columns.push({ values: this.#contexts(source, s, real, rows), size, rows: null });
    }
    const read = this.#joined('read', columns, real.length);
    const { readout, output } = this.packed;
    const o = readout.run(read, 'tanh', this.#buffers.take('o', real.length * readout.columns));
    const scores = new Float32Array(real.length);
    const labels = real.map((place) => ids[place]!);
    compiledKernels().scores(
      real.length,
      output.depth,
      output.columns,
      o,
      output.panels,
      output.bias,
      labels,
      scores,
    );
    let from = 0;
    return Array.from(lengths, (length) => {
      from += length;
      return scores.slice(from - length, from);
    });
  }

  /** What the first layer reads: y_{t-1}, and c where it enters every step. */
  #inputs({ summary, batch }: SourceArrays, previous: Int32Array, time: number): RowColumns[] {
    const y: RowColumns = {
      values: this.packed.table,
      size: this.packed.parts.table.shape[1],
      rows: previous,
    };
    if (summary === null) return [y];
    const rows = previous.map((_, place) => Math.floor(place / time));
    return [y, { values: summary, size: summary.length / batch, rows }];
  }

  /** s `[batch, time, hidden]` of the top layer. */
  #states(
    given: Float32Array,
    initial: readonly Float32Array[],
    rows: { readonly batch: number; readonly time: number; readonly lengths: Int32Array },
  ): { readonly values: Float32Array; readonly size: number } {
    let values = given;
    let size = 0;
    let state = 0;
    for (const [n, layer] of this.#layers.entries()) {
      const count = this.packed.parts.layers[n]!.kind === 'lstm' ? 2 : 1;
      const stride = layer.hidden;
      const outputs = this.#buffers.take(`outputs ${n}`, rows.batch * rows.time * stride);
      const last = new Float32Array(rows.batch * stride);
      layer.run(values, rows, initial.slice(state, state + count), { stride, from: 0, outputs, last });
      state += count;
      values = outputs;
      size = stride;
    }
    return { values, size };
  }

  /** `[positions, size]` of attention at each position. @param real its place among all; @param rows its row */
  #contexts(
    { attention, batch }: SourceArrays,
    { values, size: hidden }: { readonly values: Float32Array; readonly size: number },
    real: Int32Array,
    rows: Int32Array,
  ): Float32Array {
    const { length, query, size, keys, memory, bias } = attention!;
    const states = this.#joined('states', [{ values, size: hidden, rows: real }], real.length);
    const queries = this.packed.query?.run(
      states,
      'nothing',
      this.#buffers.take('queries', real.length * query),
    );
    const contexts = this.#buffers.take('contexts', real.length * size);
    compiledKernels().attend(
      SCORINGS[this.packed.parts.attention!.kind],
      real.length,
      batch,
      length,
      query,
      size,
      rows,
      queries ?? states,
      keys,
      memory,
      bias,
      this.packed.vector,
      contexts,
      this.#buffers.take('weights', real.length * length),
    );
    return contexts;
  }

  #joined(name: string, parts: readonly RowColumns[], count: number): Float32Array {
    const width = parts.reduce((sum, { size }) => sum + size, 0);
    const joined = this.#buffers.take(name, count * width);
    joinRows(parts, count, joined);
    return joined;
  }
}

/** Places of the real positions in `[rows, time]`, row by row, and their rows. */
function realPositions({ rows, time, lengths }: PaddedIds): { real: Int32Array; rows: Int32Array } {
  const count = lengths.reduce((sum, length) => sum + length, 0);
  const real = new Int32Array(count);
  const owners = new Int32Array(count);
  for (let row = 0, k = 0; row < rows; row++) {
    for (let t = 0; t < lengths[row]!; t++, k++) {
      real[k] = row * time + t;
      owners[k] = row;
    }
  }
  return { real, rows: owners };
}
