import type { Random } from '../random.js';
import { type Candidate, MergeQueue } from './merge-queue.js';
import type { PieceTable } from './piece-table.js';
import { Segmentation, type WordWiseSegmenter } from './segmentation.js';
import { announcedLength } from './utf8.js';

/**
 * Segmentation by byte-pair encoding (Sennrich et al. 2016): characters are merged, the pair whose piece has the
 * highest score first, the leftmost of equals first, until no neighbours are a piece together. User-defined symbols are
 * never merged. A piece marked unused is cut again into what it was merged from.
 */
export class BpeSegmenter implements WordWiseSegmenter {
  readonly mostPieces = Number.POSITIVE_INFINITY;
  readonly #table: PieceTable;

  constructor(table: PieceTable) {
    this.#table = table;
  }

  best(bytes: Uint8Array): Segmentation {
    return this.#merge(bytes, () => false);
  }

  /** Merges within a word go in the same order, whatever is merged elsewhere. */
  bestOfWord(bytes: Uint8Array): Segmentation {
    return this.best(bytes);
  }

  /**
   * BPE-dropout (Provilkov et al. 2020, algorithm 1): at every step each possible merge is left out with probability
   * `strength`, the best of the others is made, and segmentation ends when none is left. (SentencePiece draws once
   * for each pair and never again, which cuts into more pieces.) 0 is plain BPE, 1 gives characters.
   *
   * The best merge that is not left out is found by drawing in their order: those drawn before it go back
   * afterwards, strength / (1 - strength) of them a step.
   */
  sample(bytes: Uint8Array, strength: number, random: Random): Segmentation {
    return this.#merge(bytes, () => random.next() < strength);
  }

  #merge(bytes: Uint8Array, isDropped: () => boolean): Segmentation {
    const symbols = this.#characters(bytes);
    const queue = new MergeQueue();
    /** For an unused piece: the bytes of the first of the two symbols it is made of. */
    const halves = new Map<number, number>();
    const { ends, states, next, previous } = symbols;

    const propose = (left: number): void => {
      const right = left < 0 ? -1 : next[left]!;
      if (right < 0 || states[left]! < 0 || states[right] === FROZEN) return;
      const state = this.#walk(bytes, states[left]!, right, ends[right]!);
      const id = state < 0 ? -1 : this.#table.trie.value(state);
      if (id < 0) return;
      queue.push({ left, right, end: ends[right]!, score: this.#table.scores[id]! });
      if (this.#table.isUnused(id)) halves.set(id, right - left);
    };
    for (let symbol = 0; symbol >= 0 && symbol < bytes.length; symbol = next[symbol]!) propose(symbol);

    let dropped: Candidate[] = [];
    for (let best = queue.pop(); best !== undefined; best = queue.pop()) {
      const { left, right, end } = best;
      // A neighbour has been merged since.
      if (states[left] === MERGED || next[left] !== right || ends[right] !== end) continue;
      if (isDropped()) {
        dropped.push(best);
        continue;
      }
      for (const candidate of dropped) queue.push(candidate);
      dropped = [];
      states[left] = this.#walk(bytes, states[left]!, right, end);
      states[right] = MERGED;
      ends[left] = end;
      next[left] = next[right]!;
      if (next[left]! >= 0) previous[next[left]!] = left;
      propose(previous[left]!);
      propose(left);
    }
    return this.#pieces(bytes, symbols, halves);
  }

  /** Characters, and user-defined symbols as one each. Symbols are named by where they begin. */
  #characters(bytes: Uint8Array): Symbols {
    const { length } = bytes;
    const symbols = {
      ends: new Int32Array(length),
      states: new Int32Array(length),
      next: new Int32Array(length).fill(-1),
      previous: new Int32Array(length).fill(-1),
    };
    const found = { end: 0, value: 0 };
    let before = -1;
    for (let start = 0; start < length; ) {
      const frozen = this.#table.symbols?.longest(bytes, start, length, found) ?? false;
      const end = frozen ? found.end : Math.min(start + announcedLength(bytes[start]!), length);
      symbols.ends[start] = end;
      symbols.states[start] = frozen ? FROZEN : this.#walk(bytes, 0, start, end);
      symbols.previous[start] = before;
      if (before >= 0) symbols.next[before] = start;
      before = start;
      start = end;
    }
    return symbols;
  }

  /** Follows the bytes through the trie of pieces. */
  #walk(bytes: Uint8Array, state: number, start: number, end: number): number {
    const { trie } = this.#table;
    let unit = state;
    for (let i = start; i < end; i++) {
      unit = trie.step(unit, bytes[i]!);
      if (unit === 0) return UNKNOWN;
    }
    return unit;
  }

  #pieces(bytes: Uint8Array, { ends, next }: Symbols, halves: ReadonlyMap<number, number>): Segmentation {
    const result = new Segmentation();
    const add = (start: number, end: number): void => {
      const id = this.#table.id(bytes, start, end);
      const half = this.#table.isUnused(id) ? halves.get(id) : undefined;
      if (half === undefined) {
        result.push(id, end);
        return;
      }
      add(start, start + half);
      add(start + half, end);
    };
    if (bytes.length === 0) return result;
    for (let symbol = 0; symbol >= 0; symbol = next[symbol]!) add(symbol, ends[symbol]!);
    return result;
  }
}

/** A symbol that no piece begins with. It can still be the end of one. */
const UNKNOWN = -1;
/** A symbol that must not be merged. */
const FROZEN = -2;
/** A symbol that has become the end of another. */
const MERGED = -3;

/** The text as linked symbols, by where each begins. */
interface Symbols {
  /** Where it ends, in bytes. */
  readonly ends: Int32Array;
  /** The unit of the trie that its bytes lead to; or {@link UNKNOWN}, {@link FROZEN}, {@link MERGED}. */
  readonly states: Int32Array;
  /** The symbol after it and before it; -1 at the ends. */
  readonly next: Int32Array;
  readonly previous: Int32Array;
}
