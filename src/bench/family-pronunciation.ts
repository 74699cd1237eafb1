import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CELL_KINDS, type CellKind } from '../cell/options.js';
import { g2pErrorRate } from '../metrics/error-rate.js';
import { Random } from '../random.js';
import { readLines } from '../text/corpus.js';
import { risingAndFalling } from './adam.js';
import { learnAndTest } from './family-learning.js';
import { type FamilyTask, membersOf, type Outcome } from './family-task.js';
import { type SymbolPair, Transducer } from './transducer.js';
import type { TrainingWatch } from './watch.js';

/** Where data/g2p/make.mjs writes, beside the built code and beside the sources alike. */
const CORPUS = fileURLToPath(new URL('../../data/g2p/corpus', import.meta.url));

const UNITS = 128;
const EMBEDDING = 64;
const BATCH = 64;
const STEPS = { full: 1000, quick: 10 };
const LEARNING_RATE = 2e-3;
/** Words of the development part that are pronounced; its order is that of a hash. */
const TESTED = { full: 1000, quick: 100 };
/** No word of the corpus has more phones than this, nearly. */
const LONGEST = 30;

/** From spelling to phones, in a fixed small budget. */
export const pronunciationTask: FamilyTask = {
  title: 'Pronunciation of CMUdict words after a small budget (data/g2p): encoder-decoder with attention',
  source: 'CMU Pronouncing Dictionary; error rates as in Bisani & Ney 2008',
  axes: { x: 'step', y: 'cross-entropy', logarithmic: false },
  unavailable: async () =>
    existsSync(join(CORPUS, 'train.words')) ? null : 'no corpus; make it with node data/g2p/make.mjs',
  trials: (budget) => {
    const size = budget.quick ? 'quick' : 'full';
    let words: Promise<Words> | undefined;
    const wordsOnce = (): Promise<Words> => {
      words ??= readWords();
      return words;
    };
    return membersOf(budget, CELL_KINDS).map((cell) => ({
      subject: cell,
      member: cell,
      setting: '',
      steps: STEPS[size],
      run: async (seed, watch) => learn(cell, await wordsOnce(), STEPS[size], TESTED[size], seed, watch),
    }));
  },
};

interface Words {
  readonly train: readonly SymbolPair[];
  /** The development part: words, and the sets of their first, second, … pronunciations. */
  readonly test: {
    readonly words: readonly string[];
    readonly pronunciations: readonly (readonly string[])[];
  };
  readonly letters: readonly string[];
  readonly phones: readonly string[];
}

function learn(
  cell: CellKind,
  { train, test, letters, phones }: Words,
  steps: number,
  count: number,
  seed: number,
  watch: TrainingWatch,
): Promise<Outcome> {
  const random = new Random(seed);
  const transducer = new Transducer(
    {
      symbols: { source: letters.length, target: phones.length },
      model: {
        cell,
        attention: 'general',
        reverseSource: false,
        embedding: EMBEDDING,
        encoder: UNITS,
        decoder: UNITS,
        bidirectional: true,
      },
    },
    random,
  );
  const pairs = (): SymbolPair[] => Array.from({ length: BATCH }, () => train[random.integer(train.length)]!);
  return learnAndTest(
    transducer,
    steps,
    watch,
    (watch) => transducer.train(risingAndFalling(steps, LEARNING_RATE, watch), pairs),
    () => {
      const letter = numbering(letters);
      const said = transducer.translate(
        test.words.slice(0, count).map((word) => Array.from(word, letter)),
        LONGEST,
      );
      const { wordErrorRate, phoneErrorRate } = g2pErrorRate(
        said.map((symbols) => symbols.map((symbol) => phones[symbol]).join(' ')),
        test.pronunciations.map((set) => set.slice(0, count)),
      );
      return { 'phones wrong, %': phoneErrorRate, 'words wrong, %': wordErrorRate };
    },
  );
}

async function readWords(): Promise<Words> {
  const [words, spoken] = await Promise.all([lines('train.words'), lines('train.phones')]);
  const letters = [...new Set(words.flatMap((word) => Array.from(word)))].sort();
  const phones = [...new Set(spoken.flatMap((text) => text.split(' ')))].sort();
  const [letter, phone] = [numbering(letters), numbering(phones)];
  const sets = readdirSync(CORPUS).filter((name) => /^dev\.phones(\.\d+)?$/.test(name));
  return {
    train: words.map((word, k) => ({
      source: Array.from(word, letter),
      target: spoken[k]!.split(' ').map(phone),
    })),
    test: { words: await lines('dev.words'), pronunciations: await Promise.all(sets.sort().map(lines)) },
    letters,
    phones,
  };
}

async function lines(name: string): Promise<string[]> {
  const all: string[] = [];
  for await (const line of readLines(join(CORPUS, name))) all.push(line);
  return all;
}

function numbering(symbols: readonly string[]): (symbol: string) => number {
  const numbers = new Map(symbols.map((symbol, k) => [symbol, k]));
  return (symbol) => numbers.get(symbol)!;
}
