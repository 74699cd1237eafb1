import { PIECE_TYPES, SPACE_SYMBOL } from './model.js';
import type { PieceTable } from './piece-table.js';
import { Segmentation, type Segmenter, type WordWiseSegmenter } from './segmentation.js';
import { encodeUtf8 } from './utf8.js';
import { ABSENT, WordCache } from './word-cache.js';

const [SPACE_1, SPACE_2, SPACE_3] = encodeUtf8(SPACE_SYMBOL);

/**
 * Cuts a text word by word, each from one `▁` to the next, and remembers the words: three times as fast as cutting the
 * whole. The result is exactly that of the segmenter itself, which is asked for the whole text where it cannot
 * promise that for a word.
 */
export class WordByWord implements Segmenter {
  readonly #segmenter: WordWiseSegmenter;
  /** Made at the first text. */
  #words: WordCache | null = null;
  readonly #unpromised = new Segmentation();

  constructor(segmenter: WordWiseSegmenter) {
    this.#segmenter = segmenter;
  }

  /**
   * Whether words can be cut on their own: no piece reaches over the start of a word, and `▁` is a piece, so that no
   * unknown piece does. Pieces marked unused remember across words what they were merged from.
   */
  static suits({ pieces, types }: PieceTable): boolean {
    return (
      pieces.some((piece, id) => piece === SPACE_SYMBOL && types[id] === PIECE_TYPES.normal) &&
      !pieces.some((piece) => piece.includes(SPACE_SYMBOL, 1)) &&
      !types.includes(PIECE_TYPES.unused)
    );
  }

  best(bytes: Uint8Array): Segmentation {
    this.#words ??= new WordCache();
    const result = new Segmentation();
    for (let start = 0; start < bytes.length; ) {
      const end = wordEnd(bytes, start);
      let entry = this.#words.find(bytes, start, end);
      if (entry === ABSENT) {
        const word = this.#segmenter.bestOfWord(bytes.subarray(start, end)) ?? this.#unpromised;
        this.#words.add(bytes, start, end, word.ids, word.ends);
        entry = this.#words.find(bytes, start, end);
        if (entry === ABSENT) return this.#segmenter.best(bytes);
      }
      if (this.#words.read(entry, start, result.ids, result.ends) === 0) return this.#segmenter.best(bytes);
      start = end;
    }
    return result.ids.length <= this.#segmenter.mostPieces ? result : this.#segmenter.best(bytes);
  }
}

/** Where the next `▁` after the first character is, or the end. */
function wordEnd(bytes: Uint8Array, start: number): number {
  for (let at = start + 1; at < bytes.length; at++) {
    if (bytes[at] === SPACE_1 && bytes[at + 1] === SPACE_2 && bytes[at + 2] === SPACE_3) return at;
  }
  return bytes.length;
}
