import { type Alignment, BeamEditDistance } from './beam-edit-distance.js';
import { editDistance } from './edit-distance.js';

/** Tercom's limits: words moved at once, and how far the reference's words may be from the hypothesis'. */
const LONGEST_SHIFT = 10;
const FARTHEST_SHIFT = 50;
/** sacreBLEU's own limit, of all rounds of a sentence together; the round that reaches it does not count. */
const MOST_CANDIDATES = 1000;

/**
 * The fewest edits found that turn the hypothesis into the reference (Snover et al. 2006): insertions, deletions and
 * substitutions of a word, and shifts of a phrase, each for 1. Finding the fewest is NP-complete; the search is
 * tercom's: while it lowers the edit distance, make the one shift that lowers it most. Which phrases may go where,
 * and which of equal shifts wins, follows sacreBLEU, so that the figures are equal.
 */
export function translationEdits(hypothesis: readonly string[], reference: readonly string[]): number {
  if (reference.length === 0) return hypothesis.length;
  const numbers = new Map<string, number>();
  const number = (word: string): number => {
    const known = numbers.get(word);
    if (known !== undefined) return known;
    numbers.set(word, numbers.size);
    return numbers.size - 1;
  };
  const target = Int32Array.from(reference, number);
  let words: Int32Array = Int32Array.from(hypothesis, number);
  const distances = new BeamEditDistance(target, words.length);
  let left = MOST_CANDIDATES;
  for (let shifts = 0; ; shifts++) {
    const alignment = distances.align(words);
    const { candidates, count } = possibleShifts(words, target, alignment, left);
    left -= count;
    const shifted = left > 0 ? bestShift(words, target, alignment.distance, candidates, distances) : null;
    if (shifted === null) return shifts + alignment.distance;
    words = shifted;
  }
}

/** Shifts of one round, and how many of sacreBLEU's candidates they are: it counts equal ones again. */
interface Candidates {
  /** Packed and in the order in which they win over equally good ones, see {@link pack}. */
  readonly candidates: Float64Array;
  readonly count: number;
}

/** What may be shifted where; after `most` candidates it stops looking. */
function possibleShifts(
  words: Int32Array,
  target: Int32Array,
  { beside, hypothesisErrors, referenceErrors }: Alignment,
  most: number,
): Candidates {
  const found: number[] = [];
  for (const { from, at, length } of matchingPhrases(words, target)) {
    // Only a phrase with a wrong word, to a place where the reference is not matched, and not into itself.
    if (!hypothesisErrors.subarray(from, from + length).includes(1)) continue;
    if (!referenceErrors.subarray(at, at + length).includes(1)) continue;
    if (beside[at]! >= from && beside[at]! < from + length) continue;
    // To where the reference's word before the phrase stands, or any word of the phrase.
    let last = -1;
    for (let offset = -1; offset < length; offset++) {
      const to = at + offset === -1 ? 0 : beside[at + offset]! + 1;
      if (to === last) continue;
      last = to;
      found.push(pack({ from, length, to }, words.length));
    }
    if (found.length >= most) break;
  }
  return { candidates: Float64Array.from(new Set(found)).sort(), count: found.length };
}

/** Moves `length` words at `from` to `to`. */
interface Shift {
  readonly from: number;
  readonly length: number;
  readonly to: number;
}

/** A shift as a number. Of equally good ones the smallest wins: longer phrases, then from further left, then to there. */
function pack({ from, length, to }: Shift, words: number): number {
  return ((LONGEST_SHIFT - length) * (words + 1) + from) * (words + 1) + to;
}

function unpack(packed: number, words: number): Shift {
  const rest = Math.floor(packed / (words + 1));
  const from = rest % (words + 1);
  return { from, length: LONGEST_SHIFT - Math.floor(rest / (words + 1)), to: packed % (words + 1) };
}

/** The hypothesis after the shift that lowers its edit distance most; null if none lowers it. */
function bestShift(
  words: Int32Array,
  target: Int32Array,
  distance: number,
  candidates: Float64Array,
  distances: BeamEditDistance,
): Int32Array | null {
  if (candidates.length === 0) return null;
  // Moving n words changes the edit distance by at most 2 n: each is deleted here and inserted there. The beam may have
  // missed a shorter way so far, and find it then.
  const missed = distances.exact(distance) ? 0 : distance - editDistance(words, target);
  let gain = 0;
  let trial = new Int32Array(words.length);
  let chosen: Int32Array<ArrayBuffer> | null = null;
  for (const packed of candidates) {
    const shift = unpack(packed, words.length);
    if (2 * shift.length + missed <= gain) break; // those that follow are no longer
    const { start, end } = move(words, shift, trial);
    const found = distance - distances.atMost(distance - gain - 1, trial, start, end);
    if (found <= gain) continue;
    gain = found;
    const free = chosen ?? new Int32Array(words.length);
    chosen = trial;
    trial = free;
  }
  return chosen;
}

/** Phrases that both sides have, `words[from + k] = target[at + k]` for k below `length`, of every length. */
function* matchingPhrases(
  words: Int32Array,
  target: Int32Array,
): Generator<{ readonly from: number; readonly at: number; readonly length: number }> {
  for (let from = 0; from < words.length; from++) {
    const end = Math.min(target.length - 1, from + FARTHEST_SHIFT);
    for (let at = Math.max(0, from - FARTHEST_SHIFT); at <= end; at++) {
      const longest = Math.min(LONGEST_SHIFT, words.length - from, target.length - at);
      for (let length = 1; length <= longest; length++) {
        if (words[from + length - 1] !== target[at + length - 1]) break;
        yield { from, at, length };
      }
    }
  }
}

/**
 * Writes the words to `out` with the phrase moved before the word that stands at `to`. A `to` inside the phrase counts
 * from its start in the words that follow it, as tercom has it. Returns the bounds of what changes.
 */
function move(
  words: Int32Array,
  { from, length, to }: Shift,
  out: Int32Array,
): { start: number; end: number } {
  const phrase = words.subarray(from, from + length);
  out.set(words);
  if (to < from) {
    out.set(phrase, to);
    out.set(words.subarray(to, from), to + length);
    return { start: to, end: from + length };
  }
  const end = to > from + length ? to : Math.min(to + length, words.length);
  out.set(words.subarray(from + length, end), from);
  out.set(phrase, end - length);
  return { start: from, end };
}
