import type { Tokenizer } from './tokenizer.js';

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
    // Printable ASCII has no clusters, and needs no segmenter, which is ten times slower than this.
    if (/^[ -~]*$/.test(cased)) return cased.split('');
    return Array.from(this.#segmenter.segment(cased), ({ segment }) => segment);
  }

  join(tokens: readonly string[]): string {
    return tokens.join('');
  }
}
