import type { Random } from '../random.js';
import { bestPaths, type Edge } from './best-paths.js';
import { PIECE_TYPES } from './model.js';
import type { PieceTable } from './piece-table.js';
import { type ScoredSegmentation, Segmentation, type WordWiseSegmenter } from './segmentation.js';
import { announcedLength } from './utf8.js';

/** An unknown character scores so much below the worst piece. */
const UNKNOWN_PENALTY = 10;
/** What each further unit of a user-defined symbol adds to its score. */
const SYMBOL_STEP = 0.1;

/** Below this a score rounded to 32 bits is off by at most 2^-13: half of the distance to the next. */
const LARGEST_SUM = 4096;
const ROUNDING = 2 ** -13;
/** Bytes of a word that is still cut on its own. */
const LONGEST_WORD = 32;

/**
 * Segmentation by a unigram language model (Kudo 2018): the score of a segmentation is the sum of its pieces'
 * scores, each ln of a probability; a character that no piece holds alone is an unknown piece. A user-defined symbol
 * scores 0, and 0.1 more for every unit after its first: more than everything that could stand in its place, and the
 * more the longer it is. (Before SentencePiece 0.2.2 it was -0.1.)
 */
export class UnigramSegmenter implements WordWiseSegmenter {
  readonly #table: PieceTable;
  /** What a piece adds to the score, by id, but for user-defined symbols. */
  readonly #scores: Float64Array;
  readonly #unknownScore: number;
  readonly mostPieces: number;

