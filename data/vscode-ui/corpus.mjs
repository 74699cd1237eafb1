// @ts-check
// From raw pairs of strings to a corpus: cleaning, one translation a source, and the split.

import { hashUnit, partOf } from '../recipe/split.mjs';

/** @typedef {{ source: string; target: string }} Pair */
/** @typedef {'lines' | 'empty' | 'wordless' | 'placeholders' | 'untranslated'} Reason why a pair is dropped */

/** Of the groups of like strings; about 700 and 430 lines. */
const SHARES = { test: 0.05, dev: 0.03 };

/** Equal to its source and longer than this, a text is one that nobody translated; shorter ones are names. */
const LONGEST_NAME = 3;

/**
 * The text without the marks of its keyboard mnemonic: `&&File`, `Cu&&t`, and `文件(&&F)` as Chinese, Japanese
 * and Korean have it. A logical and (`a && b`) stays.
 *
 * @param {string} text
 */
function withoutMnemonic(text) {
  return text.replaceAll(/\s*\(&&[^\s)]\)/gu, '').replaceAll(/&&(?=\S)/g, '');
}

/**
 * Both texts without mnemonics. Some translators wrote `&` for `&&`; where the English has a mnemonic and no
 * ampersand of its own, any in the translation is one.
 *
 * @param {Pair} pair
 * @returns {Pair}
 */
export function stripMnemonics({ source, target }) {
  const plain = withoutMnemonic(source);
  const stripped = withoutMnemonic(target);
  if (plain === source || plain.includes('&')) return { source: plain, target: stripped };
  return { source: plain, target: stripped.replaceAll(/\s*\(&[^\s)]\)/gu, '').replaceAll(/&\s*/g, '') };
}

/** @param {string} text */
function linesOf(text) {
  return text
    .split(/[\r\n\u0085\u2028\u2029]+/)
    .map((line) => line.replaceAll(/\s+/g, ' ').trim())
    .filter((line) => line !== '');
}

/** @param {string} text */
function placeholders(text) {
  return (text.match(/\{\d+\}/g) ?? []).sort().join(' ');
}

/** @param {string} text */
function hasWord(text) {
  return /\p{L}/u.test(text.replaceAll(/\{\d+\}/g, ''));
}

/**
 * Why a single-line pair is no material for a translator, or null.
 *
 * @param {Pair} pair
 * @returns {Reason | null}
 */
function reasonToDrop({ source, target }) {
  if (!hasWord(source) || !hasWord(target)) return 'wordless';
  if (placeholders(source) !== placeholders(target)) return 'placeholders';
  if (source === target && source.split(' ').length > LONGEST_NAME) return 'untranslated';
  return null;
}

/**
 * Cleaned single-line pairs and what was dropped. A text of several lines becomes as many pairs if its
 * translation has as many (blank ones not counted), else it is dropped.
 *
 * @param {readonly Pair[]} raw
 */
export function cleanPairs(raw) {
  /** @type {Pair[]} */
  const pairs = [];
  /** @type {Record<Reason, number>} */
  const dropped = { lines: 0, empty: 0, wordless: 0, placeholders: 0, untranslated: 0 };
  for (const pair of raw) {
    const stripped = stripMnemonics(pair);
    const sources = linesOf(stripped.source);
    const targets = linesOf(stripped.target);
    if (sources.length === 0 || targets.length === 0) dropped.empty++;
    else if (sources.length !== targets.length) dropped.lines++;
    else {
      for (const [line, source] of sources.entries()) {
        const single = { source, target: targets[line] ?? '' };
        const reason = reasonToDrop(single);
        if (reason === null) pairs.push(single);
        else dropped[reason]++;
      }
    }
  }
  return { pairs, dropped };
}

/**
 * One translation for each source: the most frequent, of equally frequent ones the first.
 *
 * @param {readonly Pair[]} pairs
 * @returns {Pair[]}
 */
export function onePerSource(pairs) {
  /** @type {Map<string, Map<string, number>>} */
  const targetsOf = new Map();
  for (const { source, target } of pairs) {
    const targets = targetsOf.get(source) ?? new Map();
    targets.set(target, (targets.get(target) ?? 0) + 1);
    targetsOf.set(source, targets);
  }
  return [...targetsOf].map(([source, targets]) => {
    const [best] = [...targets].reduce((a, b) => (b[1] > a[1] ? b : a));
    return { source, target: best };
  });
}

/**
 * What like strings have in common: `Close {0}`, `close` and `Close...` share a key, so that none of them is in
 * the test set while another is trained on.
 *
 * @param {string} source
 */
export function splitKey(source) {
  const letters = source
    .replaceAll(/\{\d+\}/g, ' ')
    .toLowerCase()
    .replaceAll(/[^\p{L}]+/gu, ' ')
    .trim();
  return letters;
}

/**
 * The pairs of each part, ordered by the hash of their source, so that the first lines of a part are a sample.
 *
 * @param {readonly Pair[]} pairs
 */
export function splitPairs(pairs) {
  /** @type {Record<import('../recipe/split.mjs').Part, Pair[]>} */
  const parts = { train: [], dev: [], test: [] };
  const ordered = pairs
    .map((pair) => ({ pair, at: hashUnit(`order ${pair.source}`) }))
    .sort((a, b) => a.at - b.at || (a.pair.source < b.pair.source ? -1 : 1));
  for (const { pair } of ordered) parts[partOf(splitKey(pair.source), SHARES)].push(pair);
  return parts;
}
