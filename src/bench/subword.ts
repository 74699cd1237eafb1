import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { DragomanError, excerpt } from '../errors.js';
import { Random } from '../random.js';
import { median } from './rounds.js';
import { syntheticLine } from './synthetic-corpus.js';

export const SUBWORD_BENCH_TYPES = ['bpe', 'unigram'] as const;
export type SubwordBenchType = (typeof SUBWORD_BENCH_TYPES)[number];

/** What one training took, as the operating system counts it for the whole process. */
export interface SubwordCost {
  /** Of the processor, by the program and by the system for it. */
  readonly seconds: number;
  /** Largest resident memory. */
  readonly mebibytes: number;
}

/** One kind of model, trained by both in turn. */
export interface SubwordResult {
  readonly type: SubwordBenchType;
  /** Our first training, which makes the table of replacements for the cache. */
  readonly first: SubwordCost;
  readonly ours: readonly SubwordCost[];
  /** Empty without Google's package. */
  readonly google: readonly SubwordCost[];
  /** Median over the rounds of our seconds by Google's in the same round; NaN without them. */
  readonly ratio: number;
}

export interface SubwordBenchOptions {
  /** Text, a sentence a line. */
  readonly files: readonly string[];
  readonly types: readonly SubwordBenchType[];
  readonly vocabSize: number;
  readonly rounds: number;
  /** A Python with Google's package; null runs ours alone. */
  readonly python: string | null;
  readonly signal?: AbortSignal;
  readonly onWork?: (what: string) => void;
}

const MAIN = fileURLToPath(new URL('../cli/main.js', import.meta.url));

/** The command line, which says at its end what it took. */
const OURS = `process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  fs.writeSync(1, JSON.stringify({ seconds: (userCPUTime + systemCPUTime) / 1e6, mebibytes: maxRSS / 1024 }));
});
process.argv.splice(1, 0, 'dragoman');
import(${JSON.stringify(pathToFileURL(MAIN).href)});`;

const GOOGLE = `import json, resource, sys
import sentencepiece
files, prefix, kind, size = sys.argv[1:]
sentencepiece.SentencePieceTrainer.train(input=json.loads(files), model_prefix=prefix, model_type=kind,
    vocab_size=int(size), hard_vocab_limit=False, num_threads=1, minloglevel=2)
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps(dict(seconds=used.ru_utime + used.ru_stime, mebibytes=used.ru_maxrss / 1024)))`;

/** The version of Google's package in this Python; null if there is none. */
export function findSentencePiece(python: string): string | null {
  const probe = 'import sentencepiece; print(sentencepiece.__version__)';
  const { status, stdout } = spawnSync(python, ['-c', probe], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : null;
}

/**
 * Trains SentencePiece models by our command line and by Google's trainer with one thread, in turn, each a process of
 * its own, and tells the processor time of both: the clock says little on a machine that does other work as well.
 */
export async function* runSubwordBench(options: SubwordBenchOptions): AsyncGenerator<SubwordResult> {
  const { files, types, vocabSize, rounds, python, signal, onWork = () => {} } = options;
  if (!existsSync(MAIN))
    throw new DragomanError('usage', 'expected a built package (npm run build), got none');
  const folder = await mkdtemp(join(tmpdir(), 'dragoman-bench-'));
  try {
    for (const type of types) {
      // Each kind begins without the table, so that its first training tells what making it costs.
      const cache = join(folder, `cache-${type}`);
      const ours = (): Promise<SubwordCost> => {
        const words = ['subword', 'train', ...files, '--vocab-size', `${vocabSize}`, '--model-type', type];
        const target = ['--no-hard-vocab-limit', '-p', join(folder, 'ours'), '--overwrite'];
        return costOf(process.execPath, ['-e', OURS, '--', ...words, ...target], { DRAGOMAN_CACHE: cache });
      };
      const google = (): Promise<SubwordCost> =>
        costOf(
          python!,
          ['-c', GOOGLE, JSON.stringify(files), join(folder, 'google'), type, `${vocabSize}`],
          {},
        );
      onWork(`${type}, first training`);
      const result = { type, first: await ours(), ours: [] as SubwordCost[], google: [] as SubwordCost[] };
      for (let round = 0; round < rounds && !signal?.aborted; round++) {
        onWork(`${type}, round ${round + 1} of ${rounds}`);
        result.ours.push(await ours());
        if (python !== null) result.google.push(await google());
      }
      const ratio = median(result.google.map(({ seconds }, k) => result.ours[k]!.seconds / seconds));
      yield { ...result, ratio };
      if (signal?.aborted) return;
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs a program whose last line is what it took. */
async function costOf(
  command: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<SubwordCost> {
  const child = spawn(command, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // a terminal's Ctrl-C is for us: the turn goes on to its end
    env: { ...process.env, PYTHONUTF8: '1', ...environment },
  });
  let out = '';
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-1000);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  });
  if (code !== 0) {
    const last = said.trim().split('\n').at(-1) || 'nothing';
    const ours = /^dragoman: (.*)/.exec(last)?.[1]; // says itself what is wrong with the text
    if (code === 2 && ours !== undefined) throw new DragomanError('input', ours);
    throw new DragomanError(
      'training',
      `${command}: expected a training, got exit ${code}: ${excerpt(last)}`,
    );
  }
  return JSON.parse(out) as SubwordCost;
}

/** Lines of made-up words, for where there is no text. */
export function* madeUpLines(count: number, seed: number): Generator<string> {
  const random = new Random(seed);
  for (let line = 0; line < count; line++) yield syntheticLine(random);
}

/**
 * More lines than a text has, of its own words: 5 to 18, each as often as there, three in a hundred glued to the next,
 * so that there are ever more different ones.
 */
export function* drawnLines(text: readonly string[], count: number, seed: number): Generator<string> {
  const random = new Random(seed);
  const words = text.flatMap((line) => line.split(' ').filter((word) => word !== ''));
  for (let line = 0; line < count; line++) {
    let drawn = '';
    for (let left = 5 + random.integer(14); left > 0; left--) {
      drawn += words[random.integer(words.length)]!;
      if (left > 1 && random.next() >= 0.03) drawn += ' ';
    }
    yield drawn;
  }
}
