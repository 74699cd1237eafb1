import { compileCharsmap, type SpelledRules } from './charsmap.js';
import { decompositions, isCharacter } from './decompositions.js';
import { isSyllable, koreanRules } from './korean.js';

/** Normalizations by the names that `spm_train` has for them. */
export const NORMALIZATION_NAMES = ['nmt_nfkc', 'nfkc', 'nmt_nfkc_cf', 'nfkc_cf', 'identity'] as const;
export type NormalizationName = (typeof NORMALIZATION_NAMES)[number];

const compiled = new Map<NormalizationName, Uint8Array>();

/**
 * The `precompiled_charsmap` of a normalization; empty for `identity`. Made from the Unicode tables of the running
 * Node, once a process.
 *
 * Compared rule by rule with the tables inside Google's SentencePiece 0.2.2: on Node with Unicode 17 (20.20,
 * `process.versions.unicode`) all 225,275 rules of nmt_nfkc, and of the other three, are the same. A Node with an
 * older Unicode lacks the rules for characters that are newer than it, and has all others: Unicode never changes
 * the normalization of a character once it is there.
 */
export function normalizationCharsmap(name: NormalizationName): Uint8Array {
  const known =
    compiled.get(name) ??
    (name === 'identity'
      ? new Uint8Array()
      : compileCharsmap(rulesButKorean(name), koreanRules(decompositions().spellings)));
  compiled.set(name, known);
  return known;
}

/** What a normalization replaces, by what: strings of one or more characters. */
export function normalizationRules(name: NormalizationName): Map<string, string> {
  if (name === 'identity') return new Map();
  const rules = rulesButKorean(name);
  const spell = (before: string, { ways, to, next }: SpelledRules): void => {
    for (const way of ways) {
      if (to !== undefined) rules.set(before + way, to);
      for (const after of next) spell(before + way, after);
    }
  };
  for (const consonant of koreanRules(decompositions().spellings)) spell('', consonant);
  return rules;
}

function rulesButKorean(name: Exclude<NormalizationName, 'identity'>): Map<string, string> {
  switch (name) {
    case 'nfkc':
      return withoutRedundant(compatibilityRules());
    case 'nfkc_cf':
      return caseFolded(rulesButKorean('nfkc'));
    case 'nmt_nfkc':
      return translated(rulesButKorean('nfkc'));
    case 'nmt_nfkc_cf':
      return caseFolded(rulesButKorean('nmt_nfkc'));
  }
}

/**
 * NFKC as replacements: each character that NFKC changes, and each sequence of characters that composes into
 * one, but for the syllables of Korean ({@link koreanRules}). A sequence is listed in every spelling, with each part either
 * decomposed or any character that decomposes into just that part: full-width, half-width and letter-like forms.
 */
function compatibilityRules(): Map<string, string> {
  const rules = new Map<string, string>();
  const sequences = new Set<string>();
  const { characters, spellings } = decompositions();
  for (const character of characters) {
    const composed = character.normalize('NFKC');
    if (composed !== character) rules.set(character, composed);
    const decomposed = character.normalize('NFKD');
    if (characterCount(decomposed) > 1) sequences.add(decomposed);
  }
  for (const sequence of sequences) {
    const composed = sequence.normalize('NFC');
    if (composed === sequence) continue;
    // Whatever stands around a syllable composes by itself: such a rule would be redundant.
    if (Array.from(composed).some(isSyllable)) continue;
    let ways = [''];
    for (const part of sequence) {
      ways = ways.flatMap((way) => (spellings.get(part) ?? [part]).map((spelling) => way + spelling));
    }
    for (const way of ways) if (way !== composed) rules.set(way, composed);
  }
  return rules;
}

/** What the translation rules make a plain space: other blanks, marks without width, `▁`, and U+FFFD. */
const BLANKS = [
  0x09, 0x0a, 0x0c, 0x0d, 0x1680, 0x200b, 0x200c, 0x200e, 0x200f, 0x2028, 0x2029, 0x2581, 0xfeff, 0xfffd,
];
/** What they drop: the control characters of ASCII that are no blanks, and these three. Not all of C1. */
const isDropped = (code: number): boolean =>
  (code < 0x20 && !BLANKS.includes(code)) || code === 0x7f || code === 0x8f || code === 0x9f;

