import { type Tensor1D, type Tensor2D, type Tensor3D, tidy, transpose } from '@tensorflow/tfjs-core';
import type { ModelConfig } from '../config.js';
import { SequenceMask } from '../kernel/mask.js';
import type { Random } from '../random.js';
import type { DecodeState } from '../search/step-model.js';
import type { Batch, PaddedIds } from '../text/batch.js';
import { CompiledStart } from './compiled-start.js';
import { Decoder, type DecoderSource } from './decoder.js';
import { Dropout } from './dropout.js';
import { embed, embeddingParameter } from './embedding.js';
import { Encoder } from './encoder.js';
import { reversed, shifted, timeMajor } from './layout.js';
import type { GivenValues, Weights } from './parameters.js';
import type { SearchState } from './search-state.js';
import { Summary } from './summary.js';
import { TargetModel } from './target-model.js';
import { type StateTensors, TensorState } from './tensor-state.js';

/** One side of a batch as the model reads it. */
export interface Reading {
  /** Time-major, int32 `[time * rows]`. */
  readonly ids: Tensor1D;
  /** Of `rows` rows and `time` steps. */
  readonly mask: SequenceMask;
}

/** Embeddings of the target. */
const TABLE = 'embedding.target';
/** Embeddings of the source, where they are not the target's. */
const SOURCE_TABLE = 'embedding.source';

/**
 * The recurrent encoder-decoder: P(y_t | y_<t, x) = softmax(V o_t), wired from embedding, encoder, context summary,
 * decoder with attention, and output layer.
 */
export class Seq2Seq extends TargetModel {
  readonly #encoder: Encoder;
  readonly #summary: Summary;
  readonly #decoder: Decoder;
  readonly #sourceTable: string;
  #start: CompiledStart | null = null;

  /**
   * @param sizes entries of the source and target vocabularies
   * @param start draws the initial parameters, or gives them
   */
  constructor(
    readonly config: ModelConfig,
    sizes: { readonly source: number; readonly target: number },
    start: Random | GivenValues,
  ) {
    const { embedding, dropout, tieTargetEmbedding: tied, tieSourceEmbedding } = config;
    const encoder = new Encoder(config);
    const summary = new Summary(config, encoder.outputSize);
    const decoder = new Decoder(config, encoder.outputSize);
    const parts = { decoder, table: TABLE, vocabulary: sizes.target, embedding, tied };
    const before = tieSourceEmbedding ? [] : [embeddingParameter(SOURCE_TABLE, sizes.source, embedding)];
    const after = [...encoder.parameters, ...summary.parameters];
    super({ ...parts, before, after, dropout: dropout.output }, start);
    this.#encoder = encoder;
    this.#summary = summary;
    this.#decoder = decoder;
    this.#sourceTable = tieSourceEmbedding ? TABLE : SOURCE_TABLE;
  }

  /**
   * Cross-entropy at every target position, those behind the ends of rows included, without dropout. Made of tensors by
   * operations alone, so that a `RepeatedStep` can record it.
   * @param source in the order in which it is read, EOS last
   * @param previous the decoder's inputs: BOS, then all target tokens but the last
   * @param labels target tokens, int32 `[time * rows]`, time-major
   * @returns `[time * rows]`
   */
  losses(w: Weights, source: Reading, previous: Reading, labels: Tensor1D): Tensor1D {
    return this.lossesOf(w, this.#decode(w, source, previous, new Dropout(null)), labels);
  }

  start(source: PaddedIds): DecodeState {
    const w = this.parameters.weights();
    const compiled = this.#compiledStart(w);
    if (compiled !== null) {
      return compiled.run(this.config.reverseSource ? { ...source, ids: reversed(source) } : source);
    }
    const tensors = tidy(() => {
      const { decoderSource, summary } = this.#encode(w, this.#read(source), new Dropout(null));
      const { attention } = decoderSource;
      const everyStep = this.config.context === 'every-step' ? { summary } : {};
      return {
        source: attention === null ? {} : { ...attention },
        state: this.#decoder.initialState(w, summary),
        ...everyStep,
      };
    }) as Pick<StateTensors, 'source' | 'state'> & { summary?: Tensor2D };
    return new TensorState({
      sentences: source.rows,
      width: 1,
      lengths: source.lengths,
      time: source.time,
      source: tensors.source,
      summary: tensors.summary ?? null,
      state: tensors.state,
      rows: null,
    });
  }

  /** The start by the compiled kernels; null where they do not have all of it. */
  #compiledStart(w: Weights): CompiledStart | null {
    if (this.#start?.isOf(w) === true) return this.#start;
    const decoder = this.compiledDecoder(w);
    const layers = decoder === null ? null : this.#encoder.tracks(w);
    if (decoder === null || layers === null) return null;
    this.#start = new CompiledStart(w, {
      encoder: { table: w[this.#sourceTable] as Tensor2D, layers },
      summary: this.#summary.ofArrays(w),
      start: this.#decoder.startParts(w),
      decoder,
      everyStep: this.config.context === 'every-step',
      attends: this.config.attention.kind !== 'none',
    });
    return this.#start;
  }

  protected override forget(): void {
    super.forget();
    this.#start = null;
  }

  #read(source: PaddedIds): Reading {
    return {
      ids: timeMajor(this.config.reverseSource ? reversed(source) : source.ids, source),
      mask: new SequenceMask(source.lengths, source.time),
    };
  }

  #encode(
    w: Weights,
    { ids, mask }: Reading,
    dropout: Dropout,
  ): { decoderSource: DecoderSource; summary: Tensor2D } {
    const x = dropout.apply(
      embed(w[this.#sourceTable] as Tensor2D, ids, mask.batch),
      this.config.dropout.embedding,
    );
    const encoded = this.#encoder.run(w, x, mask, dropout);
    const summary = this.#summary.run(w, encoded, mask);
    const memory = transpose(encoded.memory, [1, 0, 2]); // [batch, source, memory]
    return { decoderSource: this.#decoder.prepare(w, summary, memory, mask.bias()), summary };
  }

  protected override run(w: Weights, { source, target }: Batch, dropout: Dropout): Tensor3D {
    const previous: Reading = {
      ids: timeMajor(shifted(target), target),
      mask: new SequenceMask(target.lengths, target.time),
    };
    return this.#decode(w, this.#read(source), previous, dropout);
  }

  /** o `[time, batch, output]` */
  #decode(w: Weights, source: Reading, { ids, mask }: Reading, dropout: Dropout): Tensor3D {
    const { decoderSource } = this.#encode(w, source, dropout);
    const y = dropout.apply(embed(w[TABLE] as Tensor2D, ids, mask.batch), this.config.dropout.embedding);
    return this.#decoder.run(w, y, decoderSource, mask, dropout);
  }

  protected override userOrder({ sentences, width, time, lengths }: SearchState): Int32Array | null {
    if (!this.config.reverseSource) return null;
    const order = new Int32Array(sentences * width * time);
    for (let row = 0, k = 0; row < sentences * width; row++) {
      const last = lengths[Math.floor(row / width)]! - 1; // EOS stays behind the words
      for (let t = 0; t < time; t++, k++) order[k] = row * time + (t < last ? last - 1 - t : t);
    }
    return order;
  }
}
