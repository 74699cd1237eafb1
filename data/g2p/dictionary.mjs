// @ts-check
// From the CMU Pronouncing Dictionary to a corpus of spellings and pronunciations.

import { RecipeError } from '../recipe/command.mjs';
import { hashUnit, partOf } from '../recipe/split.mjs';

/** Shares of the words: near the 12,000 for testing and 2,670 for development that the literature sets apart. */
const SHARES = { test: 0.1, dev: 0.02 };

/**
 * The dictionary in the package's `index.js`: `export const dictionary = {"a": "AH0", "a(2)": "EY1", …}`.
 *
 * @param {string} code
 * @returns {[entry: string, phones: string][]}
 */
export function parseDictionary(code) {
  const object = /export const dictionary = (\{[\s\S]*\})/.exec(code)?.[1];
  if (object === undefined) throw new RecipeError('expected "export const dictionary = {…}" in the package');
  /** @type {unknown} */
  let parsed;
  try {
    parsed = JSON.parse(object);
  } catch (error) {
    throw new RecipeError(`dictionary: ${error instanceof Error ? error.message : error}`);
  }
  return Object.entries(/** @type {Record<string, unknown>} */ (parsed)).map(([entry, phones]) => {
    if (typeof phones !== 'string') throw new RecipeError(`dictionary: ${entry}: expected phones`);
    return [entry, phones];
  });
}

/**
 * The pronunciations of each word, in the dictionary's order, each once: `a` and `a(2)` are one word. Comments
 * (`AA1 L T OW2 # name, finnish`) go, and so do, unless they are kept, the stress marks of the vowels. Words of
 * other characters than the 26 letters and the apostrophe, as in the literature, are left out and counted.
 *
 * @param {readonly (readonly [entry: string, phones: string])[]} entries
 * @param {{ stress: boolean }} options
 */
export function pronunciations(entries, { stress }) {
  /** @type {Map<string, string[]>} */
  const words = new Map();
  /** @type {Set<string>} */
  const others = new Set();
  for (const [entry, commented] of entries) {
    const word = entry.replace(/\(\d+\)$/, '');
    if (!/^[a-z']*[a-z][a-z']*$/.test(word)) {
      others.add(word);
      continue;
    }
    const phones = commented
      .replace(/\s*#.*$/, '')
      .trim()
      .split(/\s+/);
    const wrong = phones.find((phone) => !/^[A-Z]{1,2}[0-2]?$/.test(phone));
    if (wrong !== undefined) throw new RecipeError(`dictionary: ${entry}: expected a phone, got "${wrong}"`);
    const text = phones.map((phone) => (stress ? phone : phone.replace(/\d/, ''))).join(' ');
    const known = words.get(word) ?? [];
    if (!known.includes(text)) known.push(text);
    words.set(word, known);
  }
  return { words, others: others.size };
}

/**
 * The lines of every file of the corpus, by file name. `train` has a line for each pronunciation; `dev` and
 * `test` one for each word, with the first pronunciation in `.phones`, the second in `.phones.1`, …; an empty
 * line there where a word has no further one. Ordered by the words' hash, so that the first lines are a sample.
 *
 * @param {ReadonlyMap<string, readonly string[]>} words
 * @returns {Record<string, string[]>}
 */
export function corpusFiles(words) {
  const ordered = [...words]
    .map(([word, variants]) => ({ word, variants, at: hashUnit(`order ${word}`) }))
    .sort((a, b) => a.at - b.at || (a.word < b.word ? -1 : 1));
  /** @type {Record<import('../recipe/split.mjs').Part, typeof ordered>} */
  const parts = { train: [], dev: [], test: [] };
  for (const entry of ordered) parts[partOf(entry.word, SHARES)].push(entry);

  /** @type {Record<string, string[]>} */
  const files = {
    'train.words': parts.train.flatMap(({ word, variants }) => variants.map(() => word)),
    'train.phones': parts.train.flatMap(({ variants }) => variants),
  };
  for (const part of /** @type {const} */ (['dev', 'test'])) {
    files[`${part}.words`] = parts[part].map(({ word }) => word);
    const most = Math.max(1, ...parts[part].map(({ variants }) => variants.length));
    for (let variant = 0; variant < most; variant++) {
      const name = variant === 0 ? `${part}.phones` : `${part}.phones.${variant}`;
      files[name] = parts[part].map(({ variants }) => variants[variant] ?? '');
    }
  }
  return files;
}
