/** Counts of the n-grams of one line, a map for each order. */
export type NgramCounts = readonly ReadonlyMap<string, number>[];

/** One line's n-grams as numbers, order after order. */
interface Numbered {
  readonly ids: Int32Array;
  readonly counts: Int32Array;
  /** Where each order begins, and behind them where the last ends. */
  readonly starts: readonly number[];
}

/**
 * How many n-grams each two of some lines share. Every n-gram is a number, the same in all lines, so that to compare
 * two lines takes no strings: comparing all of 100 candidates with each other is what minimum Bayes risk does.
 */
export class SharedNgrams {
  readonly #lines: readonly Numbered[];
  /** By n-gram, its count in the line loaded last; 0 for those it does not have. */
  readonly #loaded: Int32Array;
  #current = -1;

  constructor(lines: readonly NgramCounts[]) {
    const numbers: Map<string, number>[] = [];
    let size = 0;
    const number = (order: number, ngram: string): number => {
      numbers[order] ??= new Map();
      const ofOrder = numbers[order];
      const known = ofOrder.get(ngram);
      if (known !== undefined) return known;
      ofOrder.set(ngram, size);
      return size++;
    };
    this.#lines = lines.map((orders) => {
      const starts = [0];
      for (const ngrams of orders) starts.push(starts.at(-1)! + ngrams.size);
      const ids = new Int32Array(starts.at(-1)!);
      const counts = new Int32Array(ids.length);
      let at = 0;
      for (const [order, ngrams] of orders.entries()) {
        for (const [ngram, count] of ngrams) {
          ids[at] = number(order, ngram);
          counts[at++] = count;
        }
      }
      return { ids, counts, starts };
    });
    this.#loaded = new Int32Array(size);
  }

  /** By order, how many n-grams the lines `a` and `b` share, one that comes often as often as in both. */
  shared(a: number, b: number): number[] {
    this.#load(a);
    const { ids, counts, starts } = this.#lines[b]!;
    const loaded = this.#loaded;
    const shared = new Array<number>(starts.length - 1).fill(0);
    for (let order = 0; order < shared.length; order++) {
      let sum = 0;
      for (let i = starts[order]!, end = starts[order + 1]!; i < end; i++) {
        sum += Math.min(counts[i]!, loaded[ids[i]!]!);
      }
      shared[order] = sum;
    }
    return shared;
  }

  #load(line: number): void {
    if (line === this.#current) return;
    const before = this.#lines[this.#current];
    if (before !== undefined) for (const id of before.ids) this.#loaded[id] = 0;
    const { ids, counts } = this.#lines[line]!;
    for (let i = 0; i < ids.length; i++) this.#loaded[ids[i]!] = counts[i]!;
    this.#current = line;
  }
}
