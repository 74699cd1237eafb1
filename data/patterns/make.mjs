#!/usr/bin/env node
// @ts-check
// Random patterns and damaged copies of them: `node data/patterns/make.mjs --help`. Needs the built package (`npm run build`).

import { flipped, Random, randomPattern } from 'dragoman';
import { corpusBeside, RecipeError, runRecipe, text, wholeNumber, writeLines } from '../recipe/command.mjs';

const usage = `node data/patterns/make.mjs [--count N] [--units N] [--flipped PERCENT]

Writes FOLDER/patterns.txt and, line by line beside it, FOLDER/damaged.txt: units as + and -.

  --count N      patterns; default 50
  --units N      default 500
  --flipped N    percent of the units of the other sign; default 25
  --seed N       default 1
  --out FOLDER   default: corpus beside this script`;

runRecipe(
  {
    usage,
    options: {
      count: text('50'),
      units: text('500'),
      flipped: text('25'),
      seed: text('1'),
      out: corpusBeside(import.meta.url),
    },
  },
  ({ count, units, flipped: percent, seed, out }) => {
    const random = new Random(wholeNumber('seed', seed, 0));
    const [size, share] = [wholeNumber('units', units), wholeNumber('flipped', percent, 0) / 100];
    if (share > 1) throw new RecipeError(`--flipped: expected at most 100, got "${percent}"`, 2);
    const patterns = Array.from({ length: wholeNumber('count', count) }, () => randomPattern(size, random));
    const show = (/** @type {Int8Array} */ pattern) =>
      Array.from(pattern, (unit) => (unit > 0 ? '+' : '-')).join('');
    writeLines(out, {
      'patterns.txt': patterns.map(show),
      'damaged.txt': patterns.map((pattern) => show(flipped(pattern, share, random))),
    });
    process.stdout.write(`${patterns.length} patterns in ${out}\n`);
  },
);
