import {
  add,
  argMax,
  cast,
  engine,
  equal,
  gather,
  keep,
  matMul,
  mean,
  neg,
  reshape,
  type Scalar,
  sum,
  type Tensor1D,
  type Tensor2D,
  tensor1d,
  tidy,
  transpose,
} from '@tensorflow/tfjs-core';
import type { State } from '../cell/cell.js';
import type { ModelConfig } from '../config.js';
import { crossEntropy } from '../kernel/cross-entropy.js';
import { DecoderStepKernel } from '../kernel/decoder-step.js';
import { labelScores } from '../kernel/label-scores.js';
import { SequenceMask } from '../kernel/mask.js';
import type { StepParts, StepSource } from '../kernel/step-parts.js';
import type { Random } from '../random.js';
import type { DecodeState, Step, StepModel } from '../search/step-model.js';
import type { Batch, PaddedIds } from '../text/batch.js';
import { Decoder, type DecoderSource } from './decoder.js';
import { Derived } from './derived.js';
import { Dropout } from './dropout.js';
import { embed, embeddingParameter } from './embedding.js';
import { Encoder } from './encoder.js';
import { realPositions, reversed, shifted, timeMajor } from './layout.js';
import { type GivenValues, type ParameterSpec, ParameterStore, type Weights } from './parameters.js';
import { expanded, inPlace, kept, release, reordered, type SearchState } from './search-state.js';
import { Summary } from './summary.js';

/** Real target positions of a batch, with what the decoder says there. */
interface Positions {
  /** o at each real target position, time-major, `[tokens, output]`. */
  readonly output: Tensor2D;
  /** The token that stands there, int32 `[tokens]`. */
  readonly labels: Tensor1D;
}

/**
 * The recurrent encoder-decoder: P(y_t | y_<t, x) = softmax(V o_t), wired from embedding, encoder, context summary,
 * decoder with attention, and output layer.
 */
