// @ts-check
// What the recipes' commands have in common: options, errors on one line, exit codes.

import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** A failure with a message for the user. `exitCode` is 2 for wrong usage, 1 for a failure of the work. */
export class RecipeError extends Error {
  /**
   * @param {string} message
   * @param {1 | 2} exitCode
   */
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/**
 * Runs a recipe on the command line's options; `--help` prints `usage`.
 *
 * @template {Record<string, { type: 'string'; default: string | undefined } | { type: 'boolean'; default: boolean }>} Options
 * @param {{ usage: string; options: Options }} command
 * @param {(values: { [Name in keyof Options]: Options[Name]['default'] }) => void} make
 */
export function runRecipe({ usage, options }, make) {
  try {
    const { help, ...values } = parse(options);
    if (help) process.stdout.write(`${usage}\n`);
    else make(/** @type {{ [Name in keyof Options]: Options[Name]['default'] }} */ (values));
  } catch (error) {
    if (!(error instanceof RecipeError)) throw error;
    process.stderr.write(`error: ${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}

/**
 * An option that takes a text.
 *
 * @param {string} value if it is not given
 */
export function text(value) {
  return { type: /** @type {const} */ ('string'), default: value };
}

/**
 * Where a recipe writes: the option for a folder, by default `corpus` beside the recipe.
 *
 * @param {string} script its `import.meta.url`
 */
export function corpusBeside(script) {
  return text(fileURLToPath(new URL('corpus', script)));
}

/**
 * A whole number given as an option.
 *
 * @param {string} name of the option, for the message
 * @param {string} text
 * @param {number} least
 */
export function wholeNumber(name, text, least = 1) {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new RecipeError(`--${name}: expected a whole number of ${least} or more, got "${text}"`, 2);
}

/** @param {Record<string, { type: 'string' | 'boolean'; default: string | boolean | undefined }>} options */
function parse(options) {
  try {
    return parseArgs({ options: { ...options, help: { type: 'boolean', default: false } } }).values;
  } catch (error) {
    throw new RecipeError(`${error instanceof Error ? error.message : error} (--help lists the options)`, 2);
  }
}

/**
 * Writes text files, one line an entry; each appears whole or not at all.
 *
 * @param {string} folder made if absent
 * @param {Readonly<Record<string, readonly string[]>>} files lines by file name
 */
export function writeLines(folder, files) {
  try {
    mkdirSync(folder, { recursive: true });
    for (const [name, lines] of Object.entries(files)) {
      const temporary = join(folder, `.${name}.${process.pid}`);
      try {
        writeFileSync(temporary, lines.map((line) => `${line}\n`).join(''));
        renameSync(temporary, join(folder, name));
      } finally {
        rmSync(temporary, { force: true });
      }
    }
  } catch (error) {
    throw new RecipeError(`${folder}: ${error instanceof Error ? error.message : error}`);
  }
}
