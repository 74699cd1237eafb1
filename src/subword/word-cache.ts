/** The most words, the bytes of all together and their pieces: 3 MB in all. A full cache begins anew. */
export interface WordCacheLimits {
  readonly words: number;
  readonly bytes: number;
  readonly pieces: number;
}

const LIMITS: WordCacheLimits = { words: 1 << 16, bytes: 1 << 20, pieces: 1 << 18 };

/** What {@link WordCache.find} says of a word that is not there. */
export const ABSENT = -1;

/**
 * Remembers how words were cut, in memory of a fixed size: an open-addressing hash table from a word's bytes to its
 * pieces. Words of a text come again and again (Zipf 1949), so that a small cache finds most of them.
 */
export class WordCache {
  readonly #limits: WordCacheLimits;
  /** Slot → entry + 1; 0 is free. Twice as many as entries, so that searches are short. */
  readonly #slots: Int32Array;
  readonly #hashes: Int32Array;
  /** Entry → where its bytes (pieces) begin; those of the next entry end them. */
  readonly #byteStarts: Int32Array;
  readonly #pieceStarts: Int32Array;
  readonly #bytes: Uint8Array;
  /** Ids of pieces, and where each ends within its word. */
  readonly #ids: Int32Array;
  readonly #ends: Int32Array;
  #entries = 0;

  constructor(limits = LIMITS) {
    let slots = 2;
    while (slots < 2 * limits.words) slots *= 2;
    this.#limits = limits;
    this.#slots = new Int32Array(slots);
    this.#hashes = new Int32Array(limits.words);
    this.#byteStarts = new Int32Array(limits.words + 1);
    this.#pieceStarts = new Int32Array(limits.words + 1);
    this.#bytes = new Uint8Array(limits.bytes);
    this.#ids = new Int32Array(limits.pieces);
    this.#ends = new Int32Array(limits.pieces);
  }

  /** Words held now. */
  get size(): number {
    return this.#entries;
  }

  /** The entry of the word that is `bytes` from `start` to `end`; {@link ABSENT} if there is none. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const hash = hashOf(bytes, start, end);
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      const entry = this.#slots[slot]! - 1;
      if (this.#hashes[entry] === hash && this.#holds(entry, bytes, start, end)) return entry;
    }
    return ABSENT;
  }

  /** Remembers the pieces of a word that is not there; one too large for the whole cache is not kept. */
  add(bytes: Uint8Array, start: number, end: number, ids: readonly number[], ends: readonly number[]): void {
    const { words, bytes: room, pieces } = this.#limits;
    if (end - start > room || ids.length > pieces) return;
    const full =
      this.#entries === words ||
      this.#byteStarts[this.#entries]! + end - start > room ||
      this.#pieceStarts[this.#entries]! + ids.length > pieces;
    if (full) {
      this.#slots.fill(0);
      this.#entries = 0;
    }
    const entry = this.#entries++;
    const at = this.#byteStarts[entry]!;
    const piece = this.#pieceStarts[entry]!;
    for (let i = start; i < end; i++) this.#bytes[at + i - start] = bytes[i]!;
    this.#ids.set(ids, piece);
    this.#ends.set(ends, piece);
    this.#byteStarts[entry + 1] = at + end - start;
    this.#pieceStarts[entry + 1] = piece + ids.length;
    const hash = hashOf(bytes, start, end);
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = entry + 1;
    this.#hashes[entry] = hash;
  }

  /** Appends an entry's pieces to lists; `offset` is added to their ends. Returns how many they are. */
  read(entry: number, offset: number, ids: number[], ends: number[]): number {
    const first = this.#pieceStarts[entry]!;
    const last = this.#pieceStarts[entry + 1]!;
    for (let i = first; i < last; i++) {
      ids.push(this.#ids[i]!);
      ends.push(offset + this.#ends[i]!);
    }
    return last - first;
  }

  #holds(entry: number, bytes: Uint8Array, start: number, end: number): boolean {
    const at = this.#byteStarts[entry]!;
    if (this.#byteStarts[entry + 1]! - at !== end - start) return false;
    for (let i = start; i < end; i++) if (this.#bytes[at + i - start] !== bytes[i]) return false;
    return true;
  }
}

/** FNV-1a (Fowler, Noll & Vo), its bits mixed once more, for the table uses the low ones. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash ^ (hash >>> 15);
}
