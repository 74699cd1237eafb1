import { compareCodePoints } from './code-points.js';
import type { Alphabet, CodedWords, CountedCharacter } from './counted-text.js';
import { digamma } from './digamma.js';
import { Lattice } from './lattice.js';
import type { CodedPieces } from './piece-trie.js';
import type { Substrings } from './substrings.js';

/** A piece of a unigram model and ln of its probability. */
export interface ScoredPiece {
  readonly piece: string;
  readonly score: number;
}

/** What unigram training can be told. */
export interface UnigramOptions {
  readonly vocabSize: number;
  readonly shrinkingFactor: number;
  readonly numSubIterations: number;
}

/** Pieces expected less often than this in the whole text are dropped. */
const LEAST_EXPECTED = 0.5;
/** Training prunes down to so many times the wanted size; the most likely of those are the model. */
const SURPLUS = 1.1;
/** Characters that lost their piece get it back, each a little more likely than the one before. */
const CHARACTER_STEP = 0.0001;

/** Pieces with ln of their probabilities. */
interface Model {
  readonly pieces: CodedPieces;
  readonly scores: Float32Array;
}

/**
 * Learns a unigram language model of pieces (Kudo 2018): from all seeds, `numSubIterations` of EM and a pruning
 * in turn, until few enough pieces are left.
 *
 * @param words Counted words.
 * @param characters Those that every model holds, with their counts, the most frequent first.
 * @param seeds Substrings to begin with.
 * @param room Pieces of the model, special ones not counted.
 * @returns Pieces, the most likely first; fewer than `room` if the text has no more.
 */
export function trainUnigram(
  words: CodedWords,
  alphabet: Alphabet,
  characters: readonly CountedCharacter[],
  seeds: Substrings,
  room: number,
  options: UnigramOptions,
  onPass: (pieces: number) => void = () => {},
): ScoredPiece[] {
  const wanted = Math.floor(options.vocabSize * SURPLUS);
  let model = seedModel(alphabet, characters, seeds);
  for (;;) {
    for (let i = 0; i < options.numSubIterations; i++) {
      model = maximize(model, expectations(model, words));
      onPass(model.scores.length);
    }
    if (model.scores.length <= wanted) break;
    model = prune(model, words, Math.max(wanted, Math.floor(options.shrinkingFactor * model.scores.length)));
  }
  return finalPieces(model, alphabet, characters, room);
}

/** Characters and substrings, each as likely as the share of the text that it covers. */
function seedModel(alphabet: Alphabet, characters: readonly CountedCharacter[], seeds: Substrings): Model {
  const offset = characters.length;
  const size = offset + seeds.starts.length;
  // Characters stand before the text that the seeds point into.
  const codes = new Int32Array(offset + seeds.codes.length);
  codes.set(seeds.codes, offset);
  const starts = new Int32Array(size);
  const lengths = new Int32Array(size).fill(1);
  const scores = new Float64Array(size);
  characters.forEach(({ character, count }, i) => {
    codes[i] = alphabet.code(character.codePointAt(0)!);
    starts[i] = i;
    scores[i] = count;
  });
  starts.set(
    seeds.starts.map((start) => start + offset),
    offset,
  );
  lengths.set(seeds.lengths, offset);
  scores.set(seeds.scores, offset);
  const total = Math.log(sum(scores));
  return {
    pieces: { codes, starts, lengths },
    scores: Float32Array.from(scores, (x) => Math.log(x) - total),
  };
}

/** E step: how often each piece is expected in the text. */
function expectations(model: Model, { codes, starts, counts }: CodedWords): Float64Array {
  const lattice = new Lattice(model.pieces, model.scores);
  const expected = new Float64Array(model.scores.length);
  for (let word = 0; word < counts.length; word++) {
    lattice.load(codes, starts[word]!, starts[word + 1]!);
    lattice.addExpectations(counts[word]!, expected);
  }
  return expected;
}

