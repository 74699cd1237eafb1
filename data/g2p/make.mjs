#!/usr/bin/env node
// @ts-check
// Makes the corpus of English pronunciations: `node data/g2p/make.mjs --help`.

import { relative } from 'node:path';
import { corpusBeside, runRecipe, writeLines } from '../recipe/command.mjs';
import { packageFiles } from '../recipe/npm-package.mjs';
import { corpusFiles, parseDictionary, pronunciations } from './dictionary.mjs';

const usage = `node data/g2p/make.mjs [--stress] [--out FOLDER]

Fetches the CMU Pronouncing Dictionary from the npm registry (or finds it in the cache) and writes
FOLDER/train.words, FOLDER/train.phones, and the same of dev and test, with further
pronunciations in test.phones.1, test.phones.2, …

  --stress       keep the stress marks of vowels: AH0, not AH
  --out FOLDER   default: corpus beside this script`;

runRecipe(
  {
    usage,
    options: {
      stress: { type: 'boolean', default: false },
      out: corpusBeside(import.meta.url),
    },
  },
  ({ stress, out }) => {
    const code = packageFiles('cmu-pronouncing-dictionary', '3.0.0').get('index.js')?.toString('utf8') ?? '';
    const entries = parseDictionary(code);
    const { words, others } = pronunciations(entries, { stress });
    const files = corpusFiles(words);
    writeLines(out, files);

    const variants = [...words.values()].reduce((sum, { length }) => sum + length, 0);
    const several = [...words.values()].filter(({ length }) => length > 1).length;
    const phones = new Set([...words.values()].flatMap((all) => all.flatMap((one) => one.split(' '))));
    const report = [
      `${entries.length} entries, ${words.size} words with ${variants} different pronunciations of ${phones.size} phones`,
      `${several} words have more than one; left out: ${others} words of other characters than a-z and '`,
      ...Object.entries(files).map(([name, lines]) => {
        const filled = lines.filter((line) => line !== '').length;
        return `${name.padEnd(14)} ${lines.length} lines${filled < lines.length ? `, ${filled} not empty` : ''}`;
      }),
      `in ${relative('.', out) || '.'}`,
    ];
    process.stdout.write(`${report.join('\n')}\n`);
  },
);
