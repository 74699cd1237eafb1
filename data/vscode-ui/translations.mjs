// @ts-check
// Reading the language packs: which English string belongs to which translation.
//
// A pack holds `translations/main.i18n.json.js`, one array of translations by message number, and
// `translations/extensions/*.i18n.json`, translations by key. Neither holds the English text. The pack of the
// pseudo language `qps-ploc` does: it is the English text with 22 letters replaced one for one ("Çløsë Ëðïtør"),
// so putting them back gives all of it, in the version that the translators saw.

import { RecipeError } from '../recipe/command.mjs';

const PSEUDO = 'ÆæßÇçÐðËëÏïÑñØø£§ÜµþÝÿ';
const LATIN = 'AaBCcDdEeIiNnOoLSUubYy';
const letters = new Map(Array.from(PSEUDO, (letter, index) => [letter, LATIN.charAt(index)]));

/**
 * The English text of a pseudo-translated one.
 *
 * @param {string} text
 */
export function fromPseudo(text) {
  return Array.from(text, (letter) => letters.get(letter) ?? letter).join('');
}

/**
 * The array of a `main.i18n.json.js`: translations by message number, `undefined` where there is none.
 *
 * @param {string} code
 * @param {string} file for errors
 * @returns {(string | undefined)[]}
 */
export function parseMessages(code, file) {
  const array = /^\s*(?:var|let|const)\s+\w+\s*=\s*(\[[\s\S]*\]);\s*export\s*\{/.exec(code)?.[1];
  if (array === undefined) throw new RecipeError(`${file}: expected "var … = […]; export …"`);
  // JSON but for its undefined entries; no string holds a line break, so a whole line is an entry.
  const parsed = parseJson(array.replaceAll(/^\s*undefined(,?)$/gm, 'null$1'), file);
  if (!Array.isArray(parsed)) throw new RecipeError(`${file}: expected an array`);
  return parsed.map((entry, index) => {
    if (entry === null) return undefined;
    if (typeof entry !== 'string') throw new RecipeError(`${file}: entry ${index}: expected a string`);
    return entry;
  });
}

/**
 * The texts of an extension's `*.i18n.json`, by section and key, one string: `bundle\0Branch name`.
 *
 * @param {string} json
 * @param {string} file for errors
 * @returns {Map<string, string>}
 */
export function parseExtension(json, file) {
  const { contents } = /** @type {{ contents?: unknown }} */ (parseJson(json, file) ?? {});
  if (typeof contents !== 'object' || contents === null)
    throw new RecipeError(`${file}: expected "contents"`);
  /** @type {Map<string, string>} */
  const texts = new Map();
  for (const [section, entries] of Object.entries(contents)) {
    for (const [key, text] of Object.entries(entries ?? {})) {
      if (typeof text !== 'string') throw new RecipeError(`${file}: ${section}: ${key}: expected a string`);
      texts.set(`${section}\0${key}`, text);
    }
  }
  return texts;
}

/**
 * All pairs of English text and translation that two packs of one version hold, as they stand there.
 *
 * @param {ReadonlyMap<string, Buffer>} pseudo files of the `qps-ploc` pack
 * @param {ReadonlyMap<string, Buffer>} target files of the language's pack
 * @returns {{ source: string; target: string }[]}
 */
export function pairPacks(pseudo, target) {
  const main = 'translations/main.i18n.json.js';
  const english = parseMessages(text(pseudo, main), `qps-ploc ${main}`);
  const translated = parseMessages(text(target, main), main);
  if (english.length !== translated.length) {
    throw new RecipeError(
      `${main}: expected ${english.length} entries as in qps-ploc, got ${translated.length}`,
    );
  }
  const pairs = [];
  for (const [number, message] of english.entries()) {
    const translation = translated[number];
    if (message !== undefined && translation !== undefined) {
      pairs.push({ source: fromPseudo(message), target: translation });
    }
  }
  for (const file of [...pseudo.keys()]
    .filter((name) => /^translations\/extensions\/.*\.json$/.test(name))
    .sort()) {
    if (!target.has(file)) continue;
    const keyed = parseExtension(text(pseudo, file), `qps-ploc ${file}`);
    checkPseudo(keyed, file);
    const translations = parseExtension(text(target, file), file);
    for (const [key, message] of keyed) {
      const translation = translations.get(key);
      if (translation !== undefined) pairs.push({ source: fromPseudo(message), target: translation });
    }
  }
  return pairs;
}

/**
 * The keys of a `bundle` are the English messages themselves (with translators' notes after a slash): they show
 * whether the pseudo language is still what the table above says.
 *
 * @param {ReadonlyMap<string, string>} keyed
 * @param {string} file
 */
function checkPseudo(keyed, file) {
  for (const [key, message] of keyed) {
    const [section, english = ''] = key.split('\0');
    const restored = fromPseudo(message);
    if (section === 'bundle' && english !== restored && !english.startsWith(`${restored}/`)) {
      throw new RecipeError(`qps-ploc ${file}: expected the letters of "${english}", got "${message}"`);
    }
  }
}

/**
 * @param {ReadonlyMap<string, Buffer>} files
 * @param {string} name
 */
function text(files, name) {
  const content = files.get(name);
  if (content === undefined) throw new RecipeError(`expected the file ${name} in the package`);
  return content.toString('utf8');
}

/**
 * @param {string} json
 * @param {string} file
 * @returns {unknown}
 */
function parseJson(json, file) {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new RecipeError(`${file}: ${error instanceof Error ? error.message : error}`);
  }
}
