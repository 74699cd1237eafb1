import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/random.js';
import { embeddedReberString, REBER_SYMBOLS, reberString } from '../../src/task/reber.js';
import { labelPrefixes, TOMITA, TomitaSampler } from '../../src/task/tomita.js';

// Each generator against an acceptor that shares nothing with it: regular expressions and counting.

/** Reber's grammar by its two loops: upper branch TS*X, lower branch PT*V, each able to cross into the other. */
const REBER =
  /^B(TS*(S|XXT*VPXT*VV)|TS*X(X(T*VPX)*T*VV|XT*V(PXT*V)*PS|S)|PT*V(V|PS|PX(T*VPX)*T*VV|PXT*V(PXT*V)*PS))E$/;

/** What may follow a prefix, by trying every symbol against all strings of the grammar up to a length. */
function followers(prefix: string, language: ReadonlySet<string>): string {
  return Array.from(REBER_SYMBOLS)
    .filter((symbol) => [...language].some((text) => text.startsWith(prefix + symbol)))
    .join('');
}

describe("Reber's grammar", () => {
  const random = new Random(1);
  const drawn = Array.from({ length: 3000 }, () => reberString(random));

  it('gives strings that an independent expression accepts', () => {
    for (const { text } of drawn) expect(text).toMatch(REBER);
  });

  it('names exactly the symbols that may follow', () => {
    const language = new Set(drawn.map(({ text }) => text));
    const seen = new Set<string>();
    for (const { text, next } of drawn.filter(({ text }) => text.length <= 9)) {
      expect(next).toHaveLength(text.length - 1);
      next.forEach((legal, t) => {
        const prefix = text.slice(0, t + 1);
        if (seen.has(prefix)) return;
        seen.add(prefix);
        expect([...legal].sort().join(''), prefix).toBe([...followers(prefix, language)].sort().join(''));
      });
    }
  });

  it('takes both branches equally often', () => {
    const upper = drawn.filter(({ text }) => text[1] === 'T').length;
    // Standard deviation of 3000 tosses: 27.
    expect(Math.abs(upper - 1500)).toBeLessThan(140);
  });

  it('is embedded between two equal symbols', () => {
    for (let k = 0; k < 500; k++) {
      const { text, next } = embeddedReberString(random);
      expect(text).toMatch(/^B([TP])(B.*E)\1E$/);
      expect(text.slice(2, -2)).toMatch(REBER);
      expect(next).toHaveLength(text.length - 1);
      expect(next.every((legal, t) => legal.includes(text[t + 1]!))).toBe(true);
      expect(next.at(-2)).toBe(text[1]);
    }
    const { text, next } = embeddedReberString(random, 3);
    expect(text).toMatch(/^B([TP])(B[^B]*E){3}\1E$/);
    for (const inner of text.slice(2, -2).split(/(?<=E)/)) expect(inner).toMatch(REBER);
    expect(next).toHaveLength(text.length - 1);
    expect(next.every((legal, t) => legal.includes(text[t + 1]!))).toBe(true);
  });
});

/** The seven languages as their descriptions say them. */
const count = (text: string, symbol: string): number => text.split(symbol).length - 1;
const ACCEPTORS: readonly ((text: string) => boolean)[] = [
  (text) => /^1*$/.test(text),
  (text) => /^(10)*$/.test(text),
  (text) => !/(^|0)(11)*1(00)*0(1|$)/.test(text),
  (text) => !text.includes('000'),
  (text) => count(text, '0') % 2 === 0 && count(text, '1') % 2 === 0,
  (text) => (count(text, '0') - count(text, '1')) % 3 === 0,
  (text) => /^0*1*0*1*$/.test(text),
];

describe("Tomita's languages", () => {
  TOMITA.forEach((grammar, index) => {
    const accepts = ACCEPTORS[index]!;

    it(`${index + 1}: ${grammar.description}: the automaton accepts what the description does, all strings to 12`, () => {
      for (let length = 0; length <= 12; length++) {
        for (let number = 0; number < 2 ** length; number++) {
          const text = length === 0 ? '' : number.toString(2).padStart(length, '0');
          const { accepted } = labelPrefixes(grammar, Array.from(text, Number));
          expect(accepted.at(-1), text).toBe(accepts(text));
        }
      }
    });

    it(`${index + 1}: draws what it was asked for, of any length`, () => {
      const sampler = new TomitaSampler(grammar, 100);
      const random = new Random(index);
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 100 }), fc.boolean(), (length, wanted) => {
          const drawn = sampler.draw(length, wanted, random);
          if (drawn === null) return;
          expect(drawn.symbols).toHaveLength(length);
          expect(accepts(drawn.symbols.join(''))).toBe(wanted);
          const miss = sampler.nearMiss(length, random);
          if (miss !== null) expect(accepts(miss.symbols.join(''))).toBe(false);
        }),
        { numRuns: 60, seed: index },
      );
    });
  });

  it('has no string of odd length in (10)*, and draws evenly where there are several', () => {
    const random = new Random(7);
    expect(new TomitaSampler(TOMITA[1]!, 5).draw(5, true, random)).toBeNull();
    // Without 000 there are 13 strings of length 4: 16 less 0000, 0001, 1000.
    const sampler = new TomitaSampler(TOMITA[3]!, 4);
    const tally = new Map<string, number>();
    for (let k = 0; k < 1300; k++) {
      const text = sampler.draw(4, true, random)!.symbols.join('');
      tally.set(text, (tally.get(text) ?? 0) + 1);
    }
    expect(tally.size).toBe(13);
    // Expected 100 each, standard deviation under 10.
    for (const times of tally.values()) expect(Math.abs(times - 100)).toBeLessThan(45);
  });
});
