#!/usr/bin/env node
// @ts-check
// The Mackey-Glass series: `node data/mackey-glass/make.mjs --help`. Needs the built package (`npm run build`).

import { mackeyGlass } from 'dragoman';
import { corpusBeside, runRecipe, text, wholeNumber, writeLines } from '../recipe/command.mjs';

const usage = `node data/mackey-glass/make.mjs [--count N] [--delay N] [--substeps N]

Writes FOLDER/series.txt, a value a line, one for each unit of time from t = 0.

  --count N      values; default 10000
  --delay N      tau; default 17
  --substeps N   integration steps a unit of time; default 10
  --out FOLDER   default: corpus beside this script`;

runRecipe(
  {
    usage,
    options: {
      count: text('10000'),
      delay: text('17'),
      substeps: text('10'),
      out: corpusBeside(import.meta.url),
    },
  },
  ({ count, delay, substeps, out }) => {
    const options = { delay: wholeNumber('delay', delay), substeps: wholeNumber('substeps', substeps, 2) };
    const series = Array.from(mackeyGlass(wholeNumber('count', count), options), String);
    writeLines(out, { 'series.txt': series });
    process.stdout.write(`${series.length} values in ${out}\n`);
  },
);
