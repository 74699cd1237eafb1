import { DragomanError, excerpt } from '../errors.js';
import { resolveEntities, spaceMarks, spaceStops } from './mteval.js';
import { charactersOf, splitWhitespace } from './python-string.js';

export const BLEU_TOKENIZERS = ['13a', 'intl', 'zh', 'char', 'none'] as const;
/** How BLEU cuts a line into words; part of the signature, since scores of two tokenizers do not compare. */
export type BleuTokenizer = (typeof BLEU_TOKENIZERS)[number];

/** The tokens of one line. */
export type Tokenize = (line: string) => string[];

const tokenizers: Readonly<Record<BleuTokenizer, Tokenize>> = {
  '13a': tokenize13a,
  intl: tokenizeInternational,
  zh: tokenizeChinese,
  char: charactersOf,
  none: splitWhitespace,
};

/** sacreBLEU's other tokenizers, and what each would need that is not here. */
const EXTERNAL: Readonly<Record<string, string>> = {
  'ja-mecab': 'MeCab and a Japanese dictionary',
  'ko-mecab': 'MeCab and a Korean dictionary',
  spm: 'a SentencePiece model from elsewhere',
  flores101: 'a SentencePiece model from elsewhere',
  flores200: 'a SentencePiece model from elsewhere',
  'spBLEU-1K': 'a SentencePiece model from elsewhere',
};

/** @throws DragomanError `usage` for a name that is not in the table. */
export function bleuTokenizerName(name: string): BleuTokenizer {
  if (Object.hasOwn(tokenizers, name)) return name as BleuTokenizer;
  const needs = Object.hasOwn(EXTERNAL, name) ? `, which needs ${EXTERNAL[name]}` : '';
  throw new DragomanError(
    'usage',
    `BLEU tokenizer: expected one of ${BLEU_TOKENIZERS.join(', ')}, got ${excerpt(String(name))}${needs}`,
  );
}

/** @throws DragomanError `usage` for a name that is not in the table. */
export function bleuTokenizer(name: BleuTokenizer): Tokenize {
  return tokenizers[bleuTokenizerName(name)];
}

/**
 * NIST's mteval-v13a, the tokenization of the WMT shared tasks and sacreBLEU's default: entities are resolved;
 * ASCII punctuation but apostrophe, comma, dash and full stop stands alone; comma and full stop do too unless
 * a digit is on both sides; a dash does after a digit.
 */
function tokenize13a(line: string): string[] {
  const text = resolveEntities(line.replaceAll('<skipped>', '').replaceAll('-\n', '').replaceAll('\n', ' '));
  // The blanks at both ends let the "neighbour is no digit" rules see the edge of the line as a neighbour.
  return splitPunctuation(` ${text} `);
}

function splitPunctuation(text: string): string[] {
  return splitWhitespace(spaceStops(spaceMarks(text)));
}

/**
 * NIST's mteval-v14 in its international form: Unicode punctuation stands alone unless it is between numbers (or
 * after one at the end of the line); every symbol stands alone.
 */
function tokenizeInternational(line: string): string[] {
  const spaced = line
    .replaceAll(/(\P{N})(\p{P})/gu, '$1 $2 ')
    .replaceAll(/(\p{P})(\P{N})/gu, ' $1 $2')
    .replaceAll(/\p{S}/gu, ' $& ');
  return splitWhitespace(spaced);
}

// sacreBLEU's blocks: Han, CJK punctuation and strokes, Bopomofo, full-width forms. It also means to list Han's
// Extension B, whose bounds it writes with four digits: what is listed in its place, U+2001 to U+2A6D, is general
// punctuation, arrows and symbols, and Extension B itself is not. Scores compare only if that stays.
const CHINESE =
  /[\u2001-\u2a6d\u2e80-\u2fdf\u2ff0-\u303f\u3100-\u312f\u31a0-\u31bf\u31c0-\u31ef\u3200-\u4db5\u4e00-\u9fbb\uf900-\ufa2d\ufa30-\ufa6a\ufa70-\ufad9\ufe10-\ufe1f\ufe30-\ufe4f\uff00-\uffef]/g;

/** Each Chinese character alone, the rest by the rules of mteval-v13a, as sacreBLEU does it for Chinese. */
function tokenizeChinese(line: string): string[] {
  return splitPunctuation(splitWhitespace(line.replaceAll(CHINESE, ' $& ')).join(' '));
}
