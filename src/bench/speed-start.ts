import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addonIn, findNative } from '../engine/tensorflow.js';
import { saveModelFolder } from '../model/folder.js';
import {
  type Contender,
  local,
  type SpeedCase,
  type SpeedData,
  type SpeedSetting,
  type TrainedModel,
  Unavailable,
} from './speed-case.js';
import { benchmarkConfig, benchmarkModel } from './speed-model.js';

const MAIN = fileURLToPath(new URL('../cli/main.js', import.meta.url));

/** A whole process: from its start to the first translation, and what of that is TensorFlow's library alone. */
export function startCases({ data, seed, trained }: SpeedSetting): SpeedCase[] {
  return [
    {
      what: 'start of dragoman translate to the first sentence',
      unit: null,
      asked: { milliseconds: 1500 },
      ours: { name: 'dragoman', open: () => translateContender(data, trained, seed) },
      others: [
        { name: "loading TensorFlow's library in Node", open: async () => libraryContender() },
        { name: 'Node alone', open: async () => processContender('Node alone', ['-e', "console.log('up')"]) },
      ],
    },
  ];
}

async function translateContender(
  data: SpeedData,
  trained: TrainedModel | null,
  seed: number,
): Promise<Contender> {
  if (!existsSync(MAIN)) throw new Unavailable('the package has not been built');
  const sentence = `${data.codecs.source.decode(data.corpus.source(0))}\n`;
  if (trained !== null) return processContender('dragoman', [MAIN, 'translate', trained.folder], sentence);
  const folder = await mkdtemp(join(tmpdir(), 'dragoman-bench-'));
  const config = benchmarkConfig('whole-target');
  const model = benchmarkModel(config, data.codecs, seed);
  await saveModelFolder(folder, { config, ...data.codecs, model }, '.');
  model.dispose();
  return processContender('dragoman', [MAIN, 'translate', folder], sentence, () =>
    rm(folder, { recursive: true, force: true }),
  );
}

function libraryContender(): Contender {
  const folder = findNative();
  const addon = folder === null ? null : addonIn(folder);
  if (addon === null) throw new Unavailable('the native engine is not installed');
  const script = 'require(process.argv[1]); console.log("up")';
  return processContender("loading TensorFlow's library in Node", ['-e', script, addon]);
}

/** Node with these words; the time from its start to its first output. */
function processContender(
  name: string,
  words: readonly string[],
  input = '',
  dispose: () => void | Promise<void> = () => {},
): Contender {
  const work = async (): Promise<void> => {
    const child = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'pipe'] });
    const closed = once(child, 'close');
    child.stdin.end(input);
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    await firstOutput(child, () => said);
    // What follows the first sentence, the end of the process, is not part of the time; but it has to be over.
    ending.push(closed);
  };
  const ending: Promise<unknown>[] = [];
  const contender = local(name, 1, null, work, () => {});
  return {
    ...contender,
    async run(times) {
      const milliseconds = await contender.run(times);
      await Promise.all(ending.splice(0));
      return milliseconds;
    },
    dispose,
  };
}

async function firstOutput(child: ChildProcess, said: () => string): Promise<void> {
  const ended = once(child, 'close').then(() => false);
  const spoke = once(child.stdout!, 'data').then(() => true);
  if (await Promise.race([spoke, ended])) return;
  throw new Unavailable(`the process ended without output; it said: ${said().trim().split('\n').at(-1)}`);
}
