import type { Tokenizer } from './tokenizer.js';

/** On the side of a token where nothing stands between it and its neighbour; else one space does. */
const JOINER = '\uFFED'; // ￭
/** What stands in a token for a character that has a meaning of its own in tokens. */
const ESCAPE = '\uFFEE'; // ￮
const ESCAPED_ESCAPE = `${ESCAPE}0`;
const ESCAPED_JOINER = `${ESCAPE}1`;

// A word is letters with their marks, a number is digits, all else stands alone, with its marks.
const UNITS = /[\p{L}\p{M}]+|\p{N}+|\s|[^\p{L}\p{M}\p{N}\s]\p{M}*/gu;

// Scripts written without spaces would make words of whole sentences: each of their characters is a word.
const SPACELESS = '\\p{sc=Han}\\p{sc=Hira}\\p{sc=Kana}\\p{sc=Thai}\\p{sc=Laoo}\\p{sc=Khmr}\\p{sc=Mymr}';
const HAS_SPACELESS = new RegExp(`[${SPACELESS}]`, 'u');
const UNITS_WITH_SPACELESS = new RegExp(
  `[${SPACELESS}]\\p{M}*|(?:(?![${SPACELESS}])[\\p{L}\\p{M}])+|\\p{N}+|\\s|[^\\p{L}\\p{M}\\p{N}\\s]\\p{M}*`,
  'gu',
);

/** The first of those scripts begins at U+0E01: most text is seen at once to have none of them. */
const MAY_BE_SPACELESS = /[\u0E00-\uFFFF]/;

const WORD = /^[\p{L}\p{M}\p{N}]/u;
const BLANK = /^\s/;
const ASCII_RANKS = Array.from({ length: 128 }, (_, code) => rankByName(String.fromCharCode(code)));

/** How much a unit wants to carry the joiner: a word less than a sign, so that words stay one entry each. */
type Rank = 0 | 1 | 2;

/**
 * Words, numbers and single signs, each a token: `don't, 2x` is `don ￭'￭ t ￭, 2 ￭x`. Tokens are separated by
 * one space unless `￭` says that they touch; any further blank is a token itself. So joining gives back
 * exactly the text (up to case with `lowercase`), whatever blanks it has and even if `￭` is in it, which the
 * tokens write as `￮1` (and `￮` as `￮0`).
 */
export class WordTokenizer implements Tokenizer {
  readonly kind = 'word';
  readonly #lowercase: boolean;

  constructor({ lowercase }: { lowercase: boolean }) {
    this.#lowercase = lowercase;
  }

  segment(text: string): string[] {
    const cased = this.#lowercase ? text.toLowerCase() : text;
    const spaceless = MAY_BE_SPACELESS.test(cased) && HAS_SPACELESS.test(cased);
    const units = cased.match(spaceless ? UNITS_WITH_SPACELESS : UNITS) ?? [];
    const tokens: string[] = [];
    let previous: Rank | null = null; // of the unit before, if it touches this one
    for (let i = 0; i < units.length; i++) {
      const unit = units[i]!;
      // The last space between two units is what separates tokens anyway.
      if (unit === ' ' && i > 0 && i + 1 < units.length && units[i + 1] !== ' ') {
        previous = null;
        continue;
      }
      const rank = ASCII_RANKS[unit.charCodeAt(0)] ?? rankByName(unit);
      let token = unit;
      if (unit.startsWith(JOINER)) token = ESCAPED_JOINER + unit.slice(1);
      else if (unit.startsWith(ESCAPE)) token = ESCAPED_ESCAPE + unit.slice(1);
      if (previous !== null) {
        if (rank >= previous) token = JOINER + token;
        else tokens.push(`${tokens.pop()}${JOINER}`);
      }
      tokens.push(token);
      previous = rank;
    }
    return tokens;
  }

  join(tokens: readonly string[]): string {
    let text = '';
    let touching = true; // no space before the first
    for (const token of tokens) {
      const start = token.startsWith(JOINER) ? 1 : 0;
      const end = token.length > start && token.endsWith(JOINER) ? token.length - 1 : token.length;
      if (!touching && start === 0) text += ' ';
      const body = token.slice(start, end);
      text += body.includes(ESCAPE)
        ? body.replaceAll(ESCAPED_JOINER, JOINER).replaceAll(ESCAPED_ESCAPE, ESCAPE)
        : body;
      touching = end < token.length;
    }
    return text;
  }
}

function rankByName(unit: string): Rank {
  return WORD.test(unit) ? 0 : BLANK.test(unit) ? 2 : 1;
}