  constructor(table: PieceTable) {
    const scores = table.scores.filter((_, id) => table.types[id] === PIECE_TYPES.normal);
    this.#table = table;
    this.#scores = Float64Array.from(table.scores);
    const worst = scores.reduce((least, score) => Math.min(least, score), 3.4028234663852886e38);
    this.#unknownScore = Math.fround(worst - UNKNOWN_PENALTY);
    // With user-defined symbols a piece's score depends on its length: no bound for all.
    const largest = scores.reduce((most, score) => Math.max(most, Math.abs(score)), -this.#unknownScore);
    this.mostPieces = table.symbols === null ? Math.floor(LARGEST_SUM / largest) - LONGEST_WORD : 0;
  }

  /**
   * Viterbi's algorithm, with sums rounded to 32 bits as Google's are, so that near ties fall as they do there: the
   * first of equals stays. (Up to 0.2.0, and so in sentencepiece-js, a sum was compared before it was rounded.)
   */
  best(bytes: Uint8Array): Segmentation {
    return this.#viterbi(bytes).path;
  }

  /**
   * A word has the same best path alone as within a text, because all paths meet where it begins, but for rounding:
   * what came before it is part of every sum. One sum has at most one rounding a byte, here as there; a best path that
   * leads by more than all of them together, at each place where it meets another, is the best everywhere.
   */
  bestOfWord(bytes: Uint8Array): Segmentation | null {
    if (bytes.length > LONGEST_WORD || this.mostPieces <= 0) return null;
    const { path, lead } = this.#viterbi(bytes);
    return lead > 4 * (bytes.length + 1) * ROUNDING ? path : null;
  }

  /** The best path, and the least by which it is better than the second where two paths meet on it. */
  #viterbi(bytes: Uint8Array): { readonly path: Segmentation; readonly lead: number } {
    const { length } = bytes;
    const best = new Float32Array(length + 1); // score of the best path that ends here
    const second = new Float32Array(length + 1).fill(Number.NEGATIVE_INFINITY);
    const from = new Int32Array(length + 1).fill(-1); // where its last piece begins
    const last = new Int32Array(length + 1); // and that piece's id
    this.#edges(bytes, byteCount, (start, end, id, score) => {
      const sum = Math.fround(best[start]! + score);
      if (from[end] !== -1) {
        if (!(sum > best[end]!)) {
          if (sum > second[end]!) second[end] = sum;
          return;
        }
        second[end] = best[end]!;
      }
      best[end] = sum;
      from[end] = start;
      last[end] = id;
    });
    const path = backtrack(length, (end) => [from[end]!, last[end]!]);
    const lead = path.ends.reduce((least, end) => Math.min(least, best[end]! - second[end]!), Infinity);
    return { path, lead };
  }

  /**
   * A segmentation x with probability proportional to P(x)^strength: forward filtering, backward sampling over all
   * segmentations (Kudo 2018, section 3.2; Scott 2002). 0 draws evenly from all, a large strength the best one.
   */
  sample(bytes: Uint8Array, strength: number, random: Random): Segmentation {
    const { length } = bytes;
    const starts: number[] = [];
    const ids: number[] = [];
    const weights: number[] = []; // ln of the weight of all paths that end with this edge
    const previous: number[] = []; // the edge before it in a list of those that end at the same place
    const lists = new Int32Array(length + 1).fill(-1);
    const totals = new Float64Array(length + 1).fill(Number.NEGATIVE_INFINITY);
    totals[0] = 0;
    this.#edges(bytes, characters, (start, end, id, score) => {
      const weight = totals[start]! + strength * score;
      totals[end] = logAdd(totals[end]!, weight);
      previous.push(lists[end]!);
      lists[end] = starts.length;
      starts.push(start);
      ids.push(id);
      weights.push(weight);
    });
    return backtrack(length, (end) => {
      let edge = lists[end]!;
      // Rounding can leave a little over: the last edge takes it.
      for (let left = random.next(); previous[edge] !== -1; edge = previous[edge]!) {
        left -= Math.exp(weights[edge]! - totals[end]!);
        if (left < 0) break;
      }
      return [starts[edge]!, ids[edge]!];
    });
  }

  /** The `size` best segmentations with their scores, the best first; fewer if there are no more. */
  nbest(bytes: Uint8Array, size: number): ScoredSegmentation[] {
    const edges: Edge[] = [];
    this.#edges(bytes, characters, (start, end, id, score) => {
      edges.push({ start, end, id, score });
    });
    return bestPaths(bytes.length, edges, size).map(({ edges: path, score }) => {
      const segmentation = new Segmentation();
      for (const { id, end } of path) segmentation.push(id, end);
      return { segmentation, score };
    });
  }

  /**
   * Every piece that the text can hold, by where it begins, the shorter ones first.
   *
   * @param lengthOf How user-defined symbols are measured: Google counts bytes where it looks for the best segmentation,
   *   and characters where it looks for several.
   */
  #edges(
    bytes: Uint8Array,
    lengthOf: (bytes: Uint8Array, start: number, end: number) => number,
    visit: (start: number, end: number, id: number, score: number) => void,
  ): void {
    const { trie, unknownId } = this.#table;
    for (let start = 0; start < bytes.length; ) {
      const character = Math.min(start + announcedLength(bytes[start]!), bytes.length);
      let alone = false; // a piece holds this character alone
      let unit = 0;
      for (let end = start + 1; end <= bytes.length; end++) {
        unit = trie.step(unit, bytes[end - 1]!);
        if (unit === 0) break;
        const id = trie.value(unit);
        if (id < 0 || this.#table.isUnused(id)) continue;
        const score = this.#table.isUserDefined(id)
          ? Math.fround(SYMBOL_STEP * (lengthOf(bytes, start, end) - 1))
          : this.#scores[id]!;
        visit(start, end, id, score);
        if (end === character) alone = true;
      }
      if (!alone) visit(start, character, unknownId, this.#unknownScore);
      start = character;
    }
  }
}

function byteCount(_: Uint8Array, start: number, end: number): number {
  return end - start;
}

function characters(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at += announcedLength(bytes[at]!)) count++;
  return count;
}

/** A path from its end: `step` gives the start and id of the piece that ends at a place. */
function backtrack(length: number, step: (end: number) => readonly [number, number]): Segmentation {
  const result = new Segmentation();
  for (let end = length; end > 0; ) {
    const [start, id] = step(end);
    result.push(id, end);
    end = start;
  }
  result.ids.reverse();
  result.ends.reverse();
  return result;
}

/** ln(e^a + e^b) */
function logAdd(a: number, b: number): number {
  if (a === Number.NEGATIVE_INFINITY) return b;
  return Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));
}
