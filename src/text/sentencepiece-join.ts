import { PIECE_TYPES, type SentencePieceModel } from './sentencepiece-model.js';
import { SPECIALS, UNK } from './vocabulary.js';

/** Stands for a space in pieces. */
const SPACE = '\u2581'; // ▁

/**
 * The text that SentencePiece makes of these pieces (its `DecodePieces`): `▁` is a space, the blank that
 * encoding put before the first word goes, bytes in a row are UTF-8, control symbols are nothing, an unknown
 * character stands for itself, and the unknown piece (or our `<unk>`) is the model's sign for it, ` ⁇ `.
 */
export class PieceJoiner {
  readonly #control: ReadonlySet<string>;
  readonly #unknown: ReadonlySet<string>;
  readonly #known: ReadonlySet<string>;
  readonly #bytes: ReadonlyMap<string, number>;
  readonly #model: SentencePieceModel;

  constructor(model: SentencePieceModel) {
    const named = (type: number) => model.pieces.filter((p) => p.type === type).map((p) => p.piece);
    this.#model = model;
    this.#control = new Set(named(PIECE_TYPES.control));
    this.#unknown = new Set(named(PIECE_TYPES.unknown));
    this.#known = new Set(model.pieces.map(({ piece }) => piece));
    this.#bytes = new Map(
      named(PIECE_TYPES.byte).map((piece) => [piece, Number.parseInt(piece.slice(3, 5), 16)]),
    );
  }

  join(pieces: readonly string[]): string {
    const { addDummyPrefix, removeExtraWhitespaces } = this.#model;
    let text = '';
    let bytes: number[] = [];
    let atStart = addDummyPrefix || removeExtraWhitespaces; // a blank here is not of the text
    for (const piece of pieces) {
      const byte = this.#bytes.get(piece);
      if (byte !== undefined) {
        bytes.push(byte);
        continue;
      }
      text += decodeBytes(bytes);
      bytes = [];
      if (text !== '') atStart = false;
      if (this.#control.has(piece)) continue;
      if (this.#isUnknown(piece)) {
        text += this.#model.unknownSurface;
      } else if (!this.#known.has(piece)) {
        text += piece;
      } else {
        const stripped = atStart && piece.startsWith(SPACE);
        text += (stripped ? piece.slice(SPACE.length) : piece).replaceAll(SPACE, ' ');
        // Only the dummy prefix is kept to one; with removed blanks every leading one goes.
        if (stripped && !removeExtraWhitespaces) atStart = false;
      }
    }
    return text + decodeBytes(bytes);
  }

  /** The model's own unknown piece; or ours, unless the model's text can hold a piece of that name. */
  #isUnknown(piece: string): boolean {
    return this.#unknown.has(piece) || (piece === SPECIALS[UNK] && !this.#known.has(piece));
  }
}

/** UTF-8 with U+FFFD for each byte that belongs to no character (a TextDecoder puts one for several). */
function decodeBytes(bytes: readonly number[]): string {
  let text = '';
  for (let i = 0; i < bytes.length; ) {
    const length = characterLength(bytes, i);
    text +=
      length === 0
        ? '\uFFFD'
        : new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes.slice(i, i + length)));
    i += Math.max(length, 1);
  }
  return text;
}

/** Bytes of the character that begins here, 0 if none does. */
function characterLength(bytes: readonly number[], start: number): number {
  const first = bytes[start]!;
  const length =
    first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  const rest = bytes.slice(start + 1, start + length);
  if (length === 0 || rest.length < length - 1 || rest.some((byte) => (byte & 0xc0) !== 0x80)) return 0;
  const second = rest[0] ?? 0;
  const overlong = (first === 0xe0 && second < 0xa0) || (first === 0xf0 && second < 0x90);
  const outside = (first === 0xed && second > 0x9f) || (first === 0xf4 && second > 0x8f);
  return overlong || outside ? 0 : length;
}
