import { compareCodePoints } from './code-points.js';
import { SPACE_SYMBOL } from './model.js';
import { BOUNDARY, LEFT_OUT } from './piece-rules.js';
import type { SubwordTrainingOptions } from './training-options.js';

/**
 * Training text as counts of its words (or of whole lines, if pieces may cross spaces), which is all that the
 * trainers need: the memory is that of the different words, not of the text.
 */
export class TextCounter {
  /** How often each word occurs. */
  readonly counts = new Map<string, number>();
  readonly #options: Pick<SubwordTrainingOptions, 'splitByWhitespace' | 'treatWhitespaceAsSuffix'>;

  constructor(options: Pick<SubwordTrainingOptions, 'splitByWhitespace' | 'treatWhitespaceAsSuffix'>) {
    this.#options = options;
  }

  /** Adds a normalized line, blanks written `▁`. */
  add(line: string): void {
    const { splitByWhitespace, treatWhitespaceAsSuffix } = this.#options;
    let start = 0;
    while (start < line.length) {
      let end = line.length;
      if (splitByWhitespace) {
        const space = line.indexOf(SPACE_SYMBOL, treatWhitespaceAsSuffix ? start : start + 1);
        if (space >= 0) end = treatWhitespaceAsSuffix ? space + 1 : space;
      }
      const word = line.slice(start, end);
      this.counts.set(word, (this.counts.get(word) ?? 0) + 1);
      start = end;
    }
  }
}

/** A character that becomes a piece, and how often it occurs. */
export interface CountedCharacter {
  readonly character: string;
  readonly count: number;
}

/**
 * The most frequent characters that together make up the wanted share of the text, the most frequent first. The
 * boundaries that symbols of the user left count as text, but are none of them.
 */
export function coveredCharacters(words: ReadonlyMap<string, number>, coverage: number): CountedCharacter[] {
  const counts = new Map<string, number>();
  let total = 0;
  for (const [word, count] of words) {
    for (const character of word) {
      counts.set(character, (counts.get(character) ?? 0) + count);
      total += count;
    }
  }
  const sorted = sortedByCount(counts);
  const boundary = String.fromCodePoint(BOUNDARY);
  const covered: CountedCharacter[] = [];
  let seen = 0;
  for (const [character, count] of sorted) {
    // 32-bit floats, as the share is in the file: 0.9995 there is a little less than 0.9995 here.
    if (Math.fround(seen / total) >= Math.fround(coverage)) break;
    seen += count;
    if (character !== boundary) covered.push({ character, count });
  }
  return covered;
}

/** The highest count first; equal ones by their text. */
export function sortedByCount(counts: ReadonlyMap<string, number>): [string, number][] {
  return [...counts].sort(([a, x], [b, y]) => y - x || compareCodePoints(a, b));
}

/**
 * Covered characters as small numbers, in the order of their code points, and one number for all others.
 */
export class Alphabet {
  /** Code points by code; the last stands for what is left out. */
  readonly codePoints: readonly number[];
  readonly #codes: ReadonlyMap<number, number>;

  constructor(characters: readonly CountedCharacter[]) {
    const points = characters.map(({ character }) => character.codePointAt(0)!).sort((a, b) => a - b);
    this.#codes = new Map(points.map((point, code) => [point, code]));
    this.codePoints = [...points, LEFT_OUT];
  }

  /** The code of what is left out; every lower one is a character. */
  get leftOut(): number {
    return this.codePoints.length - 1;
  }

  code(codePoint: number): number {
    return this.#codes.get(codePoint) ?? this.leftOut;
  }

  /** The text of codes. */
  text(codes: ArrayLike<number>, start = 0, end = codes.length): string {
    let text = '';
    for (let i = start; i < end; i++) text += String.fromCodePoint(this.codePoints[codes[i]!]!);
    return text;
  }
}

/** Words in a row as codes. */
export interface CodedWords {
  readonly codes: Int32Array;
  /** Where each word begins, and behind them where the last ends: one more than there are words. */
  readonly starts: Int32Array;
  readonly counts: Float64Array;
}

/** Words as codes. */
export function encodeWords(words: ReadonlyMap<string, number>, alphabet: Alphabet): CodedWords {
  let length = 0;
  for (const word of words.keys()) length += word.length;
  const codes = new Int32Array(length);
  const starts = new Int32Array(words.size + 1);
  const counts = new Float64Array(words.size);
  let at = 0;
  let number = 0;
  for (const [word, count] of words) {
    starts[number] = at;
    counts[number++] = count;
    for (let i = 0; i < word.length; ) {
      const point = word.codePointAt(i)!;
      codes[at++] = alphabet.code(point);
      i += point > 0xffff ? 2 : 1;
    }
  }
  starts[number] = at;
  return { codes: codes.subarray(0, at), starts, counts };
}
