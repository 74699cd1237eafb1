import type { CodedWords } from './counted-text.js';
import type { PieceRules } from './piece-rules.js';

/** Ends every word. */
const END = -1;

/** Substrings of a text: where each stands in `codes`, the best score first. */
export interface Substrings {
  readonly codes: Int32Array;
  readonly starts: Int32Array;
  readonly lengths: Int32Array;
  /** How often the substring occurs, times its length. */
  readonly scores: Float64Array;
}

/**
 * The substrings of two and more characters that occur at least twice, may be pieces, and say something that no
 * longer one says: they end words, or are followed by different characters in different places. Of these the
 * `limit` with the highest counts times lengths.
 *
 * They are nodes of the suffix tree of the words, found as the intervals of equal beginnings in their suffix array
 * (Abouelhoda, Kurtz & Ohlebusch 2004). No piece is longer than `longest`, so suffixes are sorted by their first
 * `longest + 1` characters only; none crosses a word, so each word stands once, weighted by its count.
 */
export function frequentSubstrings(
  words: CodedWords,
  rules: PieceRules,
  longest: number,
  limit: number,
): Substrings {
  const { codes, suffixes, wordOf } = suffixesOf(words);
  const depth = longest + 1;
  sortSuffixes(codes, suffixes, depth);

  const best = new BestSubstrings(limit, codes);
  // The nodes from the root to the suffix at hand: the length of each and the weight of all suffixes before it.
  const lengths = [0];
  const weights = [0];
  let weight = 0;
  for (let i = 0; i < suffixes.length; i++) {
    const suffix = suffixes[i]!;
    const own = lengthWithEnd(codes, suffix, depth);
    if (own > lengths.at(-1)!) {
      lengths.push(own);
      weights.push(weight);
    }
    weight += words.counts[wordOf[suffix]!]!;
    const next = suffixes[i + 1];
    const common = next === undefined ? 0 : commonLength(codes, suffix, next, depth);
    while (common < lengths.at(-1)!) {
      const length = lengths.pop()!;
      const before = weights.pop()!;
      const parent = Math.max(lengths.at(-1)!, common);
      const endsWord = codes[suffix + length - 1] === END;
      const characters = endsWord ? length - 1 : length;
      const count = weight - before;
      // Where the word goes on elsewhere, the node without the end counts all of its places.
      if (!(endsWord && parent === characters) && characters > 1 && count > 1) {
        if (rules.allows(codes, suffix, suffix + characters)) {
          best.add(suffix, characters, count * characters);
        }
      }
      if (common > lengths.at(-1)!) {
        lengths.push(common);
        weights.push(before);
      }
    }
  }
  return { codes, ...best.sorted() };
}

/** The words, each with its end, and the places that suffixes begin at. */
function suffixesOf({ codes, starts, counts }: CodedWords) {
  const words = counts.length;
  const ended = new Int32Array(codes.length + words);
  const suffixes = new Int32Array(codes.length);
  const wordOf = new Int32Array(ended.length);
  let at = 0;
  for (let word = 0; word < words; word++) {
    for (let i = starts[word]!; i < starts[word + 1]!; i++) {
      suffixes[i] = at;
      wordOf[at] = word;
      ended[at++] = codes[i]!;
    }
    ended[at++] = END;
  }
  return { codes: ended, suffixes, wordOf };
}

/** Characters that both suffixes begin with, the end of the word included, at most `depth`. */
function commonLength(codes: Int32Array, a: number, b: number, depth: number): number {
  let length = 0;
  while (length < depth && codes[a + length] === codes[b + length]) {
    if (codes[a + length++] === END) break;
  }
  return length;
}

/** Characters of a suffix, the end of the word included, at most `depth`. */
function lengthWithEnd(codes: Int32Array, suffix: number, depth: number): number {
  let length = 1;
  while (length < depth && codes[suffix + length - 1] !== END) length++;
  return length;
}

