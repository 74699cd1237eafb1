/** So many different tokens are counted exactly; about half a gigabyte. */
const MOST_TOKENS = 4_000_000;

/**
 * Counts tokens in bounded memory. If there are more than `limit` different ones, the rarest so far are
 * forgotten until half are left (lossy counting, Manku & Motwani 2002): only far below any `maxSize` in rank
 * does a count suffer.
 */
export class TokenCounter {
  readonly #counts = new Map<string, number>();
  readonly #limit: number;

  constructor(limit = MOST_TOKENS) {
    this.#limit = limit;
  }

  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  add(tokens: readonly string[]): void {
    for (const token of tokens) {
      const count = this.#counts.get(token);
      // A piece of a string keeps the whole alive, which is a block of the file: the key is a copy of its own.
      if (count === undefined) this.#counts.set(Buffer.from(token, 'utf16le').toString('utf16le'), 1);
      else this.#counts.set(token, count + 1);
    }
    if (this.#counts.size > this.#limit) this.#forget();
  }

  #forget(): void {
    for (let rare = 1; this.#counts.size > this.#limit / 2; rare++) {
      for (const [token, count] of this.#counts) {
        if (count <= rare) this.#counts.delete(token);
      }
    }
  }
}
