/** Tercom looks only so far to either side of the table's diagonal. */
const BEAM = 25;
/** What cells outside the beam cost; no distance reaches it. */
const UNREACHED = 2 ** 29;

/** What the cheapest way of turning a hypothesis into the reference says of their words. */
export interface Alignment {
  readonly distance: number;
  /** Of each reference word the hypothesis word it stands beside or, if it was inserted, after; -1 before the first. */
  readonly beside: Int32Array;
  /** 1 for the words that are not matched. */
  readonly hypothesisErrors: Uint8Array;
  readonly referenceErrors: Uint8Array;
}

/**
 * Edit distance as TER computes it: Levenshtein's table, but only its cells near the diagonal, whose slope is the
 * ratio of the lengths. The beam follows sacreBLEU, which departs from tercom's here. Words are numbers, equal for
 * equal words. One object serves all hypotheses of one length against one reference.
 */
export class BeamEditDistance {
  readonly #reference: Int32Array;
  readonly #length: number;
  /** Columns of the beam by row: from `low` up to but without `high`. */
  readonly #low: Int32Array;
  readonly #high: Int32Array;
  /** Where each row's beam begins in the tables, which hold the beams one after the other. */
  readonly #begin: Int32Array;
  /** Of the hypothesis last aligned: what it costs to come to a cell, and to go on from it to the end. */
  readonly #table: Int32Array;
  readonly #onward: Int32Array;
  /** Two whole rows, to go from one to the next. */
  readonly #rows: readonly [Int32Array, Int32Array];

  /** @param reference At least one word. */
  constructor(reference: Int32Array, hypothesisLength: number) {
    this.#reference = reference;
    this.#length = hypothesisLength;
    const width = reference.length + 1;
    const ratio = hypothesisLength === 0 ? 1 : reference.length / hypothesisLength;
    // A steep diagonal would otherwise leave the beams of two rows without overlap.
    const beam = BEAM < ratio / 2 ? Math.ceil(ratio / 2 + BEAM) : BEAM;
    this.#low = new Int32Array(hypothesisLength + 1);
    this.#high = new Int32Array(hypothesisLength + 1);
    this.#begin = new Int32Array(hypothesisLength + 1);
    let cells = 0;
    for (let row = 0; row <= hypothesisLength; row++) {
      const diagonal = Math.floor(row * ratio);
      const whole = row === 0 || row === hypothesisLength;
      this.#low[row] = Math.max(0, diagonal - beam);
      this.#high[row] = whole ? width : Math.min(width, diagonal + beam);
      this.#begin[row] = cells;
      cells += this.#high[row]! - this.#low[row]!;
    }
    this.#table = new Int32Array(cells);
    this.#onward = new Int32Array(cells);
    for (let column = 0; column < width; column++) this.#table[column] = column;
    this.#rows = [new Int32Array(width), new Int32Array(width)];
  }

  /** Aligns a hypothesis, whose tables {@link atMost} uses afterwards. */
  align(hypothesis: Int32Array): Alignment {
    let [previous, current] = this.#rows;
    this.#load(0, previous);
    for (let row = 1; row <= this.#length; row++) {
      this.#fill(row, hypothesis[row - 1]!, previous, current);
      this.#table.set(current.subarray(this.#low[row], this.#high[row]), this.#begin[row]);
      [previous, current] = [current, previous];
    }
    this.#fillOnward(hypothesis);
    return this.#trace(hypothesis);
  }

