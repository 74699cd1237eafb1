import type { Alphabet, CodedWords } from './counted-text.js';
import { PairQueue } from './pair-queue.js';
import { PairTable } from './pair-table.js';
import type { PieceRules } from './piece-rules.js';

/**
 * Learns byte-pair merges (Sennrich et al. 2016): again and again the pair of neighbouring symbols that occurs
 * most often becomes a symbol of its own; among equally frequent ones the shorter, then the one that comes first
 * by code points. Returns the texts of the new symbols, in order.
 *
 * The order is that of Google's trainer (SentencePiece 0.2.2), whose habits are kept: `aaa` counts as two pairs
 * `aa`; a pair whose text is already a piece is passed over for good and stays unmerged; pairs that have
 * disappeared from the text still become pieces when nothing else is left.
 *
 * Counts are kept exact as symbols merge. Every merge visits only the places of its pair, and the queue holds
 * counts that may since have fallen, which is seen when they come up: time is near linear in the words.
 */
export function trainBpe(
  words: CodedWords,
  alphabet: Alphabet,
  rules: PieceRules,
  merges: number,
  onMerge: (done: number) => void = () => {},
): string[] {
  const symbols = new SymbolTable(alphabet, rules);
  const text = new SymbolText(words, symbols);
  const { pairs } = text;
  const queue = new PairQueue((a, b) => symbols.precedes(pairs, a, b));
  const enqueue = (): void => {
    for (const pair of text.takeNewPairs()) queue.push(pair, pairs.count[pair]!);
  };
  enqueue();

  const pieces: string[] = [];
  const known = new Set<string>();
  while (pieces.length < merges) {
    const entry = queue.pop();
    if (entry === null) break;
    const { pair } = entry;
    const count = pairs.count[pair]!;
    if (entry.count !== count) {
      queue.push(pair, count);
      continue;
    }
    const piece = symbols.pairText(pairs, pair);
    if (known.has(piece)) continue;
    known.add(piece);
    pieces.push(piece);
    text.merge(pair);
    enqueue();
    onMerge(pieces.length);
  }
  return pieces;
}

/** The symbols: characters first, then what merges made, each with its characters. */
class SymbolTable {
  readonly #alphabet: Alphabet;
  readonly #rules: PieceRules;
  /** The characters of all symbols in a row, and where each begins. */
  readonly #codes: number[] = [];
  readonly #starts: number[] = [0];
  /** Characters of each symbol. */
  readonly lengths: number[] = [];
  readonly #scratch: number[] = [];

  constructor(alphabet: Alphabet, rules: PieceRules) {
    this.#alphabet = alphabet;
    this.#rules = rules;
    for (let code = 0; code <= alphabet.leftOut; code++) this.#append([code]);
  }

  /** The symbol that no pair holds. */
  get barrier(): number {
    return this.#alphabet.leftOut;
  }

  #append(codes: readonly number[]): number {
    for (const code of codes) this.#codes.push(code);
    this.#starts.push(this.#codes.length);
    return this.lengths.push(codes.length) - 1;
  }

  #join(left: number, right: number): readonly number[] {
    const joined = this.#scratch;
    joined.length = 0;
    for (let i = this.#starts[left]!; i < this.#starts[left + 1]!; i++) joined.push(this.#codes[i]!);
    for (let i = this.#starts[right]!; i < this.#starts[right + 1]!; i++) joined.push(this.#codes[i]!);
    return joined;
  }

  /** Makes a symbol of two. */
  merge(left: number, right: number): number {
    return this.#append(this.#join(left, right));
  }

  mayJoin(left: number, right: number): boolean {
    const joined = this.#join(left, right);
    return this.#rules.allows(joined, 0, joined.length);
  }

  pairText(pairs: PairTable, pair: number): string {
    return this.#alphabet.text(this.#join(pairs.left[pair]!, pairs.right[pair]!));
  }

  /** Whether pair `a` comes before the equally frequent pair `b`. */
  precedes(pairs: PairTable, a: number, b: number): boolean {
    const { lengths } = this;
    const leftA = lengths[pairs.left[a]!]!;
    const leftB = lengths[pairs.left[b]!]!;
    const lengthA = leftA + lengths[pairs.right[a]!]!;
    const lengthB = leftB + lengths[pairs.right[b]!]!;
    if (lengthA !== lengthB) return lengthA < lengthB;
    // Codes are in the order of code points, so comparing them compares the texts.
    let atA = this.#starts[pairs.left[a]!]!;
    let atB = this.#starts[pairs.left[b]!]!;
    for (let i = 0; i < lengthA; i++) {
      if (i === leftA) atA = this.#starts[pairs.right[a]!]!;
      if (i === leftB) atB = this.#starts[pairs.right[b]!]!;
      const difference = this.#codes[atA++]! - this.#codes[atB++]!;
      if (difference !== 0) return difference < 0;
    }
    return a < b;
  }
}

