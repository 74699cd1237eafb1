import { type CodedPieces, PieceTrie } from './piece-trie.js';

/** How much less likely an unknown character is than the least likely piece, as ln p. */
const UNKNOWN_PENALTY = 10;
/**
 * The piece of an edge over a character that no piece spells: the first one, as in Google's trainer, where it is
 * the most frequent character, `▁` as a rule. Such characters are too few to matter for it.
 */
const UNKNOWN = 0;

/**
 * All ways to segment one word: a graph whose nodes are the gaps between its characters and whose edges are
 * pieces. Loaded with one word after the other; its arrays grow to the longest.
 */
export class Lattice {
  readonly #trie: PieceTrie;
  readonly #scores: Float32Array;
  readonly #unknownScore: number;
  #length = 0;
  /** Edges, in the order of where they begin, the shorter first. */
  #edges = 0;
  #from = new Int32Array(256);
  #to = new Int32Array(256);
  #piece = new Int32Array(256);
  #score = new Float64Array(256);
  /** For each gap: ln of the summed probability of all ways up to it, and from it on. */
  #forward = new Float64Array(64);
  #backward = new Float64Array(64);
  /** For each gap: score of the best way to it and that way's last edge. */
  #best = new Float64Array(64);
  #bestEdge = new Int32Array(64);

  /** @param scores ln p of each piece. */
  constructor(pieces: CodedPieces, scores: Float32Array) {
    this.#trie = new PieceTrie(pieces);
    this.#scores = scores;
    this.#unknownScore = scores.reduce((least, score) => Math.min(least, score), Infinity) - UNKNOWN_PENALTY;
  }

  /** Takes up the word `codes[start]` to `codes[end - 1]`. */
  load(codes: Int32Array, start: number, end: number): void {
    this.#length = end - start;
    this.#edges = 0;
    if (this.#length >= this.#best.length) {
      const size = 2 * this.#length;
      this.#forward = new Float64Array(size);
      this.#backward = new Float64Array(size);
      this.#best = new Float64Array(size);
      this.#bestEdge = new Int32Array(size);
    }
    for (let i = start; i < end; i++) {
      let spelled = false;
      let node = 0;
      for (let j = i; j < end; j++) {
        node = this.#trie.child(node, codes[j]!);
        if (node < 0) break;
        const piece = this.#trie.pieceAt[node]!;
        if (piece < 0) continue;
        if (j === i) spelled = true;
        this.#addEdge(i - start, j + 1 - start, piece, this.#scores[piece]!);
      }
      if (!spelled) this.#addEdge(i - start, i + 1 - start, UNKNOWN, this.#unknownScore);
    }
  }

  #addEdge(from: number, to: number, piece: number, score: number): void {
    if (this.#edges === this.#from.length) {
      const larger = (old: Int32Array) => {
        const array = new Int32Array(2 * old.length);
        array.set(old);
        return array;
      };
      this.#from = larger(this.#from);
      this.#to = larger(this.#to);
      this.#piece = larger(this.#piece);
      const scores = new Float64Array(2 * this.#score.length);
      scores.set(this.#score);
      this.#score = scores;
    }
    this.#from[this.#edges] = from;
    this.#to[this.#edges] = to;
    this.#piece[this.#edges] = piece;
    this.#score[this.#edges++] = score;
  }

  /**
   * Adds to `expected[piece]` how often the word, seen `count` times, is expected to contain the piece: the
   * forward-backward algorithm. Returns ln p of the word, all its segmentations together.
   */
  addExpectations(count: number, expected: Float64Array): number {
    const length = this.#length;
    const forward = this.#forward.fill(-Infinity, 0, length + 1);
    const backward = this.#backward.fill(-Infinity, 0, length + 1);
    forward[0] = 0;
    backward[length] = 0;
    for (let e = 0; e < this.#edges; e++) {
      const to = this.#to[e]!;
      forward[to] = logAdd(forward[to]!, forward[this.#from[e]!]! + this.#score[e]!);
    }
    for (let e = this.#edges - 1; e >= 0; e--) {
      const from = this.#from[e]!;
      backward[from] = logAdd(backward[from]!, this.#score[e]! + backward[this.#to[e]!]!);
    }
    const total = forward[length]!;
    for (let e = 0; e < this.#edges; e++) {
      const posterior = forward[this.#from[e]!]! + this.#score[e]! + backward[this.#to[e]!]! - total;
      expected[this.#piece[e]!]! += count * Math.exp(posterior);
    }
    return total;
  }

  /**
   * The most likely segmentation (Viterbi): its pieces from the last to the first, and ln p; null if there is none.
   * Among equally likely ones the longer last piece wins.
   *
   * @param withoutWhole Leave out the piece that is the whole word.
   */
  bestPath(withoutWhole = false): { readonly pieces: number[]; readonly score: number } | null {
    const length = this.#length;
    const best = this.#best.fill(-Infinity, 0, length + 1);
    best[0] = 0;
    for (let e = 0; e < this.#edges; e++) {
      const from = this.#from[e]!;
      const to = this.#to[e]!;
      if (withoutWhole && from === 0 && to === length) continue;
      // Google's scores are 32-bit floats: so are these, for the same choice between equals.
      const score = Math.fround(best[from]! + this.#score[e]!);
      if (score > best[to]!) {
        best[to] = score;
        this.#bestEdge[to] = e;
      }
    }
    if (best[length] === -Infinity) return null;
    const pieces: number[] = [];
    for (let at = length; at > 0; ) {
      const edge = this.#bestEdge[at]!;
      pieces.push(this.#piece[edge]!);
      at = this.#from[edge]!;
    }
    return { pieces, score: best[length]! };
  }
}

/** ln(e^a + e^b) */
function logAdd(a: number, b: number): number {
  if (a === -Infinity) return b;
  return a > b ? a + Math.log1p(Math.exp(b - a)) : b + Math.log1p(Math.exp(a - b));
}
