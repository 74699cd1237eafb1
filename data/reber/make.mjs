#!/usr/bin/env node
// @ts-check
// Strings of Reber's grammars: `node data/reber/make.mjs --help`. Needs the built package (`npm run build`).

import { embeddedReberString, Random, reberString } from 'dragoman';
import { corpusBeside, runRecipe, text, wholeNumber, writeLines } from '../recipe/command.mjs';

const usage = `node data/reber/make.mjs [--count N] [--embedded]

Writes FOLDER/strings.txt, one string a line.

  --count N      strings; default 10000
  --embedded     of the embedded grammar
  --seed N       default 1
  --out FOLDER   default: corpus beside this script`;

runRecipe(
  {
    usage,
    options: {
      count: text('10000'),
      embedded: { type: 'boolean', default: false },
      seed: text('1'),
      out: corpusBeside(import.meta.url),
    },
  },
  ({ count, embedded, seed, out }) => {
    const random = new Random(wholeNumber('seed', seed, 0));
    const draw = embedded ? embeddedReberString : reberString;
    const strings = Array.from({ length: wholeNumber('count', count) }, () => draw(random).text);
    writeLines(out, { 'strings.txt': strings });
    process.stdout.write(`${strings.length} strings in ${out}\n`);
  },
);
