/** One translation as the model's ids. */
export interface Hypothesis {
  /** Target ids without EOS. */
  readonly tokens: Int32Array;
  /** ln P(target | source): the sum of `tokenScores`. */
  readonly score: number;
  /** ln P of each token given those before it, EOS last: one more than `tokens`. */
  readonly tokenScores: Float32Array;
  /** What the hypotheses are ranked by when a length or coverage penalty is on (penalty.ts); else null. */
  readonly normalised: number | null;
  /** For each token the source token (from 0) with the most attention, -1 where the source is empty; null unless asked for. */
  readonly alignment: Int32Array | null;
  /** EOS was not chosen but forced, because the length limit was reached. */
  readonly limited: boolean;
}

/** No node: the parent of a first token. */
export const ROOT = -1;

/**
 * Every token that a search has kept, each pointing at the one before it, in growing typed arrays: a step costs
 * no objects, and hypotheses that share a beginning share its nodes.
 */
export class Trellis {
  #parents = new Int32Array(1024);
  #tokens = new Int32Array(1024);
  #scores = new Float64Array(1024);
  #sources = new Int32Array(1024);
  #size = 0;

  /** Adds a token; `source` is the source token it is aligned to, or -1. Returns its node. */
  add(parent: number, token: number, score: number, source: number): number {
    if (this.#size === this.#parents.length) this.#grow();
    const node = this.#size++;
    this.#parents[node] = parent;
    this.#tokens[node] = token;
    this.#scores[node] = score;
    this.#sources[node] = source;
    return node;
  }

  /** The hypothesis whose last token is `node` (or no token: {@link ROOT}), ended by an EOS of this score. */
  finish(
    node: number,
    eosScore: number,
    given: { score: number; normalised: number | null; alignment: boolean; limited: boolean },
  ): Hypothesis {
    let length = 0;
    for (let at = node; at !== ROOT; at = this.#parents[at]!) length++;
    const tokens = new Int32Array(length);
    const tokenScores = new Float32Array(length + 1);
    const alignment = given.alignment ? new Int32Array(length) : null;
    tokenScores[length] = eosScore;
    for (let at = node, i = length - 1; at !== ROOT; at = this.#parents[at]!, i--) {
      tokens[i] = this.#tokens[at]!;
      tokenScores[i] = this.#scores[at]!;
      if (alignment) alignment[i] = this.#sources[at]!;
    }
    return {
      tokens,
      tokenScores,
      alignment,
      score: given.score,
      normalised: given.normalised,
      limited: given.limited,
    };
  }

  #grow(): void {
    const size = this.#size * 2;
    const parents = new Int32Array(size);
    parents.set(this.#parents);
    this.#parents = parents;
    const tokens = new Int32Array(size);
    tokens.set(this.#tokens);
    this.#tokens = tokens;
    const scores = new Float64Array(size);
    scores.set(this.#scores);
    this.#scores = scores;
    const sources = new Int32Array(size);
    sources.set(this.#sources);
    this.#sources = sources;
  }
}
