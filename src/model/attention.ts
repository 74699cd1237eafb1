import {
  add,
  matMul,
  mul,
  reshape,
  softmax,
  sum,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
  tanh,
} from '@tensorflow/tfjs-core';
import { type ParameterSpec, type Weights, weight } from '../cell/cell.js';
import { retrieve, similarity } from '../classic/modern-hopfield.js';
import type { AttentionSpec } from '../config.js';
import type { StepAttention } from '../kernel/step-parts.js';
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
   * @param bias see {@link AttentionSource}
   * @returns scores `[batch, target, source]`
   */
  scores(w: Weights, queries: Tensor3D, keys: Tensor3D, bias: Tensor3D): Tensor3D;
  /** The same in the form of the decoder's loop kernel; null where that has none. @param size of the query */
  loop(w: Weights, keys: Tensor3D, size: number): LoopAttention | null;
}

/** Scores s · keys or, with a query of its own, v · tanh(W s + keys). */
export interface LoopAttention {
  readonly keys: Tensor3D;
  /** W `[hidden, query]` and v `[query]`. */
  readonly query: { readonly kernel: Tensor2D; readonly vector: Tensor1D } | null;
}

/** Every attention but none, with its options. */
export type AttentionOptions = Exclude<AttentionSpec, { kind: 'none' }>;
type AttentionKind = AttentionOptions['kind'];

type Scorings = {
  readonly [K in AttentionKind]: (options: Extract<AttentionOptions, { kind: K }>) => Scoring;
};

const SCORINGS: Scorings = {
  /** s · h (Luong et al. 2015, equation 8). */
  dot: () => ({
    parameters: () => [],
    keys: (_w, memory) => memory,
    scores: (_w, queries, keys) => matMul(queries, keys, false, true),
    loop: (_w, keys) => ({ keys, query: null }),
  }),
  /** s · W h (Luong et al. 2015, equation 8). */
  general: () => ({
    parameters: (memory, query) => denseParameters(memory, query, { bias: false }),
    keys: (w, memory) => dense(w, memory),
    scores: (_w, queries, keys) => matMul(queries, keys, false, true),
    loop: (_w, keys) => ({ keys, query: null }),
  }),
  /** v · tanh(W s + U h) (Bahdanau et al. 2015, appendix A.1.2), with the decoder's query size as its width. */
  additive: () => ({
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
    loop: (w, keys) => ({
      keys: add(keys, weight<Tensor1D>(w, 'query.bias')),
      query: { kernel: weight(w, 'query.kernel'), vector: weight<Tensor1D>(w, 'vector') },
    }),
  }),
  /**
   * Retrieval from a modern Hopfield network that stores the source as patterns K = h W (Ramsauer et al. 2020,
   * equations 3 and 10). The query is a state that is updated towards them, and the scores are those of the last update:
   *
   *     s <- softmax(beta s K^T) K          steps - 1 times
   *     scores = beta s K^T
   *
   * With one step and beta = 1/sqrt(size of s) it is the scaled dot product of Vaswani et al. 2017. The paper's two
   * projections of state and patterns enter as their product, one matrix; the memory itself is what is retrieved.
   */
  hopfield: ({ steps, beta }) => ({
    parameters: (memory, query) => denseParameters(memory, query, { bias: false }),
    keys: (w, memory) => dense(w, memory),
    loop: (_w, keys, size) =>
      steps === 1 ? { keys: mul(keys, beta ?? 1 / Math.sqrt(size)) as Tensor3D, query: null } : null,
    scores: (_w, queries, keys, bias) => {
      const inverseTemperature = beta ?? 1 / Math.sqrt(queries.shape[2]);
      let state = queries;
      for (let n = 1; n < steps; n++) state = retrieve(state, keys, inverseTemperature, bias);
      return similarity(state, keys, inverseTemperature);
    },
  }),
};

function scoringOf<K extends AttentionKind>(options: Extract<AttentionOptions, { kind: K }>): Scoring {
  return SCORINGS[options.kind as K](options);
}

/** Attention over the source: a_t = sum_j softmax_j(score(s_t, h_j)) h_j. */
export class Attention {
  readonly #kind: AttentionKind;
  readonly #scoring: Scoring;
  readonly #local: readonly ParameterSpec[];
  readonly #querySize: number;
  readonly parameters: readonly ParameterSpec[];

  constructor(options: AttentionOptions, memorySize: number, querySize: number) {
    this.#kind = options.kind;
    this.#scoring = scoringOf(options);
    this.#querySize = querySize;
    this.#local = this.#scoring.parameters(memorySize, querySize);
    this.parameters = prefixed('attention', this.#local);
  }

  /** @param memory `[batch, source, memory]`; @param bias `[batch, 1, source]` */
  prepare(w: Weights, memory: Tensor3D, bias: Tensor3D): AttentionSource {
    return { memory, keys: this.#scoring.keys(scoped(w, 'attention', this.#local), memory), bias };
  }

  /** What the decoder's loop kernel wants; null where it has no form for this attention. */
  loop(w: Weights, source: AttentionSource): LoopAttention | null {
    return this.#scoring.loop(scoped(w, 'attention', this.#local), source.keys, this.#querySize);
  }

  /** W of the keys h W; null where the memory itself is compared with the queries. */
  keyKernel(w: Weights): Tensor2D | null {
    return this.#kind === 'dot' ? null : weight(scoped(w, 'attention', this.#local), 'kernel');
  }

  /** The same for a kernel that runs whole decoder steps; undefined where there is none that does. */
  stepAttention(w: Weights): StepAttention | undefined {
    if (this.#kind === 'hopfield') return undefined;
    if (this.#kind !== 'additive') return { kind: 'product' };
    const local = scoped(w, 'attention', this.#local);
    return {
      kind: 'additive',
      kernel: weight(local, 'query.kernel'),
      bias: weight<Tensor1D>(local, 'query.bias'),
      vector: weight<Tensor1D>(local, 'vector'),
    };
  }

  /**
   * @param queries s, `[batch, target, query]`
   * @returns a `[batch, target, memory]` and the weights `[batch, target, source]`, zero at padding
   */
  attend(w: Weights, queries: Tensor3D, source: AttentionSource): { context: Tensor3D; weights: Tensor3D } {
    const local = scoped(w, 'attention', this.#local);
    const scores = this.#scoring.scores(local, queries, source.keys, source.bias);
    const weights = softmax(add(scores, source.bias)) as Tensor3D;
    return { context: matMul(weights, source.memory), weights };
  }
}
