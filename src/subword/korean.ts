import type { SpelledRules } from './charsmap.js';

/** Korean syllables are composed by rule (Unicode, section 3.12): leading consonant, vowel, trailing consonant or none. */
const FIRST = 0xac00;
const LEADING = 19;
const VOWELS = 21;
const TRAILING = 28; // the first is none

export function isSyllable(character: string): boolean {
  const at = character.codePointAt(0)! - FIRST;
  return at >= 0 && at < LEADING * VOWELS * TRAILING;
}

/**
 * What composes into a syllable, by the two or three parts. In all spellings (conjoining, compatibility and half-width
 * letters) these are nine tenths of the rules of NFKC. No other sequence begins with one of their consonants, no rule of
 * case or blanks touches them, and none is redundant, since what they become is one character.
 *
 * @param spellings For a part all characters that are another form of it, itself included; none if there is no other.
 */
export function koreanRules(spellings: ReadonlyMap<string, readonly string[]>): SpelledRules[] {
  const waysOf = (part: string): readonly string[] => spellings.get(part) ?? [part];
  const trailing = range(1, TRAILING).map((t) => waysOf(String.fromCodePoint(0x11a7 + t)));
  const vowels = range(0, VOWELS).map((v) => waysOf(String.fromCodePoint(0x1161 + v)));
  return range(0, LEADING).map((l) => ({
    ways: waysOf(String.fromCodePoint(0x1100 + l)),
    next: vowels.map((ways, v) => {
      const open = FIRST + (l * VOWELS + v) * TRAILING;
      return {
        ways,
        to: String.fromCodePoint(open),
        next: trailing.map((closing, t) => ({
          ways: closing,
          to: String.fromCodePoint(open + t + 1),
          next: [],
        })),
      };
    }),
  }));
}

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, i) => start + i);
}
