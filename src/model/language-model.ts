import { type Tensor2D, type Tensor3D, tidy, zeros } from '@tensorflow/tfjs-core';
import type { LanguageModelConfig } from '../config.js';
import { SequenceMask } from '../kernel/mask.js';
import type { Random } from '../random.js';
import type { DecodeState, Step, StepModel } from '../search/step-model.js';
import type { Batch, PaddedIds } from '../text/batch.js';
import { Decoder, type DecoderSource } from './decoder.js';
import { DecoderSteps } from './decoder-steps.js';
import type { Dropout } from './dropout.js';
import { embed, embeddingParameter } from './embedding.js';
import { shifted, timeMajor } from './layout.js';
import { OutputLayer } from './output-layer.js';
import { type GivenValues, ParameterStore, type Weights } from './parameters.js';
import { expanded, kept, release, reordered, type SearchState } from './search-state.js';
import { type Figures, type StepGradients, TeacherForcing } from './teacher-forcing.js';

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
export class LanguageModel implements StepModel {
  readonly #decoder: Decoder;
  readonly #output: OutputLayer;
  readonly #steps: DecoderSteps;
  readonly #forcing: TeacherForcing;
  readonly parameters: ParameterStore;
  readonly targetSize: number;

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
    this.targetSize = vocabulary;
    this.#decoder = new Decoder(
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
    this.#output = new OutputLayer(this.#decoder.outputSize, vocabulary, tieEmbedding ? TABLE : null);
    this.#steps = new DecoderSteps(this.#decoder, this.#output, TABLE);
    this.parameters = new ParameterStore(
      [
        embeddingParameter(TABLE, vocabulary, embedding),
        ...this.#decoder.parameters,
        ...this.#output.parameters,
      ],
      start,
    );
    this.#forcing = new TeacherForcing(this.parameters, this.#output, dropout.output, (w, batch, drop) =>
      this.#run(w, batch.target, drop),
    );
  }

  /** Loss and gradients of one training step on `batch.target`. The caller disposes all that is returned. */
  gradients(
    batch: Batch,
    options: { readonly labelSmoothing: number; readonly seed: number },
  ): StepGradients {
    this.#steps.forget();
    return this.#forcing.gradients(batch, options);
  }

  /** Figures without dropout: sum of ln P, tokens whose prediction is right, tokens. */
  evaluate(batch: Batch): Figures {
    return this.#forcing.evaluate(batch);
  }

  /** ln P of every token of `batch.target` given those before it, EOS last, for each sentence. */
  score(batch: Batch): Float32Array[] {
    return this.#forcing.score(batch);
  }

  start({ rows: sentences, lengths, time }: PaddedIds): DecodeState {
    const state: SearchState = {
      sentences,
      width: 1,
      lengths,
      time,
      source: {},
      summary: null,
      state: tidy(() => this.#decoder.initialState(this.parameters.weights(), nothing(sentences).summary)),
      rows: null,
    };
    return state;
  }

  expand(state: DecodeState, width: number): DecodeState {
    return expanded(state as SearchState, width);
  }

  reorder(state: DecodeState, parents: Int32Array): DecodeState {
    return reordered(state as SearchState, parents);
  }

  keep(state: DecodeState, sentences: Int32Array): DecodeState {
    return kept(state as SearchState, sentences);
  }

  step(state: DecodeState, previous: Int32Array): Step {
    const next = this.#steps.step(this.parameters.weights(), state as SearchState, previous);
    return { state: next.state, logits: next.logits, attention: null };
  }

  release(state: DecodeState): void {
    release(state as SearchState);
  }

  dispose(): void {
    this.#output.forget();
    this.#steps.forget();
    this.parameters.dispose();
  }

  /** o at every position, `[time, batch, output]`. */
  #run(w: Weights, text: PaddedIds, dropout: Dropout): Tensor3D {
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
