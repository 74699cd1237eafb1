/**
 * A binary heap of pairs with the count that each had when it was put in. `before` orders two entries with the
 * same count.
 */
export class PairQueue {
  readonly #pairs: number[] = [];
  readonly #counts: number[] = [];
  readonly #before: (a: number, b: number) => boolean;

  constructor(before: (a: number, b: number) => boolean) {
    this.#before = before;
  }

  push(pair: number, count: number): void {
    let at = this.#pairs.length;
    this.#pairs.push(pair);
    this.#counts.push(count);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#precedes(pair, count, parent)) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#pairs[at] = pair;
    this.#counts[at] = count;
  }

  /** Takes the first entry out; null if there is none. */
  pop(): { pair: number; count: number } | null {
    if (this.#pairs.length === 0) return null;
    const first = { pair: this.#pairs[0]!, count: this.#counts[0]! };
    const pair = this.#pairs.pop()!;
    const count = this.#counts.pop()!;
    const size = this.#pairs.length;
    if (size === 0) return first;
    let at = 0;
    for (let child = 1; child < size; child = 2 * at + 1) {
      const other = child + 1;
      if (other < size && this.#precedes(this.#pairs[other]!, this.#counts[other]!, child)) child = other;
      if (this.#precedes(pair, count, child)) break;
      this.#move(child, at);
      at = child;
    }
    this.#pairs[at] = pair;
    this.#counts[at] = count;
    return first;
  }

  #precedes(pair: number, count: number, entry: number): boolean {
    const other = this.#counts[entry]!;
    return count !== other ? count > other : this.#before(pair, this.#pairs[entry]!);
  }

  #move(from: number, to: number): void {
    this.#pairs[to] = this.#pairs[from]!;
    this.#counts[to] = this.#counts[from]!;
  }
}
