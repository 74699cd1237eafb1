#!/usr/bin/env node
// @ts-check
// Labelled strings of Tomita's languages: `node data/tomita/make.mjs --help`. Needs the built package (`npm run build`).

import { Random, TOMITA, TomitaSampler } from 'dragoman';
import { corpusBeside, runRecipe, text, wholeNumber, writeLines } from '../recipe/command.mjs';

const usage = `node data/tomita/make.mjs [--count N] [--longest N]

Writes FOLDER/1.tsv to FOLDER/7.tsv: a string, a tab, and 1 where the language has it, else 0.

  --count N      strings of each language; default 1000
  --longest N    symbols, at least 4; default 12
  --seed N       default 1
  --out FOLDER   default: corpus beside this script`;

runRecipe(
  {
    usage,
    options: {
      count: text('1000'),
      longest: text('12'),
      seed: text('1'),
      out: corpusBeside(import.meta.url),
    },
  },
  ({ count, longest, seed, out }) => {
    const random = new Random(wholeNumber('seed', seed, 0));
    const [strings, most] = [wholeNumber('count', count), wholeNumber('longest', longest, 4)];
    /** @type {Record<string, string[]>} */
    const files = {};
    TOMITA.forEach((grammar, index) => {
      const sampler = new TomitaSampler(grammar, most);
      const lines = [];
      while (lines.length < strings) {
        // Half of each sort; where a length has none of one, another length is drawn.
        const drawn = sampler.draw(1 + random.integer(most), lines.length % 2 === 0, random);
        if (drawn !== null) lines.push(`${drawn.symbols.join('')}\t${drawn.accepted.at(-1) ? 1 : 0}`);
      }
      files[`${index + 1}.tsv`] = lines;
    });
    writeLines(out, files);
    process.stdout.write(`${strings} strings of each of ${TOMITA.length} languages in ${out}\n`);
  },
);