/**
 * The words as symbols. A symbol stands in the cell of its first character, the cells of its others are below 0,
 * and the last of these is minus its length, so that the neighbours on both sides are one step away.
 */
class SymbolText {
  readonly pairs = new PairTable();
  readonly #symbols: SymbolTable;
  /** Words with a barrier before each and behind the last. */
  readonly #cells: Int32Array;
  readonly #wordOf: Int32Array;
  readonly #counts: Float64Array;
  #newPairs: number[] = [];

  constructor({ codes, starts, counts }: CodedWords, symbols: SymbolTable) {
    this.#symbols = symbols;
    this.#counts = counts;
    this.#cells = new Int32Array(codes.length + counts.length + 1).fill(symbols.barrier);
    this.#wordOf = new Int32Array(this.#cells.length);
    for (let word = 0; word < counts.length; word++) {
      const shift = word + 1; // barriers so far
      for (let i = starts[word]!; i < starts[word + 1]!; i++) {
        this.#cells[i + shift] = codes[i]!;
        this.#wordOf[i + shift] = word;
        if (i > starts[word]!) this.#addPair(i + shift - 1, i + shift);
      }
    }
  }

  /** The pairs that came up since the last call. */
  takeNewPairs(): readonly number[] {
    const taken = this.#newPairs;
    this.#newPairs = [];
    return taken;
  }

  /** Makes the two symbols of a pair one, wherever they stand side by side. */
  merge(pair: number): void {
    const cells = this.#cells;
    const { lengths } = this.#symbols;
    const left = this.pairs.left[pair]!;
    const right = this.pairs.right[pair]!;
    const merged = this.#symbols.merge(left, right);
    const length = lengths[merged]!;
    for (const at of this.pairs.takePlaces(pair)) {
      const second = at + lengths[left]!;
      // Earlier merges changed the neighbourhood, or this one: of `aaa` only the first `aa` is left.
      if (cells[at] !== left || cells[second] !== right) continue;
      const next = at + length;
      const before = cells[at - 1]!;
      const previous = before >= 0 ? at - 1 : at + before;
      this.#removePair(previous, at, pair);
      this.#removePair(second, next, pair);
      cells[at] = merged;
      cells[second] = -1;
      cells[next - 1] = -length;
      this.#addPair(previous, at);
      this.#addPair(at, next);
    }
  }

  /** Counts the pair of the symbols in these cells. */
  #addPair(leftCell: number, rightCell: number): void {
    const left = this.#cells[leftCell]!;
    const right = this.#cells[rightCell]!;
    const { barrier } = this.#symbols;
    if (left === barrier || right === barrier) return;
    let pair = this.pairs.find(left, right);
    if (pair < 0) {
      if (!this.#symbols.mayJoin(left, right)) return;
      pair = this.pairs.add(left, right);
      this.#newPairs.push(pair);
    }
    this.pairs.count[pair]! += this.#counts[this.#wordOf[leftCell]!]!;
    this.pairs.addPlace(pair, leftCell);
  }

  #removePair(leftCell: number, rightCell: number, merging: number): void {
    const pair = this.pairs.find(this.#cells[leftCell]!, this.#cells[rightCell]!);
    if (pair >= 0 && pair !== merging) this.pairs.count[pair]! -= this.#counts[this.#wordOf[leftCell]!]!;
  }
}
