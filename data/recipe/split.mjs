// @ts-check
import { createHash } from 'node:crypto';

/** @typedef {'train' | 'dev' | 'test'} Part */

/**
 * A number in [0, 1) that depends on the text alone (SHA-256), so that a corpus is split, and its lines are
 * ordered, in the same way on every machine and after every addition.
 *
 * @param {string} text
 */
export function hashUnit(text) {
  return createHash('sha256').update(text, 'utf8').digest().readUInt32BE() / 2 ** 32;
}

/**
 * The part that a line belongs to. Lines that must not be in two parts share a key.
 *
 * @param {string} key
 * @param {{ test: number; dev: number }} shares of the keys
 * @returns {Part}
 */
export function partOf(key, { test, dev }) {
  const at = hashUnit(key);
  if (at < test) return 'test';
  return at < test + dev ? 'dev' : 'train';
}
