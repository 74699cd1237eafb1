import { describe, expect, it } from 'vitest';
import {
  Alphabet,
  type CodedWords,
  coveredCharacters,
  encodeWords,
  TextCounter,
} from '../../src/subword/counted-text.js';
import { digamma } from '../../src/subword/digamma.js';
import { Lattice } from '../../src/subword/lattice.js';
import { PieceRules } from '../../src/subword/piece-rules.js';
import type { CodedPieces } from '../../src/subword/piece-trie.js';
import { frequentSubstrings } from '../../src/subword/substrings.js';
import { trainUnigram } from '../../src/subword/unigram-trainer.js';
import { madeText } from './made-text.js';

const OPTIONS = {
  maxSentencepieceLength: 5,
  splitByUnicodeScript: true,
  splitByWhitespace: true,
  splitByNumber: true,
  splitDigits: false,
  treatWhitespaceAsSuffix: false,
};

interface Text {
  readonly counts: ReadonlyMap<string, number>;
  readonly alphabet: Alphabet;
  readonly words: CodedWords;
  readonly rules: PieceRules;
}

function textOf(lines: readonly string[]): Text {
  const counter = new TextCounter(OPTIONS);
  for (const line of lines) counter.add(`▁${line.replaceAll(' ', '▁')}`);
  const alphabet = new Alphabet(coveredCharacters(counter.counts, 1));
  const rules = new PieceRules(alphabet.codePoints, OPTIONS);
  return { counts: counter.counts, alphabet, words: encodeWords(counter.counts, alphabet), rules };
}

/** Every substring's count, and whether it ends a word somewhere or goes on in two ways. */
function bruteSubstrings(counts: ReadonlyMap<string, number>): Map<string, number> {
  const found = new Map<string, { count: number; after: Set<string> }>();
  for (const [word, count] of counts) {
    for (let i = 0; i < word.length; i++) {
      for (let j = i + 2; j <= Math.min(word.length, i + OPTIONS.maxSentencepieceLength); j++) {
        const part = word.slice(i, j);
        const entry = found.get(part) ?? { count: 0, after: new Set() };
        entry.count += count;
        entry.after.add(word[j] ?? 'end');
        found.set(part, entry);
      }
    }
  }
  const kept = [...found].filter(([, { count, after }]) => count > 1 && (after.size > 1 || after.has('end')));
  return new Map(kept.map(([part, { count }]) => [part, count * part.length]));
}

describe('frequentSubstrings', () => {
  it.each(['ab', 'a', 'abcdef'])('finds what a look at every substring finds: %s', (letters) => {
    for (let seed = 0; seed < 10; seed++) {
      const { counts, alphabet, words, rules } = textOf(madeText(seed, letters, 15));
      const found = frequentSubstrings(words, rules, OPTIONS.maxSentencepieceLength, 1e6);
      const texts = Array.from(found.starts, (start, i) =>
        alphabet.text(found.codes, start, start + found.lengths[i]!),
      );
      expect(new Set(texts).size).toBe(texts.length);
      expect(new Map(texts.map((text, i) => [text, found.scores[i]!]))).toEqual(bruteSubstrings(counts));
      const sorted = [...texts.keys()].every((i) => i === 0 || found.scores[i - 1]! >= found.scores[i]!);
      expect(sorted).toBe(true);
    }
  });

  it('keeps the best when there are too many', () => {
    const { words, rules } = textOf(madeText(1, 'abcd', 40, 80));
    const all = frequentSubstrings(words, rules, 5, 1e6);
    const few = frequentSubstrings(words, rules, 5, 20);
    expect(all.starts.length).toBeGreaterThan(100);
    expect(few.scores).toEqual(all.scores.slice(0, 20));
    expect(few.lengths).toEqual(all.lengths.slice(0, 20));
  });
});

/** Pieces given as texts over the alphabet a, b, c, coded 0, 1, 2. */
function pieces(texts: readonly string[]): CodedPieces {
  const code = (text: string): number[] => [...text].map((letter) => 'abc'.indexOf(letter));
  const lengths = Int32Array.from(texts, (text) => text.length);
  let at = 0;
  const starts = lengths.map((length) => {
    at += length;
    return at - length;
  });
  return { codes: Int32Array.from(texts.flatMap(code)), starts, lengths };
}

/** All ways to cut a word into these pieces. */
function* segmentations(word: string, texts: readonly string[]): Generator<number[]> {
  if (word === '') yield [];
  for (const [id, text] of texts.entries()) {
    if (word.startsWith(text)) {
      for (const rest of segmentations(word.slice(text.length), texts)) yield [id, ...rest];
    }
  }
}