/** NFKC as Google's translation systems use it: blanks made equal, controls dropped, the full-width tilde kept. */
function translated(rules: Map<string, string>): Map<string, string> {
  const changed = new Map<string, string | null>(BLANKS.map((code) => [String.fromCodePoint(code), ' ']));
  for (let code = 1; code < 0x100; code++) if (isDropped(code)) changed.set(String.fromCodePoint(code), '');
  changed.set('\uff5e', null); // Japanese tells it from the tilde
  for (const [from, to] of changed) {
    if (to === null) rules.delete(from);
    else rules.set(from, to);
  }
  // All others were needed before, and need no second look.
  const touched = new RegExp(`[${[...changed.keys()].join('')}]`, 'u');
  return withoutRedundant(rules, (from) => touched.test(from));
}

/** Upper case made lower, by Unicode's simple case folding, in what is replaced and in all that is not. */
function caseFolded(rules: Map<string, string>): Map<string, string> {
  const folded = new Map<string, string>();
  for (const [from, to] of rules) folded.set(from, Array.from(to, foldCase).join(''));
  for (let code = 1; code <= 0x10ffff; code++) {
    if (!isCharacter(code)) continue;
    const character = String.fromCodePoint(code);
    if (rules.has(character)) continue;
    const other = foldCase(character);
    if (other !== character) folded.set(character, other);
  }
  return withoutRedundant(folded);
}

/**
 * Unicode's simple case folding of one character, which JavaScript has only inside regular expressions: `iu`
 * compares folded characters. The fold is the lower case, or the lower case of the upper case (final sigma), but
 * for Cherokee, whose small letters came later and fold to the old ones.
 */
function foldCase(character: string): string {
  const upper = character.toUpperCase();
  const lower = character.toLowerCase();
  if (upper === character && lower === character) return character;
  if (/\p{Script=Cherokee}/u.test(character)) return upper;
  const fold = lower === character ? upper.toLowerCase() : lower;
  const single = Array.from(fold).length === 1;
  return single && new RegExp(`^${fold}$`, 'iu').test(character) ? fold : character;
}

/**
 * The rules without those for sequences that the shorter rules, applied in order, bring to the same.
 *
 * @param isInDoubt Which sequences to look at; the rules of all others are kept.
 */
function withoutRedundant(
  rules: ReadonlyMap<string, string>,
  isInDoubt: (from: string) => boolean = () => true,
): Map<string, string> {
  const byLength: [string, string][][] = [];
  for (const rule of rules) {
    const length = characterCount(rule[0]);
    byLength[length] ??= [];
    byLength[length]!.push(rule);
  }
  const kept = new Map<string, string>();
  byLength.forEach((entries, length) => {
    const needed = entries.filter(
      ([from, to]) => length === 1 || !isInDoubt(from) || apply(kept, from, length - 1) !== to,
    );
    for (const [from, to] of needed) kept.set(from, to);
  });
  return kept;
}

/** Replaces the longest string of at most `longest` characters at each place. */
function apply(rules: ReadonlyMap<string, string>, from: string, longest: number): string {
  let text = '';
  // Called for every one of 200,000 sequences, so it walks the string itself and not an array of characters.
  for (let start = 0; start < from.length; ) {
    let end = start;
    for (let i = 0; i < longest && end < from.length; i++) end += unitsAt(from, end);
    let part = from.slice(start, end);
    let replacement = rules.get(part);
    while (replacement === undefined && end - start > unitsAt(from, start)) {
      end -= isLowSurrogate(from.charCodeAt(end - 1)) ? 2 : 1;
      part = from.slice(start, end);
      replacement = rules.get(part);
    }
    text += replacement ?? part;
    start = end;
  }
  return text;
}

function characterCount(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i += unitsAt(text, i)) count++;
  return count;
}

/** UTF-16 units of the character that begins here. */
function unitsAt(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return unit >= 0xd800 && unit < 0xdc00 ? 2 : 1;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
