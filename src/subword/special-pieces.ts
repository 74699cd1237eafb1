import { DragomanError } from '../errors.js';
import { bytePiece, PIECE_TYPES, type PieceType, SPACE_SYMBOL } from './model.js';
import type { SubwordTrainingOptions } from './training-options.js';

/** A piece that is not learned: its name and what it is. */
export interface SpecialPiece {
  readonly piece: string;
  readonly type: PieceType;
}

/**
 * The pieces with a fixed meaning, by their ids: unknown, beginning, end and padding where the options put
 * them; control symbols, symbols of the user and bytes at the free ids from 0 on, in this order.
 *
 * @throws DragomanError `usage` where two want one id or one name
 */
export function specialPieces(options: SubwordTrainingOptions): Map<number, SpecialPiece> {
  const { vocabSize, unkPiece } = options;
  const byId = new Map<number, SpecialPiece>();
  const idOf = new Map<string, number>();
  const place = (id: number, piece: string, type: PieceType, flag: string): void => {
    if (id < 0) return;
    const there = byId.get(id);
    if (there !== undefined) {
      throw clash(`${flag}: expected a free id, got ${id}, which is that of ${there.piece}`);
    }
    if (id >= vocabSize) throw clash(`${flag}: expected an id below vocabSize (${vocabSize}), got ${id}`);
    if (idOf.has(piece)) throw clash(`${flag}: expected a name of its own, got ${piece} twice`);
    byId.set(id, { piece, type });
    idOf.set(piece, id);
  };
  place(options.unkId, unkPiece, PIECE_TYPES.unknown, 'unkId');
  place(options.bosId, options.bosPiece, PIECE_TYPES.control, 'bosId');
  place(options.eosId, options.eosPiece, PIECE_TYPES.control, 'eosId');
  place(options.padId, options.padPiece, PIECE_TYPES.control, 'padId');

  const given = new Set<string>();
  let free = 0;
  const add = (piece: string, type: PieceType, flag: string): void => {
    if (given.has(piece)) throw clash(`${flag}: expected each symbol once, got ${piece} twice`);
    given.add(piece);
    if (piece === unkPiece) throw clash(`${flag}: expected no unknown piece, got ${piece}`);
    // Naming <s>, </s> or <pad> says what they are instead of adding a second one.
    const known = idOf.get(piece);
    if (known !== undefined) {
      byId.set(known, { piece, type });
      return;
    }
    while (byId.has(free)) free++;
    if (free >= vocabSize) {
      throw clash(`vocabSize: expected room for all special pieces, got ${vocabSize}`);
    }
    byId.set(free, { piece, type });
  };
  for (const piece of options.controlSymbols) add(piece, PIECE_TYPES.control, 'controlSymbols');
  for (const piece of options.userDefinedSymbols) {
    add(piece, PIECE_TYPES.userDefined, 'userDefinedSymbols');
    // Pieces of a model of words begin with a space, so that a symbol of the user's is one only with it.
    if (options.modelType !== 'word' || piece.startsWith(SPACE_SYMBOL)) continue;
    add(SPACE_SYMBOL + piece, PIECE_TYPES.userDefined, 'userDefinedSymbols');
  }
  if (options.byteFallback) {
    for (let byte = 0; byte < 256; byte++) add(bytePiece(byte), PIECE_TYPES.byte, 'byteFallback');
  }
  return byId;
}

function clash(message: string): DragomanError {
  return new DragomanError('usage', `subword training: ${message}`);
}
