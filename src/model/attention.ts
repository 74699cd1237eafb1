import {
  add,
  matMul,
  mul,
  reshape,
  softmax,
  sum,
  type Tensor1D,
  type Tensor3D,
  type Tensor4D,
  tanh,
} from '@tensorflow/tfjs-core';
import { type ParameterSpec, type Weights, weight } from '../cell/cell.js';
import type { ModelConfig } from '../config.js';
import { dense, denseParameters } from './dense.js';
import { prefixed, scoped } from './parameters.js';

/** What attention needs of the source, computed once a sentence. */
export interface AttentionSource {
  /** h_1..h_S, `[batch, source, memory]`. */
  readonly memory: Tensor3D;
  /** What the queries are compared with, `[batch, source, any]`. */
  readonly keys: Tensor3D;
  /** 0 at real source positions, a large negative number at padding, `[batch, 1, source]`. */
  readonly bias: Tensor3D;
}

/** One way to compare decoder states with encoder outputs. */
interface Scoring {
  parameters(memory: number, query: number): ParameterSpec[];
  /** @param memory `[batch, source, memory]` */
  keys(w: Weights, memory: Tensor3D): Tensor3D;
  /**
   * @param queries s, `[batch, target, query]`
   * @returns scores `[batch, target, source]`
   */
  scores(w: Weights, queries: Tensor3D, keys: Tensor3D): Tensor3D;
}

type AttentionKind = Exclude<ModelConfig['attention'], 'none'>;

const SCORINGS: Readonly<Record<AttentionKind, Scoring>> = {
  /** s · h (Luong et al. 2015, equation 8). */
  dot: {
    parameters: () => [],
    keys: (_w, memory) => memory,
    scores: (_w, queries, keys) => matMul(queries, keys, false, true),
  },
  /** s · W h (Luong et al. 2015, equation 8). */
  general: {
    parameters: (memory, query) => denseParameters(memory, query, { bias: false }),
    keys: (w, memory) => dense(w, memory),
    scores: (_w, queries, keys) => matMul(queries, keys, false, true),
  },
  /** v · tanh(W s + U h) (Bahdanau et al. 2015, appendix A.1.2), with the decoder's query size as its width. */
  additive: {
    parameters: (memory, query) => [
      ...denseParameters(memory, query, { bias: false }),
      ...prefixed('query', denseParameters(query, query, { bias: true })),
      {
        name: 'vector',
        shape: [query],
        initializer: { kind: 'uniform', limit: 1 / Math.sqrt(query) },
        trainable: true,
      },
    ],
    keys: (w, memory) => dense(w, memory),
    scores: (w, queries, keys) => {
      const [batch, target, size] = queries.shape;
      const source = keys.shape[1];
      const projected = dense({ kernel: weight(w, 'query.kernel'), bias: weight(w, 'query.bias') }, queries);
      const both: Tensor4D = add(
        reshape(projected, [batch, target, 1, size]),
        reshape(keys, [batch, 1, source, size]),
      );
      return sum(mul(tanh(both), weight<Tensor1D>(w, 'vector')), 3) as Tensor3D;
    },
  },
};

/** Attention over the source: a_t = sum_j softmax_j(score(s_t, h_j)) h_j. */
export class Attention {
  readonly #scoring: Scoring;
  readonly #local: readonly ParameterSpec[];
  readonly parameters: readonly ParameterSpec[];

  constructor(kind: AttentionKind, memorySize: number, querySize: number) {
    this.#scoring = SCORINGS[kind];
    this.#local = this.#scoring.parameters(memorySize, querySize);
    this.parameters = prefixed('attention', this.#local);
  }

  /** @param memory `[batch, source, memory]`; @param bias `[batch, 1, source]` */
  prepare(w: Weights, memory: Tensor3D, bias: Tensor3D): AttentionSource {
    return { memory, keys: this.#scoring.keys(scoped(w, 'attention', this.#local), memory), bias };
  }

  /**
   * @param queries s, `[batch, target, query]`
   * @returns a `[batch, target, memory]` and the weights `[batch, target, source]`, zero at padding
   */
  attend(w: Weights, queries: Tensor3D, source: AttentionSource): { context: Tensor3D; weights: Tensor3D } {
    const scores = this.#scoring.scores(scoped(w, 'attention', this.#local), queries, source.keys);
    const weights = softmax(add(scores, source.bias)) as Tensor3D;
    return { context: matMul(weights, source.memory), weights };
  }
}
