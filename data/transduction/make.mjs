#!/usr/bin/env node
// @ts-check
// Sequences to copy or to reverse: `node data/transduction/make.mjs --help`. Needs the built package (`npm run build`).

import { Random, transductionPair } from 'dragoman';
import { corpusBeside, runRecipe, text, wholeNumber, writeLines } from '../recipe/command.mjs';

const usage = `node data/transduction/make.mjs [--copy] [--train N] [--symbols N] [--longest N]

Writes train, dev and test, line by line: FOLDER/train.source, FOLDER/train.target, …

  --copy         the target is the source; by default it is reversed
  --train N      pairs for training; default 50000, and 1000 each for dev and test
  --symbols N    default 10
  --longest N    symbols of a sequence; default 10
  --seed N       default 1
  --out FOLDER   default: corpus beside this script`;

runRecipe(
  {
    usage,
    options: {
      copy: { type: 'boolean', default: false },
      train: text('50000'),
      symbols: text('10'),
      longest: text('10'),
      seed: text('1'),
      out: corpusBeside(import.meta.url),
    },
  },
  ({ copy, train, symbols, longest, seed, out }) => {
    const random = new Random(wholeNumber('seed', seed, 0));
    const spec = {
      symbols: wholeNumber('symbols', symbols),
      shortest: 1,
      longest: wholeNumber('longest', longest),
    };
    /** @type {Record<string, string[]>} */
    const files = {};
    for (const [part, count] of Object.entries({
      train: wholeNumber('train', train),
      dev: 1000,
      test: 1000,
    })) {
      const pairs = Array.from({ length: count }, () =>
        transductionPair(copy ? 'copy' : 'reversal', spec, random),
      );
      files[`${part}.source`] = pairs.map(({ source }) => source.join(' '));
      files[`${part}.target`] = pairs.map(({ target }) => target.join(' '));
    }
    writeLines(out, files);
    process.stdout.write(`${copy ? 'copies' : 'reversals'} in ${out}\n`);
  },
);
