import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BeamEditDistance } from '../../src/metrics/beam-edit-distance.js';
import { editDistance } from '../../src/metrics/edit-distance.js';
import { formatTer, sentenceTer, type TerOptions, ter } from '../../src/metrics/ter.js';
import { translationEdits } from '../../src/metrics/ter-shifts.js';
import { terTokenizer } from '../../src/metrics/ter-tokenizer.js';
import { Random } from '../../src/random.js';

const edits = (hypothesis: string, reference: string) =>
  translationEdits(hypothesis.split(' '), reference.split(' '));

describe('translationEdits', () => {
  it.each([
    // [hypothesis, reference, edits]
    ['a b c d', 'a b c d', 0],
    ['b c d a', 'a b c d', 1], // one shift; Levenshtein needs 2
    ['d e a b c', 'a b c d e', 1], // a phrase moves as one; Levenshtein needs 4
    ['a x c d', 'a b c d', 1],
    ['a c d', 'a b c d', 1],
    ['a b b c d', 'a b c d', 1],
    ['c d a x', 'a b c d', 2], // the shift of "c d", then a substitution
    ['x y z', 'a b c d', 4],
    // Of the form of Snover et al. 2006, section 3: one shift, two substitutions, one insertion.
    ['t w T S d i p n y k l', 'S A d t w i p n m y k l', 4],
  ])('%s -> %s', (hypothesis, reference, expected) => {
    expect(edits(hypothesis, reference)).toBe(expected);
  });

  it('counts words of one side as insertions or deletions', () => {
    expect(translationEdits([], ['a', 'b'])).toBe(2);
    expect(translationEdits(['a', 'b'], [])).toBe(2);
    expect(translationEdits([], [])).toBe(0);
  });

  it('lies between the true minimum over all orders of shifts and the edit distance without shifts', () => {
    const words = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(words, words, (hypothesis, reference) => {
        const found = translationEdits(hypothesis, reference);
        expect(found).toBeLessThanOrEqual(editDistance(hypothesis, reference));
        expect(found).toBeGreaterThanOrEqual(fewestEdits(hypothesis, reference));
      }),
    );
  });

  it('finds the one move that made the hypothesis, among different words', () => {
    const random = new Random(4);
    for (let turn = 0; turn < 100; turn++) {
      const reference = Array.from({ length: 3 + random.integer(30) }, (_, i) => `w${i}`);
      const hypothesis = [...reference];
      const phrase = hypothesis.splice(random.integer(hypothesis.length), 1 + random.integer(9));
      hypothesis.splice(random.integer(hypothesis.length + 1), 0, ...phrase);
      expect(translationEdits(hypothesis, reference)).toBeLessThanOrEqual(1);
    }
  });
});

/** Breadth first over all shifts of all phrases: shifts so far + edit distance, the least of all. */
function fewestEdits(hypothesis: string[], reference: string[]): number {
  let best = editDistance(hypothesis, reference);
  let level = [hypothesis];
  const seen = new Set([hypothesis.join(' ')]);
  for (let shifts = 1; shifts < best; shifts++) {
    const next: string[][] = [];
    for (const words of level) {
      for (let from = 0; from < words.length; from++) {
        for (let end = from + 1; end <= words.length; end++) {
          const rest = [...words.slice(0, from), ...words.slice(end)];
          for (let to = 0; to <= rest.length; to++) {
            const moved = [...rest.slice(0, to), ...words.slice(from, end), ...rest.slice(to)];
            if (seen.has(moved.join(' '))) continue;
            seen.add(moved.join(' '));
            next.push(moved);
            best = Math.min(best, shifts + editDistance(moved, reference));
          }
        }
      }
    }
    level = next;
  }
  return best;
}

describe('BeamEditDistance', () => {
  const random = new Random(9);
  const draw = (length: number, kinds: number) => Int32Array.from({ length }, () => random.integer(kinds));
  const plain = (a: Int32Array, b: Int32Array) => editDistance(Array.from(a, String), Array.from(b, String));

  it('is the edit distance where the beam holds the whole table', () => {
    for (let turn = 0; turn < 200; turn++) {
      const reference = draw(1 + random.integer(12), 4);
      const hypothesis = draw(random.integer(13), 4);
      expect(new BeamEditDistance(reference, hypothesis.length).align(hypothesis).distance).toBe(
        plain(hypothesis, reference),
      );
    }
  });

  it('never goes below the edit distance, and meets it for long lines that are alike', () => {
    for (let turn = 0; turn < 20; turn++) {
      const reference = draw(150, 30);
      const hypothesis = reference.map((word) => (random.next() < 0.1 ? random.integer(30) : word));
      const { distance } = new BeamEditDistance(reference, 150).align(hypothesis);
      expect(distance).toBe(plain(hypothesis, reference));
      const other = draw(30 + random.integer(300), 5);
      const wide = new BeamEditDistance(reference, other.length).align(other).distance;
      expect(wide).toBeGreaterThanOrEqual(plain(other, reference));
      // Near enough to be sure of it: few edits, unequal lengths.
      const near = reference.filter(() => random.next() < 0.9);
      const distances = new BeamEditDistance(reference, near.length);
      const found = distances.align(near).distance;
      if (distances.exact(found)) expect(found).toBe(plain(near, reference));
    }
  });

  it('aligns: the errors and the neighbours add up to the distance', () => {
    for (let turn = 0; turn < 100; turn++) {
      const reference = draw(1 + random.integer(40), 5);
      const hypothesis = draw(random.integer(60), 5);
      const found = new BeamEditDistance(reference, hypothesis.length).align(hypothesis);
      const { distance, beside, hypothesisErrors, referenceErrors } = found;
      const count = (errors: Uint8Array) => errors.filter((error) => error === 1).length;
      // Unmatched words on both sides are substitutions where they pair, else deletions and insertions.
      expect(distance).toBeGreaterThanOrEqual(Math.max(count(hypothesisErrors), count(referenceErrors)));
      expect(distance).toBeLessThanOrEqual(count(hypothesisErrors) + count(referenceErrors));
      for (const [at, error] of referenceErrors.entries()) {
        if (error === 0) expect(hypothesis[beside[at]!]).toBe(reference[at]);
        if (at > 0) expect(beside[at]).toBeGreaterThanOrEqual(beside[at - 1]!);
      }
    }
  });

  it('goes on from the aligned tables to the same distance, or says that it is above the limit', () => {
    for (let turn = 0; turn < 200; turn++) {
      const reference = draw(1 + random.integer(80), 6);
      const first = draw(1 + random.integer(80), 6);
      const from = random.integer(first.length);
      const end = from + random.integer(first.length - from + 1);
      const second = first.map((word, at) => (at < from || at >= end ? word : random.integer(6)));
      const exact = new BeamEditDistance(reference, second.length).align(second).distance;
      const distances = new BeamEditDistance(reference, first.length);
      distances.align(first);
      const limit = random.integer(90);
      const found = distances.atMost(limit, second, from, end);
      if (exact <= limit) expect(found).toBe(exact);
      else expect(found).toBeGreaterThan(limit);
    }
  });
});