  /**
   * The distance of another hypothesis of the same length, if it is at most `limit`; else any larger number, as soon
   * as it is sure.
   *
   * @param from, end The words from `from` up to but without `end` differ from those of the hypothesis last aligned.
   *   What comes before and after is in its tables.
   */
  atMost(limit: number, hypothesis: Int32Array, from: number, end: number): number {
    let [previous, current] = this.#rows;
    this.#load(from, previous);
    for (let row = from + 1; row <= end; row++) {
      const least = this.#fill(row, hypothesis[row - 1]!, previous, current);
      if (least > limit) return least;
      [previous, current] = [current, previous];
    }
    const low = this.#low[end]!;
    const begin = this.#begin[end]! - low;
    let distance = UNREACHED;
    for (let column = low; column < this.#high[end]!; column++) {
      distance = Math.min(distance, previous[column]! + this.#onward[begin + column]!);
    }
    return distance;
  }

  /** The table of what is left to pay, from the last row to the first. */
  #fillOnward(hypothesis: Int32Array): void {
    const reference = this.#reference;
    const onward = this.#onward;
    for (let row = this.#length; row >= 0; row--) {
      const low = this.#low[row]!;
      const begin = this.#begin[row]! - low;
      // The beam of the row below, if there is one.
      const last = row === this.#length;
      const belowLow = last ? 0 : this.#low[row + 1]!;
      const belowHigh = last ? 0 : this.#high[row + 1]!;
      const below = last ? 0 : this.#begin[row + 1]! - belowLow;
      let right = UNREACHED;
      for (let column = this.#high[row]! - 1; column >= low; column--) {
        let cost = last && column === reference.length ? 0 : UNREACHED;
        if (column + 1 >= belowLow && column + 1 < belowHigh) {
          cost = onward[below + column + 1]! + (hypothesis[row] === reference[column] ? 0 : 1);
        }
        if (column >= belowLow && column < belowHigh) cost = Math.min(cost, onward[below + column]! + 1);
        cost = Math.min(cost, right + 1);
        onward[begin + column] = cost;
        right = cost;
      }
    }
  }

  /**
   * Whether a distance that {@link align} found is surely that of the whole table: a way of so few insertions and
   * deletions strays less from the diagonal than the beam reaches.
   */
  exact(distance: number): boolean {
    return distance < BEAM;
  }

  /** Takes a row out of the table. */
  #load(row: number, out: Int32Array): void {
    const begin = this.#begin[row]!;
    out.set(this.#table.subarray(begin, begin + this.#high[row]! - this.#low[row]!), this.#low[row]);
    this.#edge(row, out);
  }

  /** Marks the cells beside the beam that the next row looks at. */
  #edge(row: number, cells: Int32Array): void {
    const low = this.#low[row]!;
    if (low > 0) cells[low - 1] = UNREACHED;
    if (row < this.#length) cells.fill(UNREACHED, this.#high[row]!, this.#high[row + 1]!);
  }

  /** Computes a row from the one before it. Returns a bound that no distance through this row is below. */
  #fill(row: number, word: number, previous: Int32Array, current: Int32Array): number {
    const reference = this.#reference;
    const high = this.#high[row]!;
    // The rest costs at least one insertion or deletion for each word that one side has more.
    const surplus = this.#length - row - reference.length;
    let column = this.#low[row]!;
    let left = UNREACHED;
    let least = UNREACHED;
    if (column === 0) {
      left = previous[0]! + 1;
      current[0] = left;
      least = left + Math.abs(surplus);
      column = 1;
    }
    for (; column < high; column++) {
      let cost = previous[column - 1]!;
      if (word !== reference[column - 1]) cost++;
      if (previous[column]! + 1 < cost) cost = previous[column]! + 1;
      if (left + 1 < cost) cost = left + 1;
      current[column] = cost;
      left = cost;
      const total = cost + Math.abs(surplus + column);
      if (total < least) least = total;
    }
    this.#edge(row, current);
    return least;
  }

  #cost(row: number, column: number): number {
    const low = this.#low[row]!;
    return column < low || column >= this.#high[row]!
      ? UNREACHED
      : this.#table[this.#begin[row]! + column - low]!;
  }

  /** Goes back through the table. */
  #trace(hypothesis: Int32Array): Alignment {
    const reference = this.#reference;
    const beside = new Int32Array(reference.length);
    const hypothesisErrors = new Uint8Array(this.#length).fill(1);
    const referenceErrors = new Uint8Array(reference.length).fill(1);
    let row = this.#length;
    let column = reference.length;
    const distance = this.#cost(row, column);
    while (row > 0 || column > 0) {
      const cost = this.#cost(row, column);
      const same = row > 0 && column > 0 && hypothesis[row - 1] === reference[column - 1];
      // Of equally cheap ways: keep or substitute, then delete, then insert. Tercom prefers insertions, but aligns the
      // other way round.
      if (row > 0 && column > 0 && cost === this.#cost(row - 1, column - 1) + (same ? 0 : 1)) {
        row--;
        column--;
        beside[column] = row;
        if (same) {
          hypothesisErrors[row] = 0;
          referenceErrors[column] = 0;
        }
      } else if (row > 0 && cost === this.#cost(row - 1, column) + 1) {
        row--;
      } else {
        column--;
        beside[column] = row - 1;
      }
    }
    return { distance, beside, hypothesisErrors, referenceErrors };
  }
}
