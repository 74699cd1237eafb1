import type { Tensor2D } from '@tensorflow/tfjs-core';
import type { PaddedIds } from '../text/batch.js';
import { type LayerTrack, PackedLayer } from './packed-layer.js';
import { lookedUp } from './rows.js';

/** An encoder with its parameters laid open. */
export interface EncoderParts {
  /** Embeddings of the source, `[vocabulary, embedding]`. */
  readonly table: Tensor2D;
  /** From the first to the top one, each with its directions. */
  readonly layers: readonly (readonly LayerTrack[])[];
}

/** What an encoder gives, in arrays. */
export interface EncodedArrays {
  /** `[batch, time, size]`, zero at padded positions; both directions joined. */
  readonly memory: Float32Array;
  /** What was put out last, `[batch, size]`. */
  readonly last: Float32Array;
  readonly size: number;
}

/**
 * A recurrent encoder for decoding and scoring, by the compiled kernels: weights are packed once for all sentences. Equations
 * in `model/encoder.ts`, whose twin without a gradient it is.
 */
export class CompiledEncoder {
  readonly #table: Float32Array;
  readonly #embedding: number;
  readonly #layers: readonly (readonly PackedLayer[])[];

  constructor({ table, layers }: EncoderParts) {
    this.#table = table.dataSync<'float32'>() as Float32Array;
    this.#embedding = table.shape[1];
    this.#layers = layers.map((tracks) => tracks.map((track) => new PackedLayer(track)));
  }

  /** @param source ids in the order in which they are read */
  run({ ids, lengths, rows: batch, time }: PaddedIds): EncodedArrays {
    let size = this.#embedding;
    let memory = lookedUp(this.#table, size, ids);
    let last = new Float32Array(0);
    for (const tracks of this.#layers) {
      const stride = tracks.reduce((sum, { hidden }) => sum + hidden, 0);
      const outputs = new Float32Array(batch * time * stride);
      last = new Float32Array(batch * stride);
      let from = 0;
      for (const track of tracks) {
        track.run(memory, { batch, time, lengths }, [], { stride, from, outputs, last });
        from += track.hidden;
      }
      memory = outputs;
      size = stride;
    }
    return { memory, last, size };
  }
}
