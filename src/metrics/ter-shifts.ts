import { type Alignment, BeamEditDistance } from './beam-edit-distance.js';

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
  const budget = { left: MOST_CANDIDATES };
  for (let shifts = 0; ; shifts++) {
    const alignment = distances.align(words);
    const shifted = bestShift(words, target, alignment, distances, budget);
    if (shifted === null || budget.left <= 0) return shifts + alignment.distance;
    words = shifted;
  }
}

/** Moves `length` words at `from` to `to`. */
interface Shift {
  readonly from: number;
  readonly length: number;
  readonly to: number;
}

/** The hypothesis after the shift that lowers its edit distance most; null if none lowers it. */
function bestShift(
  words: Int32Array,
  target: Int32Array,
  { distance, beside, hypothesisErrors, referenceErrors }: Alignment,
  distances: BeamEditDistance,
  budget: { left: number },
): Int32Array | null {
  let gain = 0;
  let best: Shift | null = null;
  let trial = new Int32Array(words.length);
  let chosen = new Int32Array(words.length);
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
      budget.left--;
      moved(words, from, length, to, trial);
      const needed = Math.max(gain, 1);
      const found = distance - distances.atMost(distance - needed, trial, Math.min(from, to));
      if (found < needed) continue;
      if (best !== null && found === gain && !precedes({ from, length, to }, best)) continue;
      gain = found;
      best = { from, length, to };
      [chosen, trial] = [trial, chosen];
    }
    if (budget.left <= 0) break;
  }
  return best === null ? null : chosen;
}

/** Which of two equally good shifts is made: of the longer phrase, then of the one further left, then to further left. */
function precedes(shift: Shift, other: Shift): boolean {
  if (shift.length !== other.length) return shift.length > other.length;
  return shift.from < other.from || (shift.from === other.from && shift.to < other.to);
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
 * Writes the words to `out` with the phrase of `length` words at `from` moved before the word that stands at `to`. A
 * `to` inside the phrase counts from its start in the words that follow it, as tercom has it.
 */
function moved(words: Int32Array, from: number, length: number, to: number, out: Int32Array): void {
  const phrase = words.subarray(from, from + length);
  out.set(words);
  if (to < from) {
    out.set(phrase, to);
    out.set(words.subarray(to, from), to + length);
    return;
  }
  const end = to > from + length ? to : Math.min(to + length, words.length);
  out.set(words.subarray(from + length, end), from);
  out.set(phrase, end - length);
}
