import { readFileSync } from 'node:fs';
import {
  bytePiece,
  type ModelType,
  normalizerSpec,
  PIECE_TYPES,
  type Piece,
  type PieceType,
  type SubwordModel,
  trainerSpec,
} from '../../src/subword/model.js';
import { type NormalizationName, normalizationCharsmap } from '../../src/subword/normalization-rules.js';

/** What to make a model of. */
export interface ModelKind {
  readonly type: ModelType;
  readonly normalization: NormalizationName;
  readonly byteFallback?: boolean;
  readonly userDefined?: readonly string[];
  readonly addDummyPrefix?: boolean;
  readonly removeExtraWhitespaces?: boolean;
  readonly treatWhitespaceAsSuffix?: boolean;
}

const text = readFileSync(new URL('../text/fixtures/text.txt', import.meta.url), 'utf8');
const words = `${text} 你好 世界 世界 こんにちは 안녕 하세요 café naïve fi ß 123 1/2`
  .split(/\s+/)
  .map((word) => `▁${word}`);

/** A model of a few hundred pieces, learnt in the simplest way from a page of text. */
export function smallModel(kind: ModelKind): SubwordModel {
  const { type, normalization, byteFallback = false, userDefined = [] } = kind;
  const learnt = new Map(type === 'unigram' ? substrings() : type === 'bpe' ? merges() : wholes(type));
  for (const symbol of userDefined) learnt.delete(symbol);
  const special = (piece: string, of: PieceType): Piece => ({ piece, score: 0, type: of });
  const pieces: Piece[] = [
    special('<unk>', PIECE_TYPES.unknown),
    special('<s>', PIECE_TYPES.control),
    special('</s>', PIECE_TYPES.control),
    ...userDefined.map((symbol) => special(symbol, PIECE_TYPES.userDefined)),
    ...(byteFallback
      ? Array.from({ length: 256 }, (_, byte) => special(bytePiece(byte), PIECE_TYPES.byte))
      : []),
    ...[...learnt].map(([piece, score]) => ({ piece, score: Math.fround(score), type: PIECE_TYPES.normal })),
  ];
  const { addDummyPrefix = true, removeExtraWhitespaces = true, treatWhitespaceAsSuffix = false } = kind;
  return {
    pieces,
    trainer: trainerSpec({
      modelType: type,
      vocabSize: pieces.length,
      byteFallback,
      treatWhitespaceAsSuffix,
      userDefinedSymbols: userDefined,
    }),
    normalizer: normalizerSpec({
      name: normalization,
      precompiledCharsmap: normalizationCharsmap(normalization),
      addDummyPrefix,
      removeExtraWhitespaces,
    }),
    denormalizer: null,
  };
}

function counted(items: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}

/** Characters and the substrings that save most, by their share. */
function substrings(): [string, number][] {
  const all = words.flatMap((word) => {
    const characters = Array.from(word);
    return characters.flatMap((_, i) => [1, 2, 3, 4, 5, 6].map((n) => characters.slice(i, i + n).join('')));
  });
  const counts = counted(all);
  const gain = ([piece, count]: [string, number]): number => count * Array.from(piece).length;
  const kept = [...counts].filter(([piece, count]) => count > 1 || Array.from(piece).length === 1);
  kept.sort((a, b) => gain(b) - gain(a) || (a[0] < b[0] ? -1 : 1));
  const chosen = kept.filter(([piece], i) => i < 400 || Array.from(piece).length === 1);
  const total = chosen.reduce((sum, [, count]) => sum + count, 0);
  return chosen.map(([piece, count]) => [piece, Math.log(count / total)]);
}

/** Byte-pair encoding: the most frequent pair becomes a piece, 250 times. */
function merges(): [string, number][] {
  let cut = words.map((word) => Array.from(word));
  const made: string[] = [];
  for (let step = 0; step < 250; step++) {
    const pairs = counted(cut.flatMap((parts) => parts.slice(1).map((part, i) => `${parts[i]} ${part}`)));
    const [best] = [...pairs].toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]!;
    const [left, right] = best.split(' ') as [string, string];
    if (!made.includes(left + right)) made.push(left + right);
    cut = cut.map((parts) =>
      parts.reduce<string[]>((joined, part) => {
        if (joined.at(-1) === left && part === right) joined[joined.length - 1] = left + right;
        else joined.push(part);
        return joined;
      }, []),
    );
  }
  const characters = new Set(words.flatMap((word) => Array.from(word)));
  return [...made, ...characters].map((piece, rank) => [piece, -rank]);
}

function wholes(type: 'word' | 'char'): [string, number][] {
  const units = counted(type === 'word' ? words : words.flatMap((word) => Array.from(word)));
  return [...units.keys()].map((unit, rank) => [unit, -rank]);
}
