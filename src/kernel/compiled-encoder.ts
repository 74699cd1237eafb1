import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { compiledKernels } from '../engine/compiled-kernels.js';
import type { PaddedIds } from '../text/batch.js';
import { packed } from './packed-matrix.js';
import type { Direction } from './sequence.js';
import type { StepLayer } from './step-parts.js';

/** One direction of a layer. */
export interface EncoderTrack extends StepLayer {
  readonly direction: Direction;
}

/** An encoder with its parameters laid open. */
export interface EncoderParts {
  /** Embeddings of the source, `[vocabulary, embedding]`. */
  readonly table: Tensor2D;
  /** From the first to the top one, each with its directions. */
  readonly layers: readonly (readonly EncoderTrack[])[];
}

/** What an encoder gives, in arrays. */
export interface EncodedArrays {
  /** `[batch, time, size]`, zero at padded positions; both directions joined. */
  readonly memory: Float32Array;
  /** What was put out last, `[batch, size]`. */
  readonly last: Float32Array;
  readonly size: number;
}

interface PackedTrack {
  readonly isGru: boolean;
  readonly backward: boolean;
  readonly input: number;
  readonly hidden: number;
  readonly inputs: Float32Array;
  readonly bias: Float32Array;
  readonly gates: Float32Array;
  /** Empty for an LSTM. */
  readonly candidate: Float32Array;
}

/**
 * A recurrent encoder for decoding, by the compiled kernels (src/kernel/compiled/encoder-layer.h): weights are packed once for all
 * sentences. Equations in `model/encoder.ts`, whose twin without a gradient it is.
 */
export class CompiledEncoder {
  readonly #table: Float32Array;
  readonly #embedding: number;
  readonly #layers: readonly (readonly PackedTrack[])[];

  constructor({ table, layers }: EncoderParts) {
    this.#table = table.dataSync<'float32'>() as Float32Array;
    this.#embedding = table.shape[1];
    this.#layers = layers.map((tracks) => tracks.map(packedTrack));
  }

  /** @param source ids in the order in which they are read */
  run({ ids, lengths, rows: batch, time }: PaddedIds): EncodedArrays {
    let size = this.#embedding;
    let memory = this.#embedded(ids);
    let last = new Float32Array(0);
    for (const tracks of this.#layers) {
      const stride = tracks.reduce((sum, { hidden }) => sum + hidden, 0);
      const outputs = new Float32Array(batch * time * stride);
      last = new Float32Array(batch * stride);
      let from = 0;
      for (const { isGru, backward, input, hidden, inputs, bias, gates, candidate } of tracks) {
        compiledKernels().encoderLayer(
          isGru,
          backward,
          batch,
          time,
          input,
          hidden,
          stride,
          from,
          lengths,
          memory,
          inputs,
          bias,
          gates,
          candidate,
          outputs,
          last,
        );
        from += hidden;
      }
      memory = outputs;
      size = stride;
    }
    return { memory, last, size };
  }

  /** `[positions, embedding]` */
  #embedded(ids: Int32Array): Float32Array {
    const size = this.#embedding;
    const x = new Float32Array(ids.length * size);
    for (const [k, id] of ids.entries()) x.set(this.#table.subarray(id * size, (id + 1) * size), k * size);
    return x;
  }
}

function packedTrack({ kind, direction, kernel, recurrent, bias }: EncoderTrack): PackedTrack {
  const [input, stride] = kernel.shape;
  const hidden = recurrent.shape[0];
  const states = recurrent.dataSync<'float32'>();
  const isGru = kind === 'gru';
  const depth = hidden;
  const columns = hidden;
  return {
    isGru,
    backward: direction === 'backward',
    input,
    hidden,
    inputs: packed(kernel.dataSync<'float32'>(), { depth: input, columns: stride }),
    bias: (bias as Tensor1D).dataSync<'float32'>() as Float32Array,
    gates: packed(states, { depth, groups: isGru ? 2 : 4, columns, stride }),
    candidate: isGru ? packed(states, { depth, columns, from: 2 * hidden, stride }) : new Float32Array(0),
  };
}
