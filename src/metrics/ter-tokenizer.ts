import { resolveEntities, spaceMarks, spaceStops } from './mteval.js';
import { splitWhitespace, trimTrailingWhitespace } from './python-string.js';

/** How TER prepares a line; the names and defaults are tercom's. */
export interface TerTokenization {
  /** Keep case apart; default false. */
  readonly caseSensitive?: boolean;
  /** Tokenize: entities resolved, punctuation and the English possessive split off; default false, words as given. */
  readonly normalized?: boolean;
  /** Keep `. , ? : ; ! " ( )`; default true. */
  readonly punctuation?: boolean;
  /** Also for East Asian text: `normalized` puts every ideograph alone, `punctuation: false` removes its marks. Default false. */
  readonly asian?: boolean;
}

const ASIAN_MARKS =
  '\\u3001\\u3002\\u3008-\\u3011\\u3014-\\u301f\\uff61-\\uff65\\u30fb\\uff0e\\uff0c\\uff1f\\uff1a\\uff1b\\uff01\\uff02\\uff08\\uff09';
const REMOVED = /[.,?:;!"()]/g;
const REMOVED_ASIAN = new RegExp(`[${ASIAN_MARKS}]`, 'g');
// Ideographs with their extension A, strokes, radicals, enclosed and compatibility forms. Tercom also means to part
// runs of kana from other letters, but its patterns match only at the start of a line, where a blank stands: never.
const ALONE_ASIAN = new RegExp(
  `[\\u2e80-\\u2eff\\u31c0-\\u31ef\\u3200-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff\\ufe30-\\ufe4f${ASIAN_MARKS}]`,
  'g',
);

/** The words that TER counts, as tercom (Snover et al. 2006) and sacreBLEU cut them. */
export function terTokenizer(options: TerTokenization): (line: string) => string[] {
  const { caseSensitive = false, normalized = false, punctuation = true, asian = false } = options;
  return (line) => {
    let text = trimTrailingWhitespace(line);
    if (!caseSensitive) text = text.toLowerCase();
    if (normalized) {
      text = resolveEntities(text.replaceAll('\n-', '').replaceAll('\n', ' '));
      text = spaceMarks(` ${text} `).replaceAll("'s ", " 's ");
      text = spaceStops(text);
      if (asian) text = text.replaceAll(ALONE_ASIAN, ' $& ');
    }
    if (!punctuation) {
      text = text.replaceAll(REMOVED, '');
      if (asian) text = text.replaceAll(REMOVED_ASIAN, '');
    }
    return splitWhitespace(text);
  };
}
