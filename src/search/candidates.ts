import { DragomanError } from '../errors.js';
import type { MetricStatistics } from '../metrics/metric.js';

/**
 * Candidates of many sentences as numbers, which is all that learning weights needs: no text is kept. Rows are
 * candidates, sentence after sentence, in the order of their lists.
 */
export interface CandidateTable {
  /** Names of the features, one a column. */
  readonly names: readonly string[];
  /** [sentences + 1] first row of each sentence, at least one each, and behind the last the number of rows. */
  readonly starts: Int32Array;
  /** [rows, features] */
  readonly features: Float64Array;
  /** [rows, statistics] what the metric needs to know of each candidate (metrics/metric.ts). */
  readonly statistics: Float64Array;
}

/** Numbers that grow at the end: 8 bytes a number. */
class Numbers {
  #values = new Float64Array(4096);
  #size = 0;

  push(more: ArrayLike<number>): void {
    const size = this.#size + more.length;
    if (size > this.#values.length) {
      const values = new Float64Array(Math.max(size, 2 * this.#values.length));
      values.set(this.#values.subarray(0, this.#size));
      this.#values = values;
    }
    this.#values.set(more, this.#size);
    this.#size = size;
  }

  /** A view of what is there. */
  get values(): Float64Array {
    return this.#values.subarray(0, this.#size);
  }
}

/** Collects a {@link CandidateTable} list by list. */
export class CandidateCollector {
  readonly #features = new Numbers();
  readonly #statistics = new Numbers();
  readonly #starts: number[] = [0];
  #rows = 0;

  constructor(
    readonly names: readonly string[],
    readonly statisticsSize: number,
  ) {}

  get rows(): number {
    return this.#rows;
  }

  /** A candidate of the sentence that is being collected. */
  add(features: ArrayLike<number>, statistics: MetricStatistics): void {
    if (features.length !== this.names.length || statistics.length !== this.statisticsSize) {
      throw new DragomanError(
        'usage',
        `expected ${this.names.length} features and ${this.statisticsSize} statistics of a candidate, ` +
          `got ${features.length} and ${statistics.length}`,
      );
    }
    this.#features.push(features);
    this.#statistics.push(statistics);
    this.#rows++;
  }

  /** The sentence is complete: the next candidate belongs to another. */
  endSentence(): void {
    if (this.#starts.at(-1) === this.#rows) {
      throw new DragomanError('usage', 'expected at least one candidate of every sentence, got none');
    }
    this.#starts.push(this.#rows);
  }

  /** A sentence without candidates: its only choice is the empty translation, of these statistics. */
  addEmpty(statistics: MetricStatistics): void {
    this.add(new Float64Array(this.names.length), statistics);
    this.endSentence();
  }

  table(): CandidateTable {
    return {
      names: this.names,
      starts: Int32Array.from(this.#starts),
      features: this.#features.values,
      statistics: this.#statistics.values,
    };
  }
}

/** The statistics of one row. */
export function rowStatistics({ starts, statistics }: CandidateTable, row: number): number[] {
  const size = statistics.length / starts.at(-1)!;
  return Array.from(statistics.subarray(row * size, (row + 1) * size));
}

/** Adds `factor` times the statistics of a row to a sum. */
export function addRow(sum: number[], { statistics }: CandidateTable, row: number, factor: 1 | -1): void {
  const size = sum.length;
  for (let i = 0, at = row * size; i < size; i++, at++) sum[i]! += factor * statistics[at]!;
}

/** The value of each row: the weighted sum of its features, added up in the order of the columns. */
export function rowScores(table: CandidateTable, weights: ArrayLike<number>): Float64Array {
  const { features, names } = table;
  const columns = names.length;
  const scores = new Float64Array(table.starts.at(-1)!);
  for (let row = 0, at = 0; row < scores.length; row++) {
    let score = 0;
    for (let column = 0; column < columns; column++, at++) score += weights[column]! * features[at]!;
    scores[row] = score;
  }
  return scores;
}

/** [sentences] The best row of each sentence under the weights, of equal ones the first, as reranking has it. */
export function bestRows(table: CandidateTable, weights: ArrayLike<number>): Int32Array {
  const scores = rowScores(table, weights);
  const { starts } = table;
  const best = new Int32Array(starts.length - 1);
  for (let sentence = 0; sentence < best.length; sentence++) {
    let chosen = starts[sentence]!;
    for (let row = chosen + 1; row < starts[sentence + 1]!; row++) {
      if (scores[row]! > scores[chosen]!) chosen = row;
    }
    best[sentence] = chosen;
  }
  return best;
}

/** The summed statistics of a choice of rows. */
export function choiceStatistics(table: CandidateTable, rows: ArrayLike<number>): number[] {
  const sum = new Array<number>(table.statistics.length / table.starts.at(-1)!).fill(0);
  for (let i = 0; i < rows.length; i++) addRow(sum, table, rows[i]!, 1);
  return sum;
}
