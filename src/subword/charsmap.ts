import { DragomanError } from '../errors.js';
import { DoubleArray, isSound } from './double-array.js';
import { buildDoubleArray } from './double-array-builder.js';
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

/**
 * Replacements as a `precompiled_charsmap`; empty for none.
 *
 * @param rules What is replaced, by what. Neither may hold U+0000.
 */
export function compileCharsmap(rules: ReadonlyMap<string, string>): Uint8Array<ArrayBuffer> {
  if (rules.size === 0) return new Uint8Array();
  const positions = new Map<string, number>();
  let texts = '';
  let size = 0;
  for (const text of rules.values()) {
    if (positions.has(text)) continue;
    positions.set(text, size);
    texts += `${text}\0`;
    size += encodeUtf8(text).length + 1;
  }
  const units = buildDoubleArray(
    [...rules].map(([from, to]) => [encodeUtf8(from), positions.get(to)!] as const),
  );
  const bytes = new Uint8Array(4 + 4 * units.length + size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 4 * units.length, true);
  units.forEach((unit, i) => {
    view.setUint32(4 + 4 * i, unit, true);
  });
  bytes.set(encodeUtf8(texts), 4 + 4 * units.length);
  return bytes;
}
