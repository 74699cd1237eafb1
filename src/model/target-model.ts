import {
  gather,
  reshape,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  tensor1d,
  tensor2d,
  tidy,
} from '@tensorflow/tfjs-core';
import { bestOfArray, type CompiledDecoder } from '../kernel/compiled-decoder.js';
import type { Random } from '../random.js';
import type { BestStep, DecodeState, Step, StepModel } from '../search/step-model.js';
import type { Batch, PaddedIds } from '../text/batch.js';
import { EOS } from '../text/vocabulary.js';
import type { ArrayState } from './array-state.js';
import type { Decoder } from './decoder.js';
import { DecoderSteps } from './decoder-steps.js';
import type { Dropout } from './dropout.js';
import { embeddingParameter } from './embedding.js';
import { shifted } from './layout.js';
import { OutputLayer } from './output-layer.js';
import { type GivenValues, type ParameterSpec, ParameterStore, type Weights } from './parameters.js';
import type { SearchState } from './search-state.js';
import { type Figures, type StepGradients, TeacherForcing } from './teacher-forcing.js';
import type { TensorState } from './tensor-state.js';

/** What a model that writes a target is made of. */
export interface TargetParts {
  readonly decoder: Decoder;
  /** Name of the embedding table of the target. */
  readonly table: string;
  /** Entries of the target vocabulary. */
  readonly vocabulary: number;
  /** Size of an embedding. */
  readonly embedding: number;
  /** Whether the output layer's matrix is the embedding table. */
  readonly tied: boolean;
  /** Dropout rate on o_t. */
  readonly dropout: number;
  /** Parameters before and after the target's embedding table; then come the decoder's and the output layer's. */
  readonly before?: readonly ParameterSpec[];
  readonly after?: readonly ParameterSpec[];
}

/**
 * A model that writes a target token by token with a {@link Decoder}: what training, scoring and search want of it. What
 * the decoder is given beside the target is the derived class's.
 */
export abstract class TargetModel implements StepModel {
  readonly #output: OutputLayer;
  readonly #steps: DecoderSteps;
  readonly #forcing: TeacherForcing;
  readonly parameters: ParameterStore;
  readonly targetSize: number;

  /** @param start draws the initial parameters, or gives them */
  protected constructor(parts: TargetParts, start: Random | GivenValues) {
    const { decoder, table, vocabulary, embedding, tied, dropout, before = [], after = [] } = parts;
    this.targetSize = vocabulary;
    this.#output = new OutputLayer(decoder.outputSize, vocabulary, tied ? table : null);
    this.#steps = new DecoderSteps(decoder, this.#output, table);
    const target = embeddingParameter(table, vocabulary, embedding);
    this.parameters = new ParameterStore(
      [...before, target, ...after, ...decoder.parameters, ...this.#output.parameters],
      start,
    );
    this.#forcing = new TeacherForcing(this.parameters, this.#output, dropout, (w, batch, drop) =>
      this.run(w, batch, drop),
    );
  }

  /** Runs the decoder over the whole target: o `[time, batch, output]`. */
  protected abstract run(w: Weights, batch: Batch, dropout: Dropout): Tensor3D;

  /** Cross-entropy at every position, `[time * batch]`. @param output o `[time, batch, output]`; @param labels time-major */
  protected lossesOf(w: Weights, output: Tensor3D, labels: Tensor1D): Tensor1D {
    const rows: Tensor2D = reshape(output, [-1, output.shape[2]]);
    return this.#output.losses(w, rows, labels);
  }

  abstract start(source: PaddedIds): DecodeState;

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
    this.forget();
    return this.#forcing.gradients(batch, options);
  }

  /** Teacher-forced figures without dropout: sum of ln P, tokens whose prediction is right, tokens. */
  evaluate(batch: Batch): Figures {
    return this.#forcing.evaluate(batch);
  }

  /** ln P of every target token given all that comes before it, EOS last, for each sentence of the batch. */
  score(batch: Batch): Float32Array[] {
    return this.#compiledScores(batch) ?? this.#forcing.score(batch);
  }

  /** The same by the compiled kernels; null where they do not run the model. */
  #compiledScores({ source, target }: Batch): Float32Array[] | null {
    const w = this.parameters.weights();
    const forcing = this.#steps.forcing(w);
    if (forcing === null) return null;
    const begin = this.start(source) as SearchState;
    const arrays = this.#steps.inArrays(() => w, begin);
    if (arrays === null) begin.release();
    return arrays && forcing.scores(arrays.source, arrays.state, target, shifted(target));
  }

  expand(state: DecodeState, width: number): DecodeState {
    return (state as SearchState).expanded(width);
  }

  reorder(state: DecodeState, parents: Int32Array): DecodeState {
    return (state as SearchState).reordered(parents);
  }

  keep(state: DecodeState, sentences: Int32Array): DecodeState {
    return (state as SearchState).kept(sentences);
  }

  step(state: DecodeState, previous: Int32Array): Step {
    const old = state as SearchState;
    const w = () => this.parameters.weights();
    const arrays = this.#steps.inArrays(w, old)?.step(previous);
    if (arrays !== undefined) return this.#tensorsOf(arrays, previous.length);
    const { state: next, logits, weights } = this.#steps.step(w(), old as TensorState, previous);
    const order = weights === null ? null : this.userOrder(next);
    if (weights === null || order === null) return { state: next, logits, attention: weights };
    const attention: Tensor2D = tidy(() =>
      reshape(gather(reshape(weights, [-1]), tensor1d(order, 'int32')), weights.shape),
    );
    weights.dispose();
    return { state: next, logits, attention };
  }

  stepBest(state: DecodeState, previous: Int32Array, k: number): BestStep | null {
    const own = this.#steps.inArrays(() => this.parameters.weights(), state as SearchState);
    if (own === null) return null;
    const { next, arrays } = own.step(previous);
    const { logits, weights } = arrays;
    const rows = previous.length;
    const size = logits.length / rows;
    return {
      state: next,
      best: bestOfArray(logits, rows, k),
      ends: Float32Array.from({ length: rows }, (_, row) => logits[row * size + EOS]!),
      attention: weights === null ? null : { weights: this.#inUserOrder(weights, next), columns: next.time },
    };
  }

  release(state: DecodeState): void {
    (state as SearchState).release();
  }

  dispose(): void {
    this.#output.forget();
    this.forget();
    this.parameters.dispose();
  }

  /** The decoder for the compiled kernels; null where they do not run it. */
  protected compiledDecoder(w: Weights): CompiledDecoder | null {
    return this.#steps.compiled(w);
  }

  /** Frees what search has derived from the parameters. */
  protected forget(): void {
    this.#steps.forget();
  }

  /** For each number of attention's `[rows, source]` in the order of the user's tokens its place; null where they are in it. */
  protected userOrder(_state: SearchState): Int32Array | null {
    return null;
  }

  #tensorsOf({ next, arrays }: ReturnType<ArrayState['step']>, rows: number): Step {
    const { logits, weights } = arrays;
    return {
      state: next,
      logits: tensor2d(logits.slice(), [rows, logits.length / rows]), // the next step writes there again
      attention: weights === null ? null : tensor2d(this.#inUserOrder(weights, next), [rows, next.time]),
    };
  }

  #inUserOrder(weights: Float32Array, state: SearchState): Float32Array {
    const order = this.userOrder(state);
    return order === null ? weights : Float32Array.from(order, (place) => weights[place]!);
  }
}
