// sacreBLEU's figures depend on what Python calls whitespace, which is not what JavaScript's \s matches:
// Python counts the separators U+001C..U+001F and U+0085, JavaScript counts U+FEFF.
const WHITESPACE = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const RUN = new RegExp(`[${WHITESPACE}]+`, 'g');
const ONE = new RegExp(`^[${WHITESPACE}]`);

/** Words between runs of whitespace, as Python's `str.split()`: no empty word, whatever surrounds the text. */
export function splitWhitespace(text: string): string[] {
  const words = text.split(RUN);
  if (words[0] === '') words.shift();
  if (words[words.length - 1] === '') words.pop();
  return words;
}

/** The text without its trailing whitespace, as Python's `str.rstrip()`. */
export function trimTrailingWhitespace(text: string): string {
  // Character by character from the end: a search for /\s+$/ is quadratic in a long inner run.
  let end = text.length;
  while (end > 0 && ONE.test(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

/**
 * The characters (code points) of the text but whitespace, as Python's `list(''.join(text.split()))`. Word by word: two
 * halves of surrogate pairs that whitespace kept apart are no character of Python's when it is gone.
 */
export function charactersOf(text: string): string[] {
  return splitWhitespace(text).flatMap((word) => Array.from(word));
}
