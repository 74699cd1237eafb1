import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigInput } from '../../src/config.js';
import { Random } from '../../src/random.js';

const WORDS = [
  'red',
  'green',
  'blue',
  'cat',
  'dog',
  'bird',
  'runs',
  'sleeps',
  'eats',
  'big',
  'small',
  'fast',
];

/** Writes a small corpus whose translation is the source backwards in capitals: `train.src`, `dev.tgt`, …. */
export function writeToyCorpus(folder: string, pairs = 200): void {
  mkdirSync(folder, { recursive: true });
  const random = new Random(3);
  for (const [name, count] of [
    ['train', pairs],
    ['dev', 20],
  ] as const) {
    const sources = Array.from({ length: count }, () =>
      Array.from({ length: 1 + random.integer(6) }, () => WORDS[random.integer(WORDS.length)]!),
    );
    const targets = sources.map((words) => words.toReversed().map((word) => word.toUpperCase()));
    writeFileSync(join(folder, `${name}.src`), sources.map((words) => `${words.join(' ')}\n`).join(''));
    writeFileSync(join(folder, `${name}.tgt`), targets.map((words) => `${words.join(' ')}\n`).join(''));
  }
}

/** A small model for it; dropout, plateau and the rest are on, so that all of a checkpoint matters. */
export function toyConfig(train: ConfigInput['train'] = {}, model: ConfigInput['model'] = {}): ConfigInput {
  return {
    seed: 11,
    data: {
      train: { source: 'train.src', target: 'train.tgt' },
      validation: { source: 'dev.src', target: 'dev.tgt' },
    },
    text: { source: { kind: 'word' }, target: { kind: 'word' } },
    model: { embedding: 8, encoder: { hidden: 8 }, decoder: { hidden: 16 }, ...model },
    train: { batch: { size: 10 }, epochs: 3, ...train },
  };
}
