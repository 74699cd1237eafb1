import type { Algebra } from './algebra.js';

/** The scores of one step, `[batch, 1, source]`, and what their gradient needs. */
export interface Scores<H> {
  readonly scores: H;
  readonly trace: H | null;
}

/** What a step's scores give back: the query's share, and the shares of keys and vector that are summed over steps. */
export interface ScoreGradients<H> {
  /** `[batch, query]` */
  readonly query: H;
  /** For {@link LoopScore.sum}. */
  readonly shared: readonly H[];
}

/** How the decoder loop compares its state with the keys; the equations stand in `model/attention.ts`. */
export interface LoopScore<H> {
  /** @param query `[batch, query]` */
  forward(query: H): Scores<H>;
  /** @param by `[batch, 1, source]` */
  back(query: H, trace: H | null, by: H): ScoreGradients<H>;
  /** Sums shares of several steps. */
  sum(shared: readonly (readonly H[])[]): H[];
  /**
   * Gradients of keys and, where there is one, of the vector.
   * @param shared the sum over all steps
   * @param queries of all steps `[time, batch, query]`
   * @param by of all steps `[time, batch, 1, source]`
   */
  finish(shared: readonly H[], queries: H, by: H): { readonly keys: H; readonly vector: H | null };
}

/** query · key. @param keys `[batch, source, query]` */
export function dotScore<H>(ops: Algebra<H>, keys: H): LoopScore<H> {
  const [batch, source, size] = ops.shape(keys) as [number, number, number];
  return {
    forward: (query) => ({
      scores: ops.batchMatMul(ops.reshape(query, [batch, 1, size]), keys, false, true),
      trace: null,
    }),
    back: (_, __, by) => ({ query: ops.reshape(ops.batchMatMul(by, keys), [batch, size]), shared: [] }),
    sum: () => [],
    finish(_, queries, by) {
      const time = ops.shape(queries)[0]!;
      const byRow = ops.transpose(ops.reshape(by, [time, batch, source]), [1, 2, 0]); // [batch, source, time]
      return { keys: ops.batchMatMul(byRow, ops.transpose(queries, [1, 0, 2])), vector: null };
    },
  };
}

/**
 * v · tanh(query + key). The source comes first inside: a sum over it, and one key for each row, are then long runs.
 * @param keys `[batch, source, query]`
 * @param vector v, `[query]`
 */
export function additiveScore<H>(ops: Algebra<H>, keys: H, vector: H): LoopScore<H> {
  const [batch, source, size] = ops.shape(keys) as [number, number, number];
  const first = ops.transpose(keys, [1, 0, 2]); // [source, batch, query]
  const column = ops.reshape(vector, [size, 1]);
  return {
    forward(query) {
      const trace = ops.tanh(ops.add(first, query));
      const scores = ops.matMul(ops.reshape(trace, [source * batch, size]), column);
      const byRow = ops.transpose(ops.reshape(scores, [source, batch]), [1, 0]);
      return { scores: ops.reshape(byRow, [batch, 1, source]), trace };
    },
    back(_, trace, by) {
      const scores = ops.transpose(ops.reshape(by, [batch, source]), [1, 0]); // [source, batch]
      const spread = ops.mul(ops.reshape(scores, [source, batch, 1]), vector);
      const shared = ops.throughTanh(spread, trace!);
      const flat = ops.reshape(trace!, [source * batch, size]);
      const byVector = ops.matMul(ops.reshape(scores, [1, source * batch]), flat); // [1, query]
      return { query: ops.sum(shared, 0), shared: [shared, byVector] };
    },
    sum: (shared) => [0, 1].map((k) => ops.addN(shared.map((parts) => parts[k]!))),
    finish: ([byKeys, byVector]) => ({
      keys: ops.transpose(byKeys!, [1, 0, 2]),
      vector: ops.reshape(byVector!, [size]),
    }),
  };
}
