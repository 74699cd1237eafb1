import { DragomanError, excerpt } from '../errors.js';
import { splitWhitespace } from './python-string.js';

export const BLEU_TOKENIZERS = ['13a', 'none'] as const;
/** How BLEU cuts a line into words; part of the signature, since scores of two tokenizers do not compare. */
export type BleuTokenizer = (typeof BLEU_TOKENIZERS)[number];

/** The tokens of one line. */
export type Tokenize = (line: string) => string[];

const tokenizers: Readonly<Record<BleuTokenizer, Tokenize>> = { '13a': tokenize13a, none: splitWhitespace };

/** @throws DragomanError `usage` for a name that is not in the table. */
export function bleuTokenizer(name: BleuTokenizer): Tokenize {
  if (!Object.hasOwn(tokenizers, name)) {
    throw new DragomanError(
      'usage',
      `BLEU tokenizer: expected one of ${BLEU_TOKENIZERS.join(', ')}, got ${excerpt(String(name))}`,
    );
  }
  return tokenizers[name];
}

/**
 * NIST's mteval-v13a, the tokenization of the WMT shared tasks and sacreBLEU's default: entities are resolved;
 * ASCII punctuation but apostrophe, comma, dash and full stop stands alone; comma and full stop do too unless
 * a digit is on both sides; a dash does after a digit.
 */
function tokenize13a(line: string): string[] {
  let text = line.replaceAll('<skipped>', '').replaceAll('-\n', '').replaceAll('\n', ' ');
  if (text.includes('&')) {
    // One after the other, as mteval does it: `&amp;lt;` ends as `<`.
    text = text
      .replaceAll('&quot;', '"')
      .replaceAll('&amp;', '&')
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>');
  }
  // The blanks at both ends let the "neighbour is no digit" rules see the edge of the line as a neighbour.
  // The rules run one after the other: each sees the blanks that the ones before it put in.
  const spaced = ` ${text} `
    .replaceAll(/[ !"#$%&()*+:;<=>?@/[\\\]^_`{|}~]/g, ' $& ')
    .replaceAll(/([^0-9])([.,])/g, '$1 $2 ')
    .replaceAll(/([.,])([^0-9])/g, ' $1 $2')
    .replaceAll(/([0-9])-/g, '$1 - ');
  return splitWhitespace(spaced);
}
