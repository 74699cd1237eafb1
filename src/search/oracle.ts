import type { ScoreOf } from '../metrics/bootstrap.js';
import type { MetricStatistics } from '../metrics/metric.js';
import { addRow, type CandidateTable, choiceStatistics } from './candidates.js';

/**
 * The oracle of n-best lists in one pass: of each list the candidate that, added to those chosen before, makes the
 * corpus score highest. The score of a corpus is no sum over sentences, so the best choice of all would take trying
 * every combination; this greedy one is a lower bound, near it in practice.
 */
export class GreedyOracle {
  #sum: number[] | null = null;

  /** @param objective Higher is better. */
  constructor(readonly objective: ScoreOf) {}

  /** Chooses of the next list, of equal candidates the first. Returns its position. */
  choose(candidates: readonly MetricStatistics[]): number {
    const sum = this.#sum ?? new Array<number>(candidates[0]!.length).fill(0);
    let best = 0;
    let highest = Number.NEGATIVE_INFINITY;
    for (const [i, candidate] of candidates.entries()) {
      const score = this.objective(sum.map((value, k) => value + candidate[k]!));
      if (score > highest) {
        best = i;
        highest = score;
      }
    }
    this.#sum = sum.map((value, k) => value + candidates[best]![k]!);
    return best;
  }
}

/** Passes at most; they end when no choice changes, mostly after three to five. */
const MOST_PASSES = 50;

/**
 * The oracle of a table in memory: passes over the sentences, each taking the candidate that makes the score of the
 * whole corpus highest, all other choices staying, until none changes. No single exchange improves the result; a
 * combination of several still might, so it is a lower bound too.
 *
 * @param start [sentences] the choice to begin with
 * @returns [sentences] the chosen rows
 */
export function oracleRows(table: CandidateTable, objective: ScoreOf, start: Int32Array): Int32Array {
  const chosen = start.slice();
  const sum = choiceStatistics(table, chosen);
  let score = objective(sum);
  for (let pass = 0, changed = true; changed && pass < MOST_PASSES; pass++) {
    changed = false;
    for (let sentence = 0; sentence < chosen.length; sentence++) {
      for (let row = table.starts[sentence]!; row < table.starts[sentence + 1]!; row++) {
        const before = chosen[sentence]!;
        if (row === before) continue;
        addRow(sum, table, before, -1);
        addRow(sum, table, row, 1);
        const other = objective(sum);
        if (other > score) {
          chosen[sentence] = row;
          score = other;
          changed = true;
        } else {
          addRow(sum, table, row, -1);
          addRow(sum, table, before, 1);
        }
      }
    }
  }
  return chosen;
}
