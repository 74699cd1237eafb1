import { DoubleArray } from './double-array.js';
import { buildDoubleArray } from './double-array-builder.js';
import { PIECE_TYPES, type PieceType, type SubwordModel } from './model.js';
import { encodeUtf8 } from './utf8.js';

/** A model's pieces as encoders look them up: by their bytes, with scores and types by id. */
export class PieceTable {
  /** The pieces that text can hold: normal, user-defined and unused ones. Values are ids. */
  readonly trie: DoubleArray;
  /** User-defined symbols alone; null where there are none. */
  readonly symbols: DoubleArray | null;
  /** The other pieces: unknown, control and byte ones. Text holds them only where a whole unit of it is their name. */
  readonly #reserved: DoubleArray;
  /** By id. */
  readonly pieces: readonly string[];
  readonly scores: Float32Array;
  readonly types: readonly PieceType[];
  readonly unknownId: number;
  /** Unknown characters become the pieces of their bytes. */
  readonly byteFallback: boolean;

  constructor({ pieces, trainer }: SubwordModel) {
    const ofType = (...types: PieceType[]): (readonly [Uint8Array, number])[] =>
      pieces.flatMap(({ piece, type }, id) =>
        types.includes(type) ? [[encodeUtf8(piece), id] as const] : [],
      );
    const { normal, userDefined, unused, unknown, control, byte } = PIECE_TYPES;
    this.trie = new DoubleArray(buildDoubleArray(ofType(normal, userDefined, unused)));
    this.#reserved = new DoubleArray(buildDoubleArray(ofType(unknown, control, byte)));
    const symbols = ofType(userDefined);
    this.symbols = symbols.length === 0 ? null : new DoubleArray(buildDoubleArray(symbols));
    this.pieces = pieces.map(({ piece }) => piece);
    this.scores = Float32Array.from(pieces, ({ score }) => score);
    this.types = pieces.map(({ type }) => type);
    this.unknownId = this.types.indexOf(unknown);
    this.byteFallback = trainer.byteFallback;
  }

  isUnused(id: number): boolean {
    return this.types[id] === PIECE_TYPES.unused;
  }

  isUserDefined(id: number): boolean {
    return this.types[id] === PIECE_TYPES.userDefined;
  }

  /** The id of the piece with these bytes, the unknown piece's if there is none. */
  id(bytes: Uint8Array, start: number, end: number): number {
    const reserved = idIn(this.#reserved, bytes, start, end);
    if (reserved >= 0) return reserved;
    const id = idIn(this.trie, bytes, start, end);
    return id < 0 ? this.unknownId : id;
  }
}

/** The value of these bytes, -1 if they have none. */
function idIn(trie: DoubleArray, bytes: Uint8Array, start: number, end: number): number {
  let unit = 0;
  for (let i = start; i < end; i++) {
    unit = trie.step(unit, bytes[i]!);
    if (unit === 0) return -1;
  }
  return trie.value(unit);
}
