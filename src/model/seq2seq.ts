import {
  gather,
  reshape,
  type Tensor2D,
  type Tensor3D,
  tensor1d,
  tidy,
  transpose,
} from '@tensorflow/tfjs-core';
import type { ModelConfig } from '../config.js';
import { SequenceMask } from '../kernel/mask.js';
import type { Random } from '../random.js';
import type { DecodeState, Step, StepModel } from '../search/step-model.js';
import type { Batch, PaddedIds } from '../text/batch.js';
import { Decoder, type DecoderSource } from './decoder.js';
import { DecoderSteps } from './decoder-steps.js';
import { Dropout } from './dropout.js';
import { embed, embeddingParameter } from './embedding.js';
import { Encoder } from './encoder.js';
import { reversed, shifted, timeMajor } from './layout.js';
import { OutputLayer } from './output-layer.js';
import { type GivenValues, type ParameterSpec, ParameterStore, type Weights } from './parameters.js';
import { expanded, kept, release, reordered, type SearchState } from './search-state.js';
import { Summary } from './summary.js';
import { type Figures, type StepGradients, TeacherForcing } from './teacher-forcing.js';

/** Embeddings of the target. */
const TABLE = 'embedding.target';

/**
 * The recurrent encoder-decoder: P(y_t | y_<t, x) = softmax(V o_t), wired from embedding, encoder, context summary,
 * decoder with attention, and output layer.
 */
export class Seq2Seq implements StepModel {
  readonly #encoder: Encoder;
  readonly #summary: Summary;
  readonly #decoder: Decoder;
  readonly #output: OutputLayer;
  readonly #steps: DecoderSteps;
  readonly #forcing: TeacherForcing;
  readonly #sourceTable: string;
  readonly parameters: ParameterStore;
  readonly targetSize: number;

  /**
   * @param sizes entries of the source and target vocabularies
   * @param start draws the initial parameters, or gives them
   */
  constructor(
    readonly config: ModelConfig,
    sizes: { readonly source: number; readonly target: number },
    start: Random | GivenValues,
  ) {
    this.targetSize = sizes.target;
    this.#encoder = new Encoder(config);
    this.#summary = new Summary(config, this.#encoder.outputSize);
    this.#decoder = new Decoder(config, this.#encoder.outputSize);
    this.#output = new OutputLayer(
      this.#decoder.outputSize,
      sizes.target,
      config.tieTargetEmbedding ? TABLE : null,
    );
    this.#steps = new DecoderSteps(this.#decoder, this.#output, TABLE);
    this.#sourceTable = config.tieSourceEmbedding ? TABLE : 'embedding.source';
    const specs: ParameterSpec[] = [
      embeddingParameter(TABLE, sizes.target, config.embedding),
      ...this.#encoder.parameters,
      ...this.#summary.parameters,
      ...this.#decoder.parameters,
      ...this.#output.parameters,
    ];
    if (!config.tieSourceEmbedding)
      specs.unshift(embeddingParameter('embedding.source', sizes.source, config.embedding));
    this.parameters = new ParameterStore(specs, start);
    const { dropout } = config;
    this.#forcing = new TeacherForcing(this.parameters, this.#output, dropout.output, (w, batch, drop) =>
      this.#run(w, batch, drop),
    );
  }

  /**
   * Loss and gradients of one training step. The caller disposes all that is returned.
   * @param options.seed of this step's dropout
   * @returns `loss`, the mean over target tokens with smoothed labels; `logLikelihood`, the sum of ln P over target
   *   tokens without smoothing (under dropout); the gradient of `loss` for every trainable parameter
   */
  gradients(
    batch: Batch,
    options: { readonly labelSmoothing: number; readonly seed: number },
  ): StepGradients {
    this.#steps.forget();
    return this.#forcing.gradients(batch, options);
  }

  /** Teacher-forced figures without dropout: sum of ln P, tokens whose prediction is right, tokens. */
  evaluate(batch: Batch): Figures {
    return this.#forcing.evaluate(batch);
  }

  /** ln P of every target token given the source and the tokens before it, EOS last, for each sentence of the batch. */
  score(batch: Batch): Float32Array[] {
    return this.#forcing.score(batch);
  }

  start(source: PaddedIds): DecodeState {
    const tensors = tidy(() => {
      const w = this.parameters.weights();
      const { decoderSource, summary } = this.#encode(w, source, new Dropout(null));
      const { attention } = decoderSource;
      const everyStep = this.config.context === 'every-step' ? { summary } : {};
      return {
        source: attention === null ? {} : { ...attention },
        state: this.#decoder.initialState(w, summary),
        ...everyStep,
      };
    }) as Pick<SearchState, 'source' | 'state'> & { summary?: Tensor2D };
    const state: SearchState = {
      sentences: source.rows,
      width: 1,
      lengths: source.lengths,
      time: source.time,
      source: tensors.source,
      summary: tensors.summary ?? null,
      state: tensors.state,
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
    return {
      state: next.state,
      logits: next.logits,
      attention: next.weights === null ? null : this.#inUserOrder(next.weights, next.state),
    };
  }

  release(state: DecodeState): void {
    release(state as SearchState);
  }

  dispose(): void {
    this.#output.forget();
    this.#steps.forget();
    this.parameters.dispose();
  }

  #encode(
    w: Weights,
    source: PaddedIds,
    dropout: Dropout,
  ): { decoderSource: DecoderSource; summary: Tensor2D } {
    const mask = new SequenceMask(source.lengths, source.time);
    const ids = timeMajor(this.config.reverseSource ? reversed(source) : source.ids, source);
    const x = dropout.apply(
      embed(w[this.#sourceTable] as Tensor2D, ids, source.rows),
      this.config.dropout.embedding,
    );
    const encoded = this.#encoder.run(w, x, mask, dropout);
    const summary = this.#summary.run(w, encoded, mask);
    const memory = transpose(encoded.memory, [1, 0, 2]); // [batch, source, memory]
    return { decoderSource: this.#decoder.prepare(w, summary, memory, mask.bias()), summary };
  }

  /** Runs the decoder over the whole target: o `[time, batch, output]`. */
  #run(w: Weights, batch: Batch, dropout: Dropout): Tensor3D {
    const { target } = batch;
    const { decoderSource } = this.#encode(w, batch.source, dropout);
    const mask = new SequenceMask(target.lengths, target.time);
    const y = dropout.apply(
      embed(w[TABLE] as Tensor2D, timeMajor(shifted(target), target), target.rows),
      this.config.dropout.embedding,
    );
    return this.#decoder.run(w, y, decoderSource, mask, dropout);
  }

  /** Attention weights `[rows, source]`, disposed here, with columns in the order of the user's source tokens. */
  #inUserOrder(weights: Tensor2D, state: SearchState): Tensor2D {
    if (!this.config.reverseSource) return weights;
    const { sentences, width, time, lengths } = state;
    const order = new Int32Array(sentences * width * time);
    for (let row = 0, k = 0; row < sentences * width; row++) {
      const last = lengths[Math.floor(row / width)]! - 1; // EOS stays behind the words
      for (let t = 0; t < time; t++, k++) order[k] = row * time + (t < last ? last - 1 - t : t);
    }
    const ordered: Tensor2D = tidy(() =>
      reshape(gather(reshape(weights, [-1]), tensor1d(order, 'int32')), weights.shape),
    );
    weights.dispose();
    return ordered;
  }
}
