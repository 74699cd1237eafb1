import { PIECE_TYPES, SPACE_SYMBOL, type SubwordModel } from './model.js';
import { Normalizer } from './normalizer.js';
import { decodeBytes } from './utf8.js';

/**
 * The text that SentencePiece makes of these pieces (its `DecodePieces`): `▁` is a space, the blank that
 * encoding put before the first word goes, bytes in a row are UTF-8, control symbols are nothing, an unknown
 * character stands for itself, and the unknown piece is the model's sign for it, ` ⁇ `.
 */
export class PieceDecoder {
  readonly #control: ReadonlySet<string>;
  readonly #unknown: ReadonlySet<string>;
  readonly #known: ReadonlySet<string>;
  readonly #bytes: ReadonlyMap<string, number>;
  readonly #model: SubwordModel;
  readonly #denormalizer: Normalizer | null;

  /**
   * @param alsoUnknown Another name of the unknown piece, unless the model's text can hold a piece of that name.
   * @param file Stands in errors about the model.
   */
  constructor(model: SubwordModel, alsoUnknown: string, file: string) {
    const named = (type: number) => model.pieces.filter((p) => p.type === type).map((p) => p.piece);
    const { denormalizer } = model;
    const replaces = denormalizer !== null && denormalizer.precompiledCharsmap.length > 0;
    this.#model = model;
    this.#control = new Set(named(PIECE_TYPES.control));
    this.#known = new Set(model.pieces.map(({ piece }) => piece));
    this.#unknown = new Set([
      ...named(PIECE_TYPES.unknown),
      ...(this.#known.has(alsoUnknown) ? [] : [alsoUnknown]),
    ]);
    this.#bytes = new Map(
      named(PIECE_TYPES.byte).map((piece) => [piece, Number.parseInt(piece.slice(3, 5), 16)]),
    );
    this.#denormalizer = replaces ? new Normalizer(denormalizer, { file }) : null;
  }

  decode(pieces: readonly string[]): string {
    const text = this.#join(pieces);
    return this.#denormalizer?.normalize(text) ?? text;
  }

  #join(pieces: readonly string[]): string {
    const { addDummyPrefix, removeExtraWhitespaces } = this.#model.normalizer;
    let text = '';
    let bytes: number[] = [];
    let atStart = addDummyPrefix || removeExtraWhitespaces; // a blank here is not of the text
    for (const piece of pieces) {
      const byte = this.#bytes.get(piece);
      if (byte !== undefined) {
        bytes.push(byte);
        continue;
      }
      text += decodeBytes(Uint8Array.from(bytes));
      bytes = [];
      if (text !== '') atStart = false;
      if (this.#control.has(piece)) continue;
      if (this.#unknown.has(piece)) {
        text += this.#model.trainer.unkSurface;
      } else if (!this.#known.has(piece)) {
        text += piece;
      } else {
        const stripped = atStart && piece.startsWith(SPACE_SYMBOL);
        text += (stripped ? piece.slice(SPACE_SYMBOL.length) : piece).replaceAll(SPACE_SYMBOL, ' ');
        // Only the dummy prefix is kept to one; with removed blanks every leading one goes.
        if (stripped && !removeExtraWhitespaces) atStart = false;
      }
    }
    return text + decodeBytes(Uint8Array.from(bytes));
  }
}