describe('ter', () => {
  it('divides the edits of the corpus by its reference words', () => {
    const score = ter(['the cat sat', 'mat the on it is'], ['the cat sits', 'on the mat it is']);
    // 1 substitution; "mat" and "on" change places by two shifts or two substitutions.
    expect(score).toMatchObject({ metric: 'TER', edits: 3, referenceLength: 8 });
    expect(score.score).toBe(100 * (3 / 8));
  });

  it('takes the fewest edits over the mean length of the references', () => {
    expect(sentenceTer('a b c', ['a b c d e', 'a b'])).toMatchObject({ edits: 1, referenceLength: 3.5 });
    expect(sentenceTer('a b', ['x', ''])).toMatchObject({ edits: 2, referenceLength: 0.5, score: 400 });
  });

  it('is 100 for words without a reference word, 0 for none at all', () => {
    expect([sentenceTer('a b', '').score, sentenceTer('', '').score, sentenceTer('', 'a').score]).toEqual([
      100, 0, 100,
    ]);
  });

  it('does not depend on case unless asked', () => {
    expect(sentenceTer('The Cat', 'the cat').score).toBe(0);
    expect(sentenceTer('The Cat', 'the cat', { caseSensitive: true }).score).toBe(100);
  });

  it('names its settings', () => {
    expect(sentenceTer('a', 'a').signature).toMatch(
      /^nrefs:1\|case:lc\|tok:tercom\|norm:no\|punct:yes\|asian:no\|version:dragoman-/,
    );
    const all = { caseSensitive: true, normalized: true, punctuation: false, asian: true };
    expect(sentenceTer('a', ['a', 'b'], all).signature).toMatch(
      /^nrefs:2\|case:mixed\|tok:tercom\|norm:yes\|punct:no\|asian:yes\|/,
    );
    expect(formatTer(sentenceTer('a b c d', 'a b c x'))).toMatch(/^TER\|nrefs:1\|[^ ]* = 25\.00$/);
  });

  it('takes a thousand words a line', () => {
    const random = new Random(1);
    const reference = Array.from({ length: 1000 }, () => `w${random.integer(300)}`);
    const hypothesis = reference.filter(() => random.next() < 0.9);
    expect(translationEdits(hypothesis, reference)).toBeLessThanOrEqual(editDistance(hypothesis, reference));
  });
});

// Tercom's rules, worked by hand; sacrebleu.test.ts compares them with sacreBLEU.
describe('terTokenizer', () => {
  it.each<[TerOptions, string, string]>([
    [{}, '  Hello, World!  ', 'hello, world!'],
    [{ caseSensitive: true }, 'Hello', 'Hello'],
    [
      { normalized: true },
      "It's Tom's: 3.5% (1,000) &amp; &quot;x&quot; a-b 7-8",
      `it 's tom 's : 3.5 % ( 1,000 ) & " x " a-b 7 - 8`,
    ],
    [{ punctuation: false }, 'Wow, (yes)! a.b "c": d; e?', 'wow yes ab c d e'],
    [{ normalized: true, punctuation: false }, 'a, b.', 'a b'],
    [{ normalized: true }, '東京です。', '東京です。'],
    [{ normalized: true, asian: true }, '東京です。', '東 京 です 。'],
    [{ punctuation: false, asian: true }, '「東京」、です。', '東京です'],
    [{ asian: true }, '東京', '東京'],
  ])('%j %s', (options, line, expected) => {
    expect(terTokenizer(options)(line).join(' ')).toBe(expected);
  });
});

// TER(normalized=True) of sacreBLEU 2.6.0, which prepares references twice.
describe('normalized references', () => {
  it.each([
    ["that 's it.", "it's.", 66.66666666666666],
    ["it's.", "it's.", 66.66666666666666],
    ["John 's dog", "John's, dog's.", 50],
  ])('%s against %s', (hypothesis, reference, score) => {
    expect(sentenceTer(hypothesis, reference, { normalized: true }).score).toBeCloseTo(score, 9);
  });
});
