import { setImmediate } from 'node:timers/promises';
import { DragomanError } from '../errors.js';
import type { ScoreOf } from '../metrics/bootstrap.js';
import { Random } from '../random.js';
import { bestRows, type CandidateTable, choiceStatistics } from './candidates.js';
import { searchLine } from './line-search.js';

export interface MertOptions {
  /** [features] where the first run begins. */
  readonly initial: ArrayLike<number>;
  /** Further runs, each from a random point. */
  readonly restarts: number;
  /** Random directions searched in each pass, besides the axis of every feature. */
  readonly randomDirections: number;
  readonly seed: number;
  /** Called after each run, the first is 0. */
  readonly onRun?: (run: MertRun) => void;
}

/** One run from one starting point. */
export interface MertRun {
  readonly run: number;
  /** The objective at its start and at its end. */
  readonly from: number;
  readonly to: number;
}

export interface MertResult {
  /** [features] weights of the features as they are, their absolute values summing to 1. */
  readonly weights: Float64Array;
  /** The objective of exactly these weights. */
  readonly score: number;
  readonly runs: readonly MertRun[];
  /** Features that differ between no two candidates of a sentence: no weight of theirs changes anything; it is 0. */
  readonly constant: readonly string[];
  /** Features that are equal to an earlier one everywhere, which has the weight of both; theirs is 0. */
  readonly repeated: readonly string[];
}

/** Weights, and the objective of their best candidates. */
interface Point {
  readonly weights: Float64Array;
  readonly score: number;
}

/** A pass over all directions that gains less than this, in points of the metric, is the last. */
const SMALLEST_GAIN = 1e-6;
/** Passes of one run at most; real runs end after two to ten. */
const MOST_PASSES = 100;

/**
 * Minimum error rate training (Och 2003): the weights whose best candidates score highest by a corpus metric.
 * From each start, exact line searches ({@link searchLine}) along the axis of every feature and along random
 * directions, in random order, each move taken at once, until a pass gains nothing. The objective has many local
 * optima: the best of several runs wins. The same seed gives the same weights.
 *
 * Directions are scaled by how much a feature varies among the candidates of a sentence, so that log-probabilities
 * and lengths are searched alike; the weights returned apply to the features as they are.
 *
 * @throws DragomanError `input` where there is nothing to choose between
 */
export async function mert(
  table: CandidateTable,
  objective: ScoreOf,
  options: MertOptions,
): Promise<MertResult> {
  const scales = withinSentenceDeviation(table);
  const varying = [...scales.keys()].filter((i) => scales[i]! > 0);
  const first = firstEqual(table);
  const free = varying.filter((i) => first[i] === i);
  if (free.length === 0) {
    throw new DragomanError(
      'input',
      'expected features that tell candidates of a sentence apart, got none: there is nothing to learn',
    );
  }
  const random = new Random(options.seed);
  const evaluate = (weights: ArrayLike<number>): number =>
    objective(choiceStatistics(table, bestRows(table, weights)));
  const randomDirection = (): Float64Array => {
    const direction = new Float64Array(scales.length);
    for (const i of free) direction[i] = random.normal() / scales[i]!;
    return direction;
  };

  const climb = async (start: Point): Promise<Point> => {
    let at = start;
    for (let pass = 0; pass < MOST_PASSES; pass++) {
      // Signals and progress have their turn.
      await setImmediate();
      const before = at.score;
      const directions = free.map((i): Float64Array => {
        const axis = new Float64Array(scales.length);
        axis[i] = 1 / scales[i]!;
        return axis;
      });
      for (let i = 0; i < options.randomDirections; i++) directions.push(randomDirection());
      for (const direction of random.shuffle(directions)) {
        const { step, score } = searchLine(table, at.weights, direction, objective);
        if (!(score > at.score)) continue;
        const weights = unitLength(
          at.weights.map((w, i) => w + step * direction[i]!),
          scales,
        );
        // What counts is what reranking with these weights will do, rounding errors included.
        const real = evaluate(weights);
        if (real > at.score) at = { weights, score: real };
      }
      if (!(at.score > before + SMALLEST_GAIN)) break;
    }
    return at;
  };

  const runs: MertRun[] = [];
  let best: Point = { weights: new Float64Array(scales.length), score: Number.NEGATIVE_INFINITY };
  for (let run = 0; run <= options.restarts; run++) {
    const start = run === 0 ? givenStart(options.initial, first, scales) : randomDirection();
    const from = evaluate(start);
    const found = await climb({ weights: unitLength(start, scales), score: from });
    runs.push({ run, from, to: found.score });
    if (found.score > best.score) best = found;
    options.onRun?.(runs.at(-1)!);
  }
  const rounded = roundWeights(best.weights, evaluate, best.score);
  return {
    ...rounded,
    runs,
    constant: table.names.filter((_, i) => !(scales[i]! > 0)),
    repeated: varying.filter((i) => first[i] !== i).map((i) => table.names[i]!),
  };
}