/**
 * M step: ln p of a piece is ψ(its expected count) − ψ(that of all), the variational estimate under a sparse
 * Dirichlet prior (Liang & Klein, ACL 2007 tutorial), which pushes rare pieces down further than their share.
 */
function maximize(model: Model, expected: Float64Array): Model {
  const kept: number[] = [];
  for (let i = 0; i < expected.length; i++) if (expected[i]! >= LEAST_EXPECTED) kept.push(i);
  const total = digamma(kept.reduce((total, i) => total + expected[i]!, 0));
  return {
    pieces: select(model.pieces, kept),
    scores: Float32Array.from(kept, (i) => digamma(expected[i]!) - total),
  };
}

function select({ codes, starts, lengths }: CodedPieces, kept: readonly number[]): CodedPieces {
  return {
    codes,
    starts: Int32Array.from(kept, (i) => starts[i]!),
    lengths: Int32Array.from(kept, (i) => lengths[i]!),
  };
}

/**
 * Keeps the `size` pieces whose loss would cost most: the drop in the text's likelihood if each use of the piece
 * were cut into the next best pieces. A piece that is itself better cut, or that the best segmentation of the text
 * does not use, goes at once.
 */
function prune(model: Model, { codes, starts, counts }: CodedWords, size: number): Model {
  const { pieces, scores } = model;
  const lattice = new Lattice(pieces, scores);
  const uses = new Float64Array(scores.length);
  for (let word = 0; word < counts.length; word++) {
    lattice.load(codes, starts[word]!, starts[word + 1]!);
    for (const piece of lattice.bestPath()?.pieces ?? []) uses[piece]! += counts[word]!;
  }
  const textCount = sum(counts);
  const total = sum(uses);
  const kept: number[] = [];
  const candidates: { piece: number; loss: number }[] = [];
  for (let piece = 0; piece < scores.length; piece++) {
    const count = uses[piece]!;
    if (count === 0) continue;
    const start = pieces.starts[piece]!;
    lattice.load(pieces.codes, start, start + pieces.lengths[piece]!);
    const cut = lattice.bestPath(true);
    if (cut === null) {
      kept.push(piece); // a character
      continue;
    }
    if (cut.score > scores[piece]!) continue;
    // Without the piece, each of the others is used `count` times more.
    const cutTotal = Math.log(total + count * (cut.pieces.length - 1));
    let cutScore = 0;
    for (const other of cut.pieces) cutScore += Math.log(uses[other]! + count) - cutTotal;
    const loss = (count / textCount) * (Math.log(count) - Math.log(total) - cutScore);
    candidates.push({ piece, loss: Math.fround(loss) });
  }
  candidates.sort((a, b) => b.loss - a.loss || a.piece - b.piece);
  for (const { piece } of candidates.slice(0, Math.max(0, size - kept.length))) kept.push(piece);
  return { pieces: select(pieces, kept), scores: Float32Array.from(kept, (i) => scores[i]!) };
}

/** All characters, and the most likely of the other pieces. */
function finalPieces(
  { pieces, scores }: Model,
  alphabet: Alphabet,
  characters: readonly CountedCharacter[],
  room: number,
): ScoredPiece[] {
  const { codes, starts, lengths } = pieces;
  const all: ScoredPiece[] = Array.from(scores, (score, i) => ({
    piece: alphabet.text(codes, starts[i]!, starts[i]! + lengths[i]!),
    score,
  })).sort(byScore);
  const learned = new Map(all.map(({ piece, score }) => [piece, score]));
  const least = all.at(-1)!.score;
  let missing = 0;
  const final = characters.map(({ character }): ScoredPiece => {
    const score = learned.get(character) ?? least + CHARACTER_STEP * missing++;
    return { piece: character, score: Math.fround(score) };
  });
  const present = new Set(characters.map(({ character }) => character));
  for (const entry of all) {
    if (final.length >= room) break;
    if (!present.has(entry.piece)) final.push(entry);
  }
  return final.sort(byScore);
}

function byScore(a: ScoredPiece, b: ScoredPiece): number {
  return b.score - a.score || compareCodePoints(a.piece, b.piece);
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
