import { SPACE_SYMBOL } from './model.js';
import type { PieceTable } from './piece-table.js';
import { Segmentation, type Segmenter } from './segmentation.js';
import { announcedLength, encodeUtf8 } from './utf8.js';

/** Every character is a piece, and so is every user-defined symbol: model type `char`. */
export class CharacterSegmenter implements Segmenter {
  constructor(private readonly table: PieceTable) {}

  best(bytes: Uint8Array): Segmentation {
    const result = new Segmentation();
    const found = { end: 0, value: 0 };
    for (let start = 0; start < bytes.length; ) {
      const symbol = this.table.symbols?.longest(bytes, start, bytes.length, found) ?? false;
      const end = symbol ? found.end : Math.min(start + announcedLength(bytes[start]!), bytes.length);
      result.push(this.table.id(bytes, start, end), end);
      start = end;
    }
    return result;
  }
}

const SPACE = encodeUtf8(SPACE_SYMBOL);

/** Every `▁` begins a piece, which reaches to the next: model type `word`. */
export class WordSegmenter implements Segmenter {
  constructor(private readonly table: PieceTable) {}

  best(bytes: Uint8Array): Segmentation {
    const result = new Segmentation();
    for (let start = 0; start < bytes.length; ) {
      let end = start + 1;
      while (end < bytes.length && !SPACE.every((byte, i) => bytes[end + i] === byte)) end++;
      result.push(this.table.id(bytes, start, end), end);
      start = end;
    }
    return result;
  }
}
