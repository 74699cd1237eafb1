import { type Tensor2D, type Tensor3D, tidy, zeros } from '@tensorflow/tfjs-core';
import type { LanguageModelConfig } from '../config.js';
import { SequenceMask } from '../kernel/mask.js';
import type { Random } from '../random.js';
import type { DecodeState } from '../search/step-model.js';
import type { Batch, PaddedIds } from '../text/batch.js';
import { Decoder, type DecoderSource } from './decoder.js';
import type { Dropout } from './dropout.js';
import { embed } from './embedding.js';
import { shifted, timeMajor } from './layout.js';
import type { GivenValues, Weights } from './parameters.js';
import { TargetModel } from './target-model.js';
import { TensorState } from './tensor-state.js';

const TABLE = 'embedding';

/**
 * A recurrent language model (Mikolov et al. 2010): the decoder of {@link Seq2Seq} without a source,
 *
 *     s_0 = tanh(b_0)                                 learned
 *     s_t = f(x_{t-1}, s_{t-1})                       f: any cell, in layers; x_0 is BOS
 *     o_t = tanh(W_o [s_t ; x_{t-1}] + b_o)
 *     P(x_t | x_1..x_{t-1}) = softmax(V o_t + b)
 *
 * Each sentence stands alone. As a {@link StepModel} it ignores the source but for its number of rows: its text is
 * what a translation model's target is, so whatever searches and scores with one works with the other.
 */
export class LanguageModel extends TargetModel {
  readonly #decoder: Decoder;

  /**
   * @param vocabulary entries of the vocabulary
   * @param start draws the initial parameters, or gives them
   */
  constructor(
    readonly config: LanguageModelConfig['model'],
    vocabulary: number,
    start: Random | GivenValues,
  ) {
    const { cell, embedding, hidden, layers, output, tieEmbedding, dropout } = config;
    const decoder = new Decoder(
      {
        cell,
        embedding,
        decoder: { hidden, layers },
        output,
        dropout,
        context: 'initial',
        attention: { kind: 'none' },
        inputFeeding: false,
      },
      0,
    );
    const parts = { decoder, table: TABLE, vocabulary, embedding, tied: tieEmbedding };
    super({ ...parts, dropout: dropout.output }, start);
    this.#decoder = decoder;
  }

  start({ rows: sentences, lengths, time }: PaddedIds): DecodeState {
    return new TensorState({
      sentences,
      width: 1,
      lengths,
      time,
      source: {},
      summary: null,
      state: tidy(() => this.#decoder.initialState(this.parameters.weights(), nothing(sentences).summary)),
      rows: null,
    });
  }

  protected override run(w: Weights, { target: text }: Batch, dropout: Dropout): Tensor3D {
    const mask = new SequenceMask(text.lengths, text.time);
    const x = dropout.apply(
      embed(w[TABLE] as Tensor2D, timeMajor(shifted(text), text), text.rows),
      this.config.dropout.embedding,
    );
    return this.#decoder.run(w, x, nothing(text.rows), mask, dropout);
  }
}

/** The source of a decoder that has none: a summary `[rows, 0]`. */
function nothing(rows: number): DecoderSource {
  return { summary: zeros([rows, 0]), attention: null };
}
