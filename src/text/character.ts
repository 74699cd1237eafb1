import type { Tokenizer } from './tokenizer.js';

/**
 * Text of ranges in which no character joins another: ASCII, Latin, Cyrillic, punctuation, Han. It needs no
 * segmenter, which is ten times slower than splitting.
 */
const ONE_UNIT_EACH = /^[ -~\u00A0-\u02FF\u0400-\u0482\u2010-\u2027\u3001-\u3029\u4E00-\u9FFF]*$/;

/**
 * Grapheme clusters (Unicode Standard Annex 29): what a reader takes for one character, such as a letter with
 * its combining marks or an emoji of several code points, is one token. Blanks are tokens too, so joining is
 * exact (up to case with `lowercase`).
 */
export class CharacterTokenizer implements Tokenizer {
  readonly kind = 'character';
  readonly #lowercase: boolean;
  // The root locale: the same text gives the same tokens on every machine.
  readonly #segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' });

  constructor({ lowercase }: { lowercase: boolean }) {
    this.#lowercase = lowercase;
  }

  segment(text: string): string[] {
    const cased = this.#lowercase ? text.toLowerCase() : text;
    if (ONE_UNIT_EACH.test(cased)) return cased.split('');
    return Array.from(this.#segmenter.segment(cased), ({ segment }) => segment);
  }

  join(tokens: readonly string[]): string {
    return tokens.join('');
  }
}