export class Seq2Seq implements StepModel {
  readonly #encoder: Encoder;
  readonly #summary: Summary;
  readonly #decoder: Decoder;
  readonly #tied: boolean;
  readonly #sourceTable: string;
  /** The tied table as an output matrix: a product with a transposed factor takes twice to ten times as long. */
  readonly #transposedTable = new Derived((table) => transpose(table as Tensor2D));
  readonly #stepKernel = new DecoderStepKernel();
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
    this.#tied = config.tieTargetEmbedding;
    this.#sourceTable = config.tieSourceEmbedding ? 'embedding.target' : 'embedding.source';
    const output = this.#decoder.outputSize;
    const specs: ParameterSpec[] = [
      embeddingParameter('embedding.target', sizes.target, config.embedding),
      ...this.#encoder.parameters,
      ...this.#summary.parameters,
      ...this.#decoder.parameters,
      { name: 'output.bias', shape: [sizes.target], initializer: { kind: 'zeros' }, trainable: true },
    ];
    if (!config.tieSourceEmbedding)
      specs.unshift(embeddingParameter('embedding.source', sizes.source, config.embedding));
    if (!config.tieTargetEmbedding) {
      const initializer = { kind: 'uniform', limit: 1 / Math.sqrt(output) } as const;
      specs.push({ name: 'output.kernel', shape: [output, sizes.target], initializer, trainable: true });
    }
    this.parameters = new ParameterStore(specs, start);
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
  ): { loss: Scalar; logLikelihood: Scalar; gradients: Weights } {
    this.#forget();
    return tidy(() => {
      const w = this.parameters.weights();
      const names = this.parameters.specs.filter((spec) => spec.trainable).map((spec) => spec.name);
      let logLikelihood: Scalar | undefined;
      const { value, grads } = engine().gradients(
        () => {
          const { output, labels } = this.#positions(w, batch, new Dropout(options.seed));
          const result = crossEntropy(
            output,
            w[this.#tied ? 'embedding.target' : 'output.kernel'] as Tensor2D,
            w['output.bias'] as Tensor1D,
            labels,
            options.labelSmoothing,
            this.#tied,
          );
          logLikelihood = keep(neg(sum(result.negativeLogLikelihood)) as Scalar);
          return mean(result.loss) as Scalar;
        },
        names.map((name) => w[name]!),
      );
      const gradients = Object.fromEntries(names.map((name, k) => [name, grads[k]!]));
      return { loss: value, logLikelihood: logLikelihood!, gradients };
    });
  }

  /** Teacher-forced figures without dropout: sum of ln P, tokens whose prediction is right, tokens. */
  evaluate(batch: Batch): { logLikelihood: number; correct: number; tokens: number } {
    const [logLikelihood, correct] = tidy(() => {
      const w = this.parameters.weights();
      const { output, labels } = this.#positions(w, batch, new Dropout(null));
      const scores = this.#labelScores(w, output, batch);
      const hits = sum(cast(equal(argMax(this.#logits(w, output), 1), labels), 'float32'));
      return [scores.reduce((total, score) => total + score, 0), hits.dataSync()[0]!] as const;
    });
    return { logLikelihood, correct, tokens: batch.targetTokens };
  }

  /** ln P of every target token given the source and the tokens before it, EOS last, for each sentence of the batch. */
  score(batch: Batch): Float32Array[] {
    const values = tidy(() => {
      const w = this.parameters.weights();
      return this.#labelScores(w, this.#positions(w, batch, new Dropout(null)).output, batch);
    });
    const scores = Array.from(batch.target.lengths, (length) => new Float32Array(length));
    let k = 0;
    for (let t = 0; t < batch.target.time; t++) {
      for (const row of scores) {
        if (t < row.length) row[t] = values[k++]!;
      }
    }
    return scores;
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
    const old = state as SearchState;
    const w = this.parameters.weights();
    const parts = DecoderStepKernel.isHere ? this.#stepParts(w) : null;
    const result =
      parts === null ? this.#composedStep(w, old, previous) : this.#fusedStep(parts, old, previous);
    for (const tensor of Object.values(old.state)) tensor.dispose();
    return result;
  }

  /** One step from single operations: the reference, and what runs where there is no kernel for the whole. */
  #composedStep(w: Weights, old: SearchState, previous: Int32Array): Step {
    const result = tidy(() => {
      const y = gather(w['embedding.target'] as Tensor2D, tensor1d(previous, 'int32')); // [rows, embedding]
      const next = this.#decoder.step(w, y, inPlace(old), this.#stepSource(old));
      const tensors = { state: next.state, logits: this.#logits(w, next.output) };
      return next.weights === null
        ? tensors
        : { ...tensors, attention: this.#inUserOrder(next.weights, old) };
    }) as { state: State; logits: Tensor2D; attention?: Tensor2D };
    return {
      state: { ...old, state: result.state, rows: null } as SearchState,
      logits: result.logits,
      attention: result.attention ?? null,
    };
  }

  #fusedStep(parts: StepParts, old: SearchState, previous: Int32Array): Step {
    const names = this.#decoder.stateNames;
    const before = names.map((name) => old.state[name]!);
    const { state, logits, weights } = this.#stepKernel.step(
      parts,
      before,
      old.rows,
      previous,
      this.#stepSource(old),
    );
    return {
      state: {
        ...old,
        state: Object.fromEntries(names.map((name, k) => [name, state[k]!])),
        rows: null,
      } as SearchState,
      logits,
      attention: weights === null ? null : this.#inUserOrder(weights, old),
    };
  }

  release(state: DecodeState): void {
    release(state as SearchState);
  }

  dispose(): void {
    this.#forget();
    this.parameters.dispose();
  }

  /** Frees what was derived from the parameters. */
  #forget(): void {
    this.#transposedTable.forget();
    this.#stepKernel.forget();
  }

  #stepParts(w: Weights): StepParts | null {
    const parts = this.#decoder.stepParts(w);
    if (parts === null) return null;
    const table = w['embedding.target'] as Tensor2D;
    const matrix = this.#tied ? table : (w['output.kernel'] as Tensor2D);
    const bias = w['output.bias'] as Tensor1D;
    return { ...parts, table, output: { matrix, transposed: this.#tied, bias } };
  }

  #stepSource({ source, summary }: SearchState): StepSource {
    return {
      summary,
      attention: 'memory' in source ? (source as unknown as StepSource['attention']) : null,
    };
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

  /** Runs the decoder over the whole target. */
  #positions(w: Weights, batch: Batch, dropout: Dropout): Positions {
    const { target } = batch;
    const { decoderSource } = this.#encode(w, batch.source, dropout);
    const mask = new SequenceMask(target.lengths, target.time);
    const table = w['embedding.target'] as Tensor2D;
    const y = dropout.apply(
      embed(table, timeMajor(shifted(target), target), target.rows),
      this.config.dropout.embedding,
    );
    const output = this.#decoder.run(w, y, decoderSource, mask, dropout); // [time, batch, output]
    const real = realPositions(target);
    const flat = reshape(output, [target.time * target.rows, this.#decoder.outputSize]) as Tensor2D;
    const chosen = mask.full ? flat : (gather(flat, tensor1d(real.rows, 'int32')) as Tensor2D);
    return {
      output: dropout.apply(chosen, this.config.dropout.output),
      labels: tensor1d(real.labels, 'int32'),
    };
  }

  /** ln P of every target token, time-major, from o at the real positions. */
  #labelScores(w: Weights, output: Tensor2D, { target }: Batch): Float32Array {
    const bias = w['output.bias'] as Tensor1D;
    return labelScores(output, this.#fixedOutputMatrix(w), bias, realPositions(target).labels);
  }

  /** V, `[output, vocabulary]`, where nothing is differentiated. */
  #fixedOutputMatrix(w: Weights): Tensor2D {
    return this.#tied ? this.#transposedTable.of(w['embedding.target']!) : (w['output.kernel'] as Tensor2D);
  }

  #logits(w: Weights, output: Tensor2D): Tensor2D {
    return add(matMul(output, this.#fixedOutputMatrix(w)), w['output.bias'] as Tensor1D);
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
