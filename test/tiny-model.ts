import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConfigInput } from '../src/config.js';
import { Random } from '../src/random.js';
import { type TrainResult, train } from '../src/train/train.js';

// A language so small that a model learns it in seconds: five words, each with one translation.
const WORDS: Readonly<Record<string, string>> = {
  open: 'öffnen',
  close: 'schließen',
  file: 'Datei',
  window: 'Fenster',
  new: 'neu',
};

/** Sentences of one to five words, and their word-for-word translations. */
export function tinyCorpus(lines: number, seed: number): { source: string[]; target: string[] } {
  const random = new Random(seed);
  const names = Object.keys(WORDS);
  const source = Array.from({ length: lines }, () =>
    Array.from({ length: 1 + random.integer(5) }, () => names[random.integer(names.length)]!).join(' '),
  );
  const target = source.map((line) =>
    line
      .split(' ')
      .map((word) => WORDS[word]!)
      .join(' '),
  );
  return { source, target };
}

export interface TinyTask {
  /** Holds the corpus files and train.yaml; a model goes to `model`. */
  readonly folder: string;
  readonly config: ConfigInput;
}

const lines = (text: readonly string[]): string => text.map((line) => `${line}\n`).join('');

/** Writes a corpus and a configuration (paths relative to the folder) that trains in seconds on any engine. */
export async function tinyTask(): Promise<TinyTask> {
  const folder = await mkdtemp(join(tmpdir(), 'dragoman-tiny-'));
  for (const [name, size, seed] of [
    ['train', 320, 1],
    ['dev', 20, 2],
    ['test', 20, 3],
  ] as const) {
    const { source, target } = tinyCorpus(size, seed);
    await writeFile(join(folder, `${name}.en`), lines(source));
    await writeFile(join(folder, `${name}.de`), lines(target));
  }
  const config: ConfigInput = {
    data: {
      train: { source: 'train.en', target: 'train.de' },
      validation: { source: 'dev.en', target: 'dev.de' },
    },
    text: { source: { kind: 'word' }, target: { kind: 'word' } },
    model: {
      cell: 'lstm',
      embedding: 16,
      encoder: { hidden: 16 },
      decoder: { hidden: 32 },
      dropout: { embedding: 0, layers: 0, output: 0 },
    },
    train: {
      epochs: 10,
      batch: { size: 16 },
      optimizer: { learningRate: 0.02 },
      labelSmoothing: 0,
      validation: { bleuSentences: 5 },
    },
  };
  await writeFile(join(folder, 'train.yaml'), JSON.stringify(config));
  return { folder, config };
}

/** Trains the tiny task's model in `model` of its folder. */
export async function tinyModel(task: TinyTask): Promise<TrainResult> {
  return train(task.config, { folder: join(task.folder, 'model'), configFolder: task.folder });
}
