import { describe, expect, it } from 'vitest';
import { trainBpe } from '../../src/subword/bpe-trainer.js';
import { compareCodePoints } from '../../src/subword/code-points.js';
import { Alphabet, coveredCharacters, encodeWords, TextCounter } from '../../src/subword/counted-text.js';
import { PieceRules } from '../../src/subword/piece-rules.js';
import { madeText } from './made-text.js';

const OPTIONS = {
  maxSentencepieceLength: 6,
  splitByUnicodeScript: true,
  splitByWhitespace: true,
  splitByNumber: true,
  splitDigits: false,
  treatWhitespaceAsSuffix: false,
};

function counted(lines: readonly string[]): ReadonlyMap<string, number> {
  const counter = new TextCounter(OPTIONS);
  for (const line of lines) counter.add(`▁${line.replaceAll(' ', '▁')}`);
  return counter.counts;
}

/** The twin: counts all pairs of the whole text anew before each merge. */
function recountingBpe(words: ReadonlyMap<string, number>, merges: number): string[] {
  const text = [...words].map(([word, count]) => ({ symbols: [...word], count }));
  // Every pair that ever stood in the text is a candidate, also while a merge is under way (JSON as the key).
  const seen = new Map<string, readonly [string, string]>();
  const dropped = new Set<string>();
  const note = (left: string, right: string): void => {
    const length = [...left, ...right].length;
    if (length > OPTIONS.maxSentencepieceLength || right.startsWith('▁')) return;
    seen.set(JSON.stringify([left, right]), [left, right]);
  };
  for (const { symbols } of text) for (let i = 1; i < symbols.length; i++) note(symbols[i - 1]!, symbols[i]!);
  const pieces: string[] = [];
  while (pieces.length < merges) {
    const counts = new Map<string, number>();
    for (const { symbols, count } of text) {
      for (let i = 1; i < symbols.length; i++) {
        const key = JSON.stringify([symbols[i - 1], symbols[i]]);
        counts.set(key, (counts.get(key) ?? 0) + count);
      }
    }
    const [best] = [...seen]
      .filter(([key]) => !dropped.has(key))
      .map(([key, [left, right]]) => ({ key, left, right, count: counts.get(key) ?? 0 }))
      .sort((a, b) => {
        const [x, y] = [a.left + a.right, b.left + b.right];
        return b.count - a.count || [...x].length - [...y].length || compareCodePoints(x, y);
      });
    if (best === undefined) break;
    dropped.add(best.key);
    const merged = best.left + best.right;
    if (pieces.includes(merged)) continue;
    pieces.push(merged);
    for (const { symbols } of text) {
      for (let i = 0; i + 1 < symbols.length; i++) {
        if (symbols[i] !== best.left || symbols[i + 1] !== best.right) continue;
        symbols.splice(i, 2, merged);
        if (i > 0) note(symbols[i - 1]!, merged);
        if (i + 1 < symbols.length) note(merged, symbols[i + 1]!);
      }
    }
  }
  return pieces;
}

function trained(words: ReadonlyMap<string, number>, merges: number): string[] {
  const alphabet = new Alphabet(coveredCharacters(words, 1));
  return trainBpe(
    encodeWords(words, alphabet),
    alphabet,
    new PieceRules(alphabet.codePoints, OPTIONS),
    merges,
  );
}

describe('trainBpe', () => {
  it.each(['ab', 'a', 'abcde', '漢𠀀字'])('merges as one who counts anew each time: %s', (letters) => {
    for (let seed = 0; seed < 8; seed++) {
      const words = counted(madeText(seed, letters, 12));
      expect(trained(words, 60)).toEqual(recountingBpe(words, 60));
    }
  });

  it('merges the pairs of the paper’s example', () => {
    // Sennrich et al. 2016, section 3.2, there with an end of word instead of ▁ before it.
    const words = new Map([
      ['low', 5],
      ['lower', 2],
      ['newest', 6],
      ['widest', 3],
    ]);
    // es 9, st after it only with es: est 9; then lo 7, low 7, and among the sixes the shorter, then by letters.
    expect(trained(words, 5)).toEqual(['es', 'est', 'lo', 'low', 'ew']);
  });

  it('counts overlapping pairs as Google’s trainer does', () => {
    // aaa holds aa twice: 4 in all, where ab occurs 3 times.
    const words = new Map([
      ['aaa', 2],
      ['ab', 3],
    ]);
    expect(trained(words, 2)).toEqual(['aa', 'ab']);
  });

  it('never joins characters that are left out', () => {
    const words = new Map([['axb', 5]]);
    const alphabet = new Alphabet([
      { character: 'a', count: 5 },
      { character: 'b', count: 5 },
    ]);
    const rules = new PieceRules(alphabet.codePoints, OPTIONS);
    expect(trainBpe(encodeWords(words, alphabet), alphabet, rules, 5)).toEqual([]);
  });
});