/** [features] root of the mean over all candidates of the squared distance from their sentence's mean. */
function withinSentenceDeviation({ names, starts, features }: CandidateTable): Float64Array {
  const columns = names.length;
  const squares = new Float64Array(columns);
  for (let sentence = 0; sentence + 1 < starts.length; sentence++) {
    const [start, end] = [starts[sentence]!, starts[sentence + 1]!];
    for (let column = 0; column < columns; column++) {
      let mean = 0;
      let varies = false;
      const first = features[start * columns + column]!;
      for (let row = start; row < end; row++) {
        const value = features[row * columns + column]!;
        mean += value / (end - start);
        if (value !== first) varies = true;
      }
      // The mean of equal values can differ from them by rounding, which is no variation.
      if (!varies) continue;
      for (let row = start; row < end; row++)
        squares[column]! += (features[row * columns + column]! - mean) ** 2;
    }
  }
  const rows = starts.at(-1)!;
  return squares.map((sum) => Math.sqrt(sum / rows));
}

/** [features] the first column that has in every row what this one has: mostly itself. */
function firstEqual({ names, features }: CandidateTable): Int32Array {
  return Int32Array.from(names.keys(), (column) => {
    for (let earlier = 0; earlier < column; earlier++) {
      let row = 0;
      while (row < features.length && features[row + earlier] === features[row + column]) row += names.length;
      if (row >= features.length) return earlier;
    }
    return column;
  });
}

/**
 * The given weights: those of constant features 0, of repeated ones with the first. Where nothing is left, equal ones.
 */
function givenStart(initial: ArrayLike<number>, first: Int32Array, scales: Float64Array): Float64Array {
  const start = new Float64Array(scales.length);
  for (const [i, column] of first.entries()) if (scales[i]! > 0) start[column]! += initial[i]!;
  if (start.every((w) => w === 0)) {
    for (const [i, column] of first.entries()) if (scales[i]! > 0 && column === i) start[i] = 1 / scales[i]!;
  }
  return start;
}

/** The same direction, of length 1 in the scaled space, so that steps of line searches stay comparable. */
function unitLength(weights: Float64Array, scales: Float64Array): Float64Array {
  const length = Math.hypot(...weights.map((w, i) => w * scales[i]!));
  return length > 0 ? weights.map((w) => w / length) : weights;
}

/** Weights whose absolute values sum to 1, with as few digits as keep the score. */
function roundWeights(
  weights: Float64Array,
  evaluate: (weights: Float64Array) => number,
  score: number,
): { weights: Float64Array; score: number } {
  const sum = weights.reduce((total, w) => total + Math.abs(w), 0);
  for (const digits of [4, 6, 9, 12]) {
    const rounded = weights.map((w) => Number((w / sum).toPrecision(digits)));
    const real = evaluate(rounded);
    if (real >= score) return { weights: rounded, score: real };
  }
  return { weights, score };
}
