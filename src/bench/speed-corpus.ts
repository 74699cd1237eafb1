import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, resolveConfig } from '../config.js';
import { Random } from '../random.js';
import { collate, makeBatches } from '../text/batch.js';
import { buildCodecs } from '../text/codec.js';
import { readTrainingData } from '../train/training-data.js';
import { type Contender, local, type SpeedCase, type SpeedSetting, type TwoFiles } from './speed-case.js';
import { benchmarkConfig } from './speed-model.js';
import { trainingContender } from './speed-training.js';
import { syntheticLine } from './synthetic-corpus.js';

/** Random lines that are read. */
const LINES = { full: 20_000, quick: 1000 };
/** Random lines that a subword model is trained on, and its pieces. */
const SUBWORDS = { lines: 1000, pieces: 2000 };
const BATCH = 64;

/** A corpus from its files to batches of ids, beside the training that consumes them. */
export function corpusCases(setting: SpeedSetting): SpeedCase[] {
  const { seed, data } = setting;
  const config = benchmarkConfig('whole-target');
  const consumer = 'the training that consumes it';
  return [
    {
      what: 'corpus read, cut into subwords, batched',
      unit: 'lines',
      ours: { name: 'dragoman', open: () => readingContender(setting) },
      others: [
        {
          name: consumer,
          asked: 20,
          open: async () => {
            const training = trainingContender({ config, data, batch: BATCH, batches: 1, seed });
            return { ...training, name: consumer, amount: BATCH, flops: null };
          },
        },
      ],
    },
  ];
}

async function readingContender({ quick, seed, data }: SpeedSetting): Promise<Contender> {
  const folder = await mkdtemp(join(tmpdir(), 'dragoman-bench-'));
  const dispose = () => rm(folder, { recursive: true, force: true });
  try {
    const random = new Random(seed);
    const generated = (name: string, lines: number) => writeLines(folder, name, random, lines);
    const lines = data.files === null ? LINES[quick ? 'quick' : 'full'] : data.corpus.length;
    const files = data.files ?? (await generated('many', lines));
    const one = await generated('one', 1);
    const codecs =
      data.files === null
        ? await buildCodecs(configOf(await generated('few', SUBWORDS.lines), one), '.', {})
        : data.codecs;
    const config = configOf(files, one);
    const work = async (): Promise<void> => {
      const { training } = await readTrainingData(config, '.', codecs, {});
      const batches = makeBatches(training, { by: 'sentences', size: BATCH }, new Random(seed));
      for (const indices of batches) collate(training, indices);
    };
    return local('dragoman', lines, null, work, dispose);
  } catch (error) {
    await dispose();
    throw error;
  }
}

function configOf(training: TwoFiles, validation: TwoFiles): Config {
  const side = {
    kind: 'sentencepiece',
    train: { vocabSize: SUBWORDS.pieces, hardVocabLimit: false },
  } as const;
  return resolveConfig({
    data: { train: training, validation },
    text: { source: side, target: side, joint: true },
  });
}

async function writeLines(folder: string, name: string, random: Random, lines: number): Promise<TwoFiles> {
  const files = { source: join(folder, `${name}.source`), target: join(folder, `${name}.target`) };
  for (const path of Object.values(files)) {
    const text = Array.from({ length: lines }, () => `${syntheticLine(random)}\n`).join('');
    await writeFile(path, text);
  }
  return files;
}