/** Sorts suffixes by their first `depth` characters: multikey quicksort (Bentley & Sedgewick 1997). */
function sortSuffixes(codes: Int32Array, suffixes: Int32Array, depth: number): void {
  const work: number[] = [0, suffixes.length, 0];
  while (work.length > 0) {
    const at = work.pop()!;
    const end = work.pop()!;
    const start = work.pop()!;
    if (end - start < 2) continue;
    if (end - start < 12) {
      sortFew(codes, suffixes, start, end, at, depth);
      continue;
    }
    const pivot = median(
      codes[suffixes[start]! + at]!,
      codes[suffixes[(start + end) >> 1]! + at]!,
      codes[suffixes[end - 1]! + at]!,
    );
    let less = start;
    let greater = end;
    for (let i = start; i < greater; ) {
      const suffix = suffixes[i]!;
      const code = codes[suffix + at]!;
      if (code < pivot) {
        suffixes[i++] = suffixes[less]!;
        suffixes[less++] = suffix;
      } else if (code > pivot) {
        suffixes[i] = suffixes[--greater]!;
        suffixes[greater] = suffix;
      } else {
        i++;
      }
    }
    work.push(start, less, at, greater, end, at);
    if (pivot !== END && at + 1 < depth) work.push(less, greater, at + 1);
  }
}

/** Insertion sort of suffixes that agree in their first `from` characters. */
function sortFew(
  codes: Int32Array,
  suffixes: Int32Array,
  start: number,
  end: number,
  from: number,
  depth: number,
): void {
  for (let i = start + 1; i < end; i++) {
    const suffix = suffixes[i]!;
    let j = i;
    for (; j > start && precedes(codes, suffix, suffixes[j - 1]!, from, depth); j--) {
      suffixes[j] = suffixes[j - 1]!;
    }
    suffixes[j] = suffix;
  }
}

function precedes(codes: Int32Array, a: number, b: number, from: number, depth: number): boolean {
  for (let i = from; i < depth; i++) {
    const x = codes[a + i]!;
    const y = codes[b + i]!;
    if (x !== y) return x < y;
    if (x === END) return false;
  }
  return false;
}

function median(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}

/** The substrings with the highest scores; of equal ones the longer, then those first by code points. */
class BestSubstrings {
  readonly #limit: number;
  readonly #codes: Int32Array;
  #starts: number[] = [];
  #lengths: number[] = [];
  #scores: number[] = [];

  constructor(limit: number, codes: Int32Array) {
    this.#limit = limit;
    this.#codes = codes;
  }

  add(start: number, length: number, score: number): void {
    this.#starts.push(start);
    this.#lengths.push(length);
    this.#scores.push(score);
    if (this.#scores.length < 4 * this.#limit) return;
    const { starts, lengths, scores } = this.sorted();
    this.#starts = Array.from(starts);
    this.#lengths = Array.from(lengths);
    this.#scores = Array.from(scores);
  }

  sorted(): Omit<Substrings, 'codes'> {
    const order = Int32Array.from(this.#scores.keys())
      .sort((a, b) => this.#scores[b]! - this.#scores[a]! || this.#compare(a, b))
      .subarray(0, this.#limit);
    return {
      starts: order.map((i) => this.#starts[i]!),
      lengths: order.map((i) => this.#lengths[i]!),
      scores: Float64Array.from(order, (i) => this.#scores[i]!),
    };
  }

  #compare(a: number, b: number): number {
    const startA = this.#starts[a]!;
    const startB = this.#starts[b]!;
    const lengthA = this.#lengths[a]!;
    const lengthB = this.#lengths[b]!;
    if (lengthA !== lengthB) return lengthB - lengthA;
    for (let i = 0; i < lengthA; i++) {
      const difference = this.#codes[startA + i]! - this.#codes[startB + i]!;
      if (difference !== 0) return difference;
    }
    return 0;
  }
}
