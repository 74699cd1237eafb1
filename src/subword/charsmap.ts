import { DragomanError } from '../errors.js';
import { DoubleArray, isSound } from './double-array.js';
import { type Branch, buildDoubleArray } from './double-array-builder.js';
import { encodeUtf8 } from './utf8.js';

/**
 * The replacements of a `precompiled_charsmap`: at each place in the text the longest string that has one is
 * replaced. In the file: the size of the trie in bytes, the trie, whose values are positions in what follows, and the
 * replacements, each ended by a zero byte. Little-endian.
 */
export class Charsmap {
  readonly #trie: DoubleArray;
  /** Replacements, and which of them begin where a trie's value points. */
  readonly #texts: Uint8Array;
  readonly #found = { end: 0, value: 0 };

  /** @throws DragomanError `input` when the bytes are none; `file` stands in the message. */
  constructor(bytes: Uint8Array, file: string) {
    const refuse = (got: string): DragomanError =>
      new DragomanError('input', `${file}: expected a whole table of replacements, got ${got}`);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const size = bytes.length < 4 ? 0 : view.getUint32(0, true);
    if (size === 0 || size % 4 !== 0 || 4 + size >= bytes.length) {
      throw refuse(`${bytes.length} bytes with a trie of ${size}`);
    }
    const units = new Uint32Array(size / 4);
    for (let i = 0; i < units.length; i++) units[i] = view.getUint32(4 + 4 * i, true);
    if (!isSound(units)) throw refuse('a damaged trie');
    this.#trie = new DoubleArray(units);
    this.#texts = bytes.slice(4 + size);
    if (this.#texts.at(-1) !== 0) throw refuse('replacements without an end');
  }

  /**
   * Looks for the longest string with a replacement at `start` of `bytes`.
   *
   * @param match Filled in if there is one: where the string ends, and its replacement as a view.
   */
  longest(bytes: Uint8Array, start: number, end: number, match: CharsmapMatch): boolean {
    const found = this.#found;
    if (!this.#trie.longest(bytes, start, end, found)) return false;
    match.end = found.end;
    match.from = Math.min(found.value, this.#texts.length - 1);
    match.to = this.#texts.indexOf(0, match.from);
    return true;
  }

  /** Whether a string that is replaced is this ASCII character, or begins with it and another one. */
  touchesAscii(byte: number): boolean {
    const unit = this.#trie.step(0, byte);
    if (unit === 0) return false;
    if (this.#trie.value(unit) >= 0) return true;
    for (let next = 1; next < 0x80; next++) if (this.#trie.step(unit, next) !== 0) return true;
    return false;
  }

  /** What {@link CharsmapMatch} points into. */
  get texts(): Uint8Array {
    return this.#texts;
  }
}

/** A string with a replacement: where it ends in the text, and the range of {@link Charsmap.texts}. */
export interface CharsmapMatch {
  end: number;
  from: number;
  to: number;
}

/** Strings that are replaced and begin in any of several ways: 200,000 spellings of Korean in 11,172 of them. */
export interface SpelledRules {
  /** Each of these strings is replaced by `to`, if that is there. */
  readonly ways: readonly string[];
  readonly to?: string;
  /** What is replaced after any of them. */
  readonly next: readonly SpelledRules[];
}

/**
 * Replacements as a `precompiled_charsmap`; empty for none.
 *
 * @param rules What is replaced, by what. Neither may hold U+0000.
 * @param spelled More of them. No way that is followed by more may be the beginning of a rule elsewhere.
 */
export function compileCharsmap(
  rules: ReadonlyMap<string, string>,
  spelled: readonly SpelledRules[] = [],
): Uint8Array<ArrayBuffer> {
  if (rules.size === 0 && spelled.length === 0) return new Uint8Array();
  const texts = new Replacements();
  const entries = [...rules].map(([from, to]) => [encodeUtf8(from), texts.position(to)] as const);
  const encoded = new Map<readonly string[], Uint8Array[]>(); // the same ways stand in many places
  const encodeWays = (ways: readonly string[]): Uint8Array[] => {
    const bytes = encoded.get(ways) ?? ways.map(encodeUtf8);
    encoded.set(ways, bytes);
    return bytes;
  };
  const branch = ({ ways, to, next }: SpelledRules): Branch => ({
    ways: encodeWays(ways),
    value: to === undefined ? -1 : texts.position(to),
    next: next.map(branch),
  });
  const units = buildDoubleArray(entries, spelled.map(branch));
  const bytes = new Uint8Array(4 + 4 * units.length + texts.size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 4 * units.length, true);
  units.forEach((unit, i) => {
    view.setUint32(4 + 4 * i, unit, true);
  });
  bytes.set(encodeUtf8(texts.all), 4 + 4 * units.length);
  return bytes;
}

/** Texts, each ended by a zero byte, and where each begins. */
class Replacements {
  readonly #positions = new Map<string, number>();
  all = '';
  /** Bytes of {@link all}. */
  size = 0;

  position(text: string): number {
    const known = this.#positions.get(text);
    if (known !== undefined) return known;
    const position = this.size;
    this.#positions.set(text, position);
    this.all += `${text}\0`;
    this.size += encodeUtf8(text).length + 1;
    return position;
  }
}
