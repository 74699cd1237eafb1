import { concat, type Tensor2D, type Tensor3D } from '@tensorflow/tfjs-core';
import type { Cell, ParameterSpec, Weights } from '../cell/cell.js';
import { createCell } from '../cell/family.js';
import type { ModelConfig } from '../config.js';
import type { EncoderParts } from '../kernel/compiled-encoder.js';
import type { SequenceMask } from '../kernel/mask.js';
import { type Direction, runSequence } from '../kernel/sequence.js';
import { stepLayer } from '../kernel/step-parts.js';
import type { Dropout } from './dropout.js';
import { prefixed, scoped } from './parameters.js';

interface Track {
  readonly prefix: string;
  readonly direction: Direction;
  readonly cell: Cell;
}

export interface Encoded {
  /** h_1..h_S of the top layer `[time, batch, size]`, zero at padded steps; both directions joined. */
  readonly memory: Tensor3D;
  /** What the top layer puts out last, `[batch, size]`: forward at the last word, backward at the first. */
  readonly last: Tensor2D;
}

/** Recurrent encoder, one or both directions, any number of layers (Bahdanau et al. 2015, section 3.2). */
export class Encoder {
  readonly #layers: readonly (readonly Track[])[];
  readonly #dropout: number;
  /** Size of h_t: both directions together. */
  readonly outputSize: number;
  readonly parameters: readonly ParameterSpec[];

  constructor(config: ModelConfig) {
    const { hidden, layers, bidirectional } = config.encoder;
    const directions: readonly Direction[] = bidirectional ? ['forward', 'backward'] : ['forward'];
    let inputSize = config.embedding;
    this.#layers = Array.from({ length: layers }, (_, n) => {
      const tracks = directions.map((direction) => ({
        prefix: `encoder.${n}.${direction}`,
        direction,
        cell: createCell(config.encoder.cell ?? config.cell, inputSize, hidden),
      }));
      inputSize = tracks.reduce((sum, { cell }) => sum + cell.outputSize, 0);
      return tracks;
    });
    this.outputSize = inputSize;
    this.#dropout = config.dropout.layers;
    this.parameters = this.#layers.flat().flatMap(({ prefix, cell }) => prefixed(prefix, cell.parameters));
  }

  /** The parameters laid open for {@link CompiledEncoder}; null for a cell that it does not have. */
  tracks(w: Weights): EncoderParts['layers'] | null {
    const layers = this.#layers.map((tracks) =>
      tracks.flatMap(({ prefix, direction, cell }) => {
        const layer = stepLayer(cell, scoped(w, prefix, cell.parameters));
        return layer === null ? [] : [{ ...layer, direction }];
      }),
    );
    return layers.some((tracks, n) => tracks.length < this.#layers[n]!.length) ? null : layers;
  }

  /**
   * @param x embedded source `[time, batch, embedding]`
   * @param mask which steps are real
   */
  run(w: Weights, x: Tensor3D, mask: SequenceMask, dropout: Dropout): Encoded {
    let input = x;
    let last: Tensor2D | null = null;
    for (const [n, tracks] of this.#layers.entries()) {
      if (n > 0) input = dropout.apply(input, this.#dropout);
      const results = tracks.map(({ prefix, direction, cell }) => {
        const weights = scoped(w, prefix, cell.parameters);
        const initial = cell.initial(mask.batch);
        const { outputs } = runSequence(cell, weights, input, initial, mask, direction, 'outputs');
        // A row's last output read: at its last word, or for the backward direction at its first.
        const end = mask.final(outputs, direction);
        return { outputs, end };
      });
      input =
        results.length === 1
          ? results[0]!.outputs
          : (concat(
              results.map((r) => r.outputs),
              2,
            ) as Tensor3D);
      last =
        results.length === 1
          ? results[0]!.end
          : (concat(
              results.map((r) => r.end),
              1,
            ) as Tensor2D);
    }
    return { memory: input, last: last! };
  }
}