describe('Lattice', () => {
  const texts = ['a', 'b', 'c', 'ab', 'bc', 'abc', 'aa', 'cab'];
  const scores = Float32Array.from([0.2, 0.1, 0.15, 0.2, 0.05, 0.1, 0.12, 0.08], Math.log);
  const words = ['a', 'abc', 'aabcab', 'cabcabaabc', 'bbcaaab'];

  it.each(words)('expects pieces as the sum over all segmentations says: %s', (word) => {
    const all = [...segmentations(word, texts)].map((ids) => ({
      ids,
      p: Math.exp(ids.reduce((sum, id) => sum + scores[id]!, 0)),
    }));
    const total = all.reduce((sum, { p }) => sum + p, 0);
    const wanted = new Float64Array(texts.length);
    for (const { ids, p } of all) for (const id of ids) wanted[id]! += (7 * p) / total;

    const lattice = new Lattice(pieces(texts), scores);
    const { codes } = pieces([word]);
    lattice.load(codes, 0, codes.length);
    const expected = new Float64Array(texts.length);
    const logTotal = lattice.addExpectations(7, expected);
    // Both in double precision: what differs is the order of the sums.
    expect(logTotal).toBeCloseTo(Math.log(total), 12);
    for (const [id, value] of expected.entries()) expect(value).toBeCloseTo(wanted[id]!, 10);

    const best = Math.max(...all.map(({ p }) => p));
    expect(lattice.bestPath()?.score).toBeCloseTo(Math.log(best), 5); // scores are 32-bit floats
    const [whole] = all.filter(({ ids }) => ids.length === 1);
    const others = all.filter((way) => way !== whole).map(({ p }) => p);
    const second = lattice.bestPath(true);
    if (others.length === 0) expect(second).toBeNull();
    else expect(second?.score).toBeCloseTo(Math.log(Math.max(...others)), 5);
  });
});

describe('digamma', () => {
  const EULER = 0.5772156649015329;
  it.each([
    [1, -EULER],
    [2, 1 - EULER],
    [0.5, -EULER - 2 * Math.LN2],
    [10, 7129 / 2520 - EULER], // 1 + 1/2 + … + 1/9 − γ
  ])('of %d', (x, value) => expect(digamma(x)).toBeCloseTo(value, 7));

  it('grows by 1/x', () => {
    for (const x of [0.5, 3.25, 6, 12.5, 1e6]) expect(digamma(x + 1) - digamma(x)).toBeCloseTo(1 / x, 7);
  });
});

describe('trainUnigram', () => {
  const text = textOf(madeText(3, 'abcdefgh', 300, 120));
  const characters = coveredCharacters(text.counts, 1);
  const seeds = frequentSubstrings(text.words, text.rules, 5, 1e6);
  const train = (room: number, passes: number[] = []) =>
    trainUnigram(
      text.words,
      text.alphabet,
      characters,
      seeds,
      room,
      { vocabSize: room, shrinkingFactor: 0.75, numSubIterations: 2 },
      (size) => passes.push(size),
    );

  it('comes down to the size wanted, holding every character', () => {
    const passes: number[] = [];
    const model = train(80, passes);
    expect(model.length).toBe(80);
    const names = new Set(model.map(({ piece }) => piece));
    expect(names.size).toBe(80);
    for (const { character } of characters) expect(names).toContain(character);
    expect(passes.at(-1)).toBeLessThanOrEqual(88);
    expect(passes.length % 2).toBe(0);
    expect(model.map(({ score }) => score)).toEqual(
      model.map(({ score }) => score).toSorted((a, b) => b - a),
    );
    // ln p of at most all there is: ψ(x) < ln x keeps the sum a little below 1.
    const mass = model.reduce((sum, { score }) => sum + Math.exp(score), 0);
    expect(mass).toBeGreaterThan(0.8);
    expect(mass).toBeLessThanOrEqual(1);
  });

  it('makes the text more likely the more pieces there are', () => {
    const likelihood = (room: number): number => {
      const model = train(room);
      const texts = model.map(({ piece }) => piece);
      const coded = encodeWords(new Map(texts.map((piece) => [piece, 1])), text.alphabet);
      const set: CodedPieces = {
        codes: coded.codes,
        starts: coded.starts.subarray(0, texts.length),
        lengths: Int32Array.from(texts, (piece) => [...piece].length),
      };
      const lattice = new Lattice(
        set,
        Float32Array.from(model, ({ score }) => score),
      );
      let total = 0;
      for (let word = 0; word < text.words.counts.length; word++) {
        lattice.load(text.words.codes, text.words.starts[word]!, text.words.starts[word + 1]!);
        total += text.words.counts[word]! * lattice.addExpectations(1, new Float64Array(texts.length));
      }
      return total;
    };
    expect(likelihood(120)).toBeGreaterThan(likelihood(60));
    expect(likelihood(60)).toBeGreaterThan(likelihood(20));
  });
});
