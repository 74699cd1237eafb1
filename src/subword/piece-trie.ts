/** Pieces, each a stretch of `codes`, numbered in their order. */
export interface CodedPieces {
  readonly codes: Int32Array;
  readonly starts: Int32Array;
  readonly lengths: Int32Array;
}

const NONE = -1;

/**
 * A trie of pieces, to find all pieces that begin at a place of a text. All edges are in one hash table (open
 * addressing) by node and character, so that building it is one pass.
 */
export class PieceTrie {
  /** The piece that ends at each node, -1 if none does. Node 0 is the root. */
  readonly pieceAt: Int32Array;
  readonly #mask: number;
  readonly #nodes: Int32Array;
  readonly #codes: Int32Array;
  readonly #children: Int32Array;

  constructor({ codes, starts, lengths }: CodedPieces) {
    const most = lengths.reduce((sum, length) => sum + length, 1);
    let slots = 16;
    while (slots < 2 * most) slots *= 2;
    this.#mask = slots - 1;
    this.#nodes = new Int32Array(slots);
    this.#codes = new Int32Array(slots);
    this.#children = new Int32Array(slots).fill(NONE);
    this.pieceAt = new Int32Array(most).fill(NONE);
    let size = 1;
    for (let piece = 0; piece < lengths.length; piece++) {
      let node = 0;
      for (let i = starts[piece]!, end = i + lengths[piece]!; i < end; i++) {
        const slot = this.#slot(node, codes[i]!);
        if (this.#children[slot] === NONE) {
          this.#nodes[slot] = node;
          this.#codes[slot] = codes[i]!;
          this.#children[slot] = size++;
        }
        node = this.#children[slot]!;
      }
      this.pieceAt[node] = piece;
    }
  }

  /** The node that this character leads to, -1 if none. */
  child(node: number, code: number): number {
    return this.#children[this.#slot(node, code)]!;
  }

  #slot(node: number, code: number): number {
    let hash = Math.imul(node, 0x9e3779b1) ^ Math.imul(code, 0x85ebca6b);
    hash ^= hash >>> 15;
    hash = Math.imul(hash, 0x2c1b3c6d);
    let slot = (hash ^ (hash >>> 13)) & this.#mask;
    while (this.#children[slot] !== NONE && (this.#nodes[slot] !== node || this.#codes[slot] !== code)) {
      slot = (slot + 1) & this.#mask;
    }
    return slot;
  }
}
