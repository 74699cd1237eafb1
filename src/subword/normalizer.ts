import { Charsmap, type CharsmapMatch } from './charsmap.js';
import type { DoubleArray } from './double-array.js';
import { type NormalizerSpec, SPACE_SYMBOL } from './model.js';
import { characterLength, decodeUtf8, encodeUtf8 } from './utf8.js';

const SPACE = 0x20;
const ASCII = 0x80;
const SPACE_BYTES = encodeUtf8(SPACE_SYMBOL);
const PLAIN_SPACE = Uint8Array.of(SPACE);
const REPLACEMENT = encodeUtf8('\uFFFD');

/** What beside its specification decides how a model normalizes. */
export interface NormalizerOptions {
  /** The dummy prefix is a suffix. */
  readonly treatWhitespaceAsSuffix?: boolean;
  /** Strings that pass as they are, the longest at each place: user-defined symbols. */
  readonly protectedStrings?: DoubleArray | null;
  /** Stands in errors about the specification. */
  readonly file?: string;
}

/**
 * Text as a model wants it, byte for byte as SentencePiece makes it: replacements by the charsmap, blanks at the
 * ends dropped and blanks in a row made one (`removeExtraWhitespaces`), a blank put first (`addDummyPrefix`), blanks
 * written `▁` (`escapeWhitespaces`). A byte that belongs to no character becomes U+FFFD.
 */
export class Normalizer {
  readonly #spec: NormalizerSpec;
  readonly #charsmap: Charsmap | null;
  readonly #blankLast: boolean;
  readonly #protected: DoubleArray | null;
  readonly #space: Uint8Array;
  /** ASCII characters that stay as they are before another one or the end; most of a Latin text is such. */
  readonly #plain: Uint8Array;
  readonly #found = { end: 0, value: 0 };
  readonly #match: CharsmapMatch = { end: 0, from: 0, to: 0 };
  /** What {@link #next} found. */
  #part: Uint8Array = PLAIN_SPACE;
  #from = 0;
  #to = 0;
  #out = new Uint8Array(1024);
  #length = 0;

  constructor(
    spec: NormalizerSpec,
    { treatWhitespaceAsSuffix = false, protectedStrings = null, file = 'model' }: NormalizerOptions = {},
  ) {
    const { precompiledCharsmap } = spec;
    this.#spec = spec;
    this.#charsmap = precompiledCharsmap.length === 0 ? null : new Charsmap(precompiledCharsmap, file);
    this.#blankLast = treatWhitespaceAsSuffix;
    this.#protected = protectedStrings;
    this.#space = spec.escapeWhitespaces ? SPACE_BYTES : PLAIN_SPACE;
    this.#plain = Uint8Array.from({ length: ASCII }, (_, byte) => (this.#isPlain(byte) ? 1 : 0));
  }

  /** Half a surrogate pair counts as U+FFFD. */
  normalize(text: string): string {
    return decodeUtf8(this.normalizeBytes(encodeUtf8(text)));
  }

  /**
   * @param input UTF-8
   * @returns UTF-8, a view that the next call overwrites
   */
  normalizeBytes(input: Uint8Array): Uint8Array {
    const { addDummyPrefix, removeExtraWhitespaces } = this.#spec;
    let at = 0;
    this.#length = 0;
    while (removeExtraWhitespaces && at < input.length) {
      const end = this.#next(input, at);
      if (this.#to - this.#from !== 1 || this.#part[this.#from] !== SPACE) break;
      at = end;
    }
    if (at === input.length) return this.#out.subarray(0, 0);

    if (addDummyPrefix && !this.#blankLast) this.#append(this.#space, 0, this.#space.length);
    let afterSpace = removeExtraWhitespaces;
    while (at < input.length) {
      const start = at;
      while (this.#plain[input[at]!] === 1 && (at + 1 === input.length || input[at + 1]! < ASCII)) at++;
      if (at > start) {
        this.#append(input, start, at);
        afterSpace = false;
        continue;
      }
      at = this.#next(input, at);
      let from = this.#from;
      const to = this.#to;
      const part = this.#part;
      while (afterSpace && from < to && part[from] === SPACE) from++;
      if (from === to) continue;
      this.#appendEscaped(part, from, to);
      afterSpace = removeExtraWhitespaces && part[to - 1] === SPACE;
    }
    if (removeExtraWhitespaces) while (this.#endsWithSpace()) this.#length -= this.#space.length;
    if (addDummyPrefix && this.#blankLast) this.#append(this.#space, 0, this.#space.length);
    return this.#out.subarray(0, this.#length);
  }

  #isPlain(byte: number): boolean {
    return byte !== SPACE && !this.#protected?.step(0, byte) && !this.#charsmap?.touchesAscii(byte);
  }

  /**
   * Finds what the text at `at` becomes: {@link #part} from {@link #from} to {@link #to}. Returns where it goes on.
   */
  #next(input: Uint8Array, at: number): number {
    if (this.#protected?.longest(input, at, input.length, this.#found)) {
      return this.#take(input, at, this.#found.end, this.#found.end);
    }
    if (this.#charsmap?.longest(input, at, input.length, this.#match)) {
      const { from, to, end } = this.#match;
      return this.#take(this.#charsmap.texts, from, to, end);
    }
    const length = characterLength(input, at, input.length);
    if (length === 0) return this.#take(REPLACEMENT, 0, REPLACEMENT.length, at + 1);
    return this.#take(input, at, at + length, at + length);
  }

  #take(part: Uint8Array, from: number, to: number, end: number): number {
    this.#part = part;
    this.#from = from;
    this.#to = to;
    return end;
  }

  #appendEscaped(part: Uint8Array, from: number, to: number): void {
    let start = from;
    for (let i = from; i < to; i++) {
      if (part[i] !== SPACE) continue;
      this.#append(part, start, i);
      this.#append(this.#space, 0, this.#space.length);
      start = i + 1;
    }
    this.#append(part, start, to);
  }

  #append(part: Uint8Array, from: number, to: number): void {
    const needed = this.#length + to - from;
    if (needed > this.#out.length) {
      const longer = new Uint8Array(2 * needed);
      longer.set(this.#out);
      this.#out = longer;
    }
    // Most parts are a byte or a few, for which a call of set() costs more than this loop.
    for (let i = from; i < to; i++) this.#out[this.#length++] = part[i]!;
  }

  #endsWithSpace(): boolean {
    const { length } = this.#space;
    if (this.#length < length) return false;
    for (let i = 0; i < length; i++) {
      if (this.#out[this.#length - length + i] !== this.#space[i]) return false;
    }
    return true;
  }
}
