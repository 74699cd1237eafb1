import type { ScoreOf } from '../metrics/bootstrap.js';
import { addRow, type CandidateTable, choiceStatistics, rowScores } from './candidates.js';

/** The best place on a line through weight space. */
export interface LinePoint {
  /** How far to go along the direction: weights + step · direction. */
  readonly step: number;
  /** The objective there. */
  readonly score: number;
}

/** Two crossings nearer than this (relative to their size) are one: no weights of 64 bits lie safely between. */
const RESOLUTION = 1e-9;

/** How many times further than the outermost crossing a step beyond all of them goes. */
const BEYOND = 2;

/**
 * Exact line search of minimum error rate training (Och 2003, section 5; the envelope as in Macherey et al. 2008).
 * On the line weights + x · direction a candidate's score is itself a line in x,
 *
 *     w · f + x (d · f),
 *
 * so the chosen candidate of a sentence changes only where the upper envelope of its candidates' lines has a corner.
 * The corners of all sentences cut the line into intervals on which the corpus metric is constant; a sweep from left
 * to right keeps its statistics up to date and sees every one of them.
 *
 * Returns the middle of the widest stretch with the highest score.
 */
export function searchLine(
  table: CandidateTable,
  weights: ArrayLike<number>,
  direction: ArrayLike<number>,
  objective: ScoreOf,
): LinePoint {
  const corners = cornersOf(table, rowScores(table, weights), rowScores(table, direction));
  const { positions, before, after, sum } = corners;
  const order = Uint32Array.from(positions.keys()).sort((a, b) => positions[a]! - positions[b]!);
  const furthest = positions.reduce((most, x) => Math.max(most, Math.abs(x)), 0.5);
  const edge = BEYOND * furthest;

  let best: LinePoint = { step: 0, score: Number.NEGATIVE_INFINITY };
  let bestWidth = 0;
  let left = -edge;
  let score = objective(sum);
  /** The stretch from `left` to `right` has this score: is it the best one? */
  const close = (right: number): void => {
    const width = right - left;
    if (score > best.score || (score === best.score && width > bestWidth)) {
      best = { step: (left + right) / 2, score };
      bestWidth = width;
    }
  };
  for (let i = 0; i < order.length; ) {
    const position = positions[order[i]!]!;
    for (const limit = position + RESOLUTION * Math.max(1, Math.abs(position)); i < order.length; i++) {
      const corner = order[i]!;
      if (positions[corner]! > limit) break;
      addRow(sum, table, before[corner]!, -1);
      addRow(sum, table, after[corner]!, 1);
    }
    const next = objective(sum);
    if (next === score) continue;
    close(position);
    left = positions[order[i - 1]!]!;
    score = next;
  }
  close(edge);
  return best;
}

/** Every corner of every sentence's envelope. */
interface Corners {
  /** [corners] where on the line. */
  readonly positions: Float64Array;
  /** [corners] the row that is best left of it, and the one right of it. */
  readonly before: Int32Array;
  readonly after: Int32Array;
  /** [statistics] of the choices at the left end of the line. */
  readonly sum: number[];
}

function cornersOf(table: CandidateTable, intercepts: Float64Array, slopes: Float64Array): Corners {
  const { starts } = table;
  const positions = new Float64Array(intercepts.length);
  const before = new Int32Array(intercepts.length);
  const after = new Int32Array(intercepts.length);
  const first = new Int32Array(starts.length - 1);
  let count = 0;
  for (let sentence = 0; sentence + 1 < starts.length; sentence++) {
    const envelope = upperEnvelope(intercepts, slopes, starts[sentence]!, starts[sentence + 1]!);
    first[sentence] = envelope.rows[0]!;
    for (let i = 1; i < envelope.rows.length; i++, count++) {
      positions[count] = envelope.positions[i]!;
      before[count] = envelope.rows[i - 1]!;
      after[count] = envelope.rows[i]!;
    }
  }
  return {
    positions: positions.subarray(0, count),
    before: before.subarray(0, count),
    after: after.subarray(0, count),
    sum: choiceStatistics(table, first),
  };
}

/** The lines that are on top somewhere, from left to right, and where each begins to be (the first: -∞). */
interface Envelope {
  readonly rows: readonly number[];
  readonly positions: readonly number[];
}

/**
 * Upper envelope of the lines `intercepts[row] + x · slopes[row]`, rows `start` to `end`, walked from left to right
 * (Och 2003): from each line to the steeper one that it meets first. O(n) a corner, of which there are few.
 */
export function upperEnvelope(
  intercepts: Float64Array,
  slopes: Float64Array,
  start: number,
  end: number,
): Envelope {
  // Leftmost the least steep line is on top; of equally steep ones the highest, of equal lines the first, which is
  // what reranking prefers among equals.
  let top = start;
  for (let row = start + 1; row < end; row++) {
    const steeper = slopes[row]! - slopes[top]!;
    if (steeper < 0 || (steeper === 0 && intercepts[row]! > intercepts[top]!)) top = row;
  }
  const rows = [top];
  const positions = [Number.NEGATIVE_INFINITY];
  for (;;) {
    let next = -1;
    let position = Number.POSITIVE_INFINITY;
    for (let row = start; row < end; row++) {
      const steeper = slopes[row]! - slopes[top]!;
      if (!(steeper > 0)) continue;
      const meeting = (intercepts[top]! - intercepts[row]!) / steeper;
      // Of those it meets in one point the steepest is on top behind it.
      if (meeting < position || (meeting === position && isAbove(row, next))) {
        next = row;
        position = meeting;
      }
    }
    if (next < 0) return { rows, positions };
    rows.push(next);
    positions.push(position);
    top = next;
  }

  function isAbove(row: number, other: number): boolean {
    if (other < 0) return false;
    const steeper = slopes[row]! - slopes[other]!;
    return steeper > 0 || (steeper === 0 && intercepts[row]! > intercepts[other]!);
  }
}
