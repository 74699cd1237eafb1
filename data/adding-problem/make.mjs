#!/usr/bin/env node
// @ts-check
// The adding problem: `node data/adding-problem/make.mjs --help`. Needs the built package (`npm run build`).

import { addingProblem, Random } from 'dragoman';
import { corpusBeside, runRecipe, text, wholeNumber, writeLines } from '../recipe/command.mjs';

const usage = `node data/adding-problem/make.mjs [--count N] [--length N]

Writes FOLDER/problems.jsonl: {"values": […], "markers": […], "sum": …} a line.

  --count N      problems; default 1000
  --length N     steps of each; default 100
  --seed N       default 1
  --out FOLDER   default: corpus beside this script`;

runRecipe(
  {
    usage,
    options: {
      count: text('1000'),
      length: text('100'),
      seed: text('1'),
      out: corpusBeside(import.meta.url),
    },
  },
  ({ count, length, seed, out }) => {
    const random = new Random(wholeNumber('seed', seed, 0));
    const steps = wholeNumber('length', length, 2);
    const problems = Array.from({ length: wholeNumber('count', count) }, () => {
      const { inputs, target } = addingProblem(steps, random);
      const column = (/** @type {number} */ k) => Array.from({ length: steps }, (_, t) => inputs[2 * t + k]);
      return JSON.stringify({ values: column(0), markers: column(1), sum: target });
    });
    writeLines(out, { 'problems.jsonl': problems });
    process.stdout.write(`${problems.length} problems in ${out}\n`);
  },
);
