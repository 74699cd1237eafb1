import { SPACE_SYMBOL } from './model.js';
import { HAN, HIRAGANA, INHERITED, KATAKANA, type Script, scriptOf } from './script.js';

/** What decides whether a string of characters may be a piece; names as in `spm_train`. */
export interface PieceRuleOptions {
  readonly maxSentencepieceLength: number;
  readonly splitByUnicodeScript: boolean;
  readonly splitByWhitespace: boolean;
  readonly splitByNumber: boolean;
  readonly splitDigits: boolean;
  readonly treatWhitespaceAsSuffix: boolean;
}

/** Stands in training text for a character that the vocabulary leaves out. No piece holds it. */
export const LEFT_OUT = 0x2585; // ▅
/** Stands in training text where a symbol of the user's stood. No piece holds it. */
export const BOUNDARY = 0x09;

const SPACE = SPACE_SYMBOL.codePointAt(0)!;
/** The katakana long vowel mark belongs to no script by Unicode, but to Japanese words. */
const LONG_VOWEL = 0x30fc;

/** One character, as the rules see it. */
interface Trait {
  readonly banned: boolean;
  readonly space: boolean;
  readonly digit: boolean;
  /** null: agrees with every script. */
  readonly script: Script | null;
}

/**
 * Says which strings may become pieces, as Google's trainers do: not too long, spaces only at the beginning
 * (or end, or inside, as the options say), one script (kana count as Han, marks as what they stand on).
 */
export class PieceRules {
  readonly #options: PieceRuleOptions;
  readonly #traits: readonly Trait[];

  /** @param alphabet Code points; pieces are given as indices into it. */
  constructor(alphabet: readonly number[], options: PieceRuleOptions) {
    this.#options = options;
    this.#traits = alphabet.map((point) => this.#traitOf(point));
  }

  /** Whether the characters `codes[start]` to `codes[end - 1]` may be a piece. */
  allows(codes: ArrayLike<number>, start: number, end: number): boolean {
    const { maxSentencepieceLength, splitByUnicodeScript, splitDigits } = this.#options;
    const length = end - start;
    if (length < 1 || length > maxSentencepieceLength) return false;
    let script: Script | null = null; // null: none yet, or one that agrees with all
    for (let i = start; i < end; i++) {
      const trait = this.#traits[codes[i]!]!;
      if (trait.banned) return false;
      if (trait.space) {
        if (!this.#spaceAt(i - start, length)) return false;
        continue;
      }
      if (splitDigits && trait.digit && length > 1) return false;
      const here: Script | null = trait.script === INHERITED ? script : trait.script;
      if (splitByUnicodeScript && here !== null && script !== null && here !== script) return false;
      script = here;
    }
    return true;
  }

  #spaceAt(position: number, length: number): boolean {
    const { splitByWhitespace, treatWhitespaceAsSuffix } = this.#options;
    const first = position === 0;
    const last = position === length - 1;
    if (treatWhitespaceAsSuffix) return splitByWhitespace ? last : last || !first;
    return splitByWhitespace ? first : first || !last;
  }

  #traitOf(point: number): Trait {
    // ASCII and full-width digits; the others are letters of their scripts.
    const digit = (point >= 0x30 && point <= 0x39) || (point >= 0xff10 && point <= 0xff19);
    const script = scriptOf(point);
    const japanese = script === HIRAGANA || script === KATAKANA || point === LONG_VOWEL;
    return {
      banned: point === LEFT_OUT || point === BOUNDARY || point === 0 || point === 0x20,
      space: point === SPACE,
      digit,
      script: digit && !this.#options.splitByNumber ? null : japanese ? HAN : script,
    };
  }
}
