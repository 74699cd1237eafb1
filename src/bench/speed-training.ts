import { dispose, type Tensor } from '@tensorflow/tfjs-core';
import type { Config } from '../config.js';
import { currentEngine } from '../engine/engine.js';
import { hasBfloat16, vectorExtensions } from '../engine/hardware.js';
import { DragomanError } from '../errors.js';
import { Random } from '../random.js';
import { collate, makeBatches } from '../text/batch.js';
import type { EncodedCorpus } from '../text/encoded.js';
import { createOptimizer } from '../train/optimizer.js';
import { BACKWARD, sentenceFlops } from './flops.js';
import { inOwnProcess, type TrainingJob } from './own-process.js';
import { peerEntry } from './peer.js';
import { type Contender, local, type SpeedCase, type SpeedData, type SpeedSetting } from './speed-case.js';
import { benchmarkConfig, benchmarkModel, type Path, sizesOf } from './speed-model.js';

/** Sentences a step. */
const BATCH = 64;
/** Steps of a run, from the batch with few tokens to the one with many; fewer in a quick benchmark. */
const BATCHES = { full: 4, quick: 1 };

/** Whole steps of the model that computes the whole target at once. */
export function trainingCases(setting: SpeedSetting): SpeedCase[] {
  return [
    {
      ...trainingCase(setting, 'whole-target', [
        ['PyTorch, stock', 'stock', 1.2],
        ['PyTorch, tuned', 'tuned', 1.05],
      ]),
      what: 'training step, Multi30k model',
    },
    ...(currentEngine()?.name === 'tensorflow' && hasBfloat16(vectorExtensions())
      ? [bfloat16Case(setting)]
      : []),
  ];
}

/** The same with products of bfloat16 numbers. */
function bfloat16Case(setting: SpeedSetting): SpeedCase {
  const what = trainingCase(setting, 'whole-target', [
    ['PyTorch, stock, mixed precision', 'bfloat16', 1],
    ['PyTorch, tuned', 'tuned', 1.05],
  ]);
  return {
    ...what,
    what: 'training step, products in bfloat16',
    ours: inOwnProcess('bfloat16', trainingJob(setting)),
  };
}

function trainingJob({ seed, threads, quick, data: { codecs, corpus } }: SpeedSetting): TrainingJob {
  const rows = Array.from({ length: corpus.length }, (_, i) => i);
  return {
    kind: 'training',
    threads,
    seed,
    batch: BATCH,
    batches: BATCHES[quick ? 'quick' : 'full'],
    sizes: { source: codecs.source.vocabulary.size, target: codecs.target.vocabulary.size },
    source: rows.map((i) => Array.from(corpus.source(i))),
    target: rows.map((i) => Array.from(corpus.target(i))),
  };
}

/** Whole steps of the model that has to go step by step. */
export function perStepCases(setting: SpeedSetting): SpeedCase[] {
  return [
    {
      ...trainingCase(setting, 'per-step', [['PyTorch, step by step', 'stock', 2]]),
      what: 'training step, input feeding and additive attention',
    },
  ];
}

function trainingCase(
  setting: SpeedSetting,
  path: Path,
  variants: readonly (readonly [name: string, variant: string, asked: number])[],
): Omit<SpeedCase, 'what'> {
  const { seed, peers, data } = setting;
  const config = benchmarkConfig(path);
  const ours = trainingJob(setting);
  const { batch, batches } = ours;
  const job = (variant: string) => ({
    ...ours,
    variant,
    shape: sizesOf(config, data.codecs),
    labelSmoothing: config.train.labelSmoothing,
    clip: config.train.clip,
  });
  return {
    unit: 'target tokens',
    memory: true,
    ours: {
      name: 'dragoman',
      open: async () => trainingContender({ config, data, batch, batches, seed }),
    },
    others: variants.flatMap(([name, variant, asked]) =>
      peerEntry(peers, 'training', name, job(variant), { asked }),
    ),
  };
}

export interface TrainingWork {
  readonly config: Config;
  readonly data: Pick<SpeedData, 'codecs' | 'corpus'>;
  /** Sentences a step. */
  readonly batch: number;
  /** Steps a run. */
  readonly batches: number;
  readonly seed: number;
}

/** Whole training steps on batches of all sizes, each with its batch made, gradients, clipping and Adam. */
export function trainingContender({ config, data, batch, batches, seed }: TrainingWork): Contender {
  const { codecs, corpus } = data;
  const model = benchmarkModel(config, codecs, seed);
  const { train } = config;
  const optimizer = createOptimizer(train.optimizer, model.parameters, train.clip);
  const chosen = representative(corpus, batch, batches, seed);
  let step = 0;
  const work = (): void => {
    for (const indices of chosen) {
      const { loss, logLikelihood, gradients } = model.gradients(collate(corpus, indices), {
        labelSmoothing: train.labelSmoothing,
        seed: ++step,
      });
      const norm = optimizer.apply(gradients, train.optimizer.learningRate);
      dispose([loss, logLikelihood, norm]);
      dispose(gradients as Record<string, Tensor>);
    }
  };
  const sizes = sizesOf(config, codecs);
  const sentences = chosen.flatMap((indices) => Array.from(indices));
  const flops = sum(sentences, (i) =>
    sentenceFlops(sizes, corpus.sourceLength(i) + 1, corpus.targetLength(i) + 1),
  );
  const tokens = sum(sentences, (i) => corpus.targetLength(i) + 1);
  return local('dragoman', tokens, (1 + BACKWARD) * flops, work, () => {
    optimizer.dispose();
    model.dispose();
  });
}

/** Of `count` equal parts of an epoch's full batches, ordered by target tokens, the middle one each. */
export function representative(
  corpus: EncodedCorpus,
  size: number,
  count: number,
  seed: number,
): Int32Array[] {
  const all = makeBatches(corpus, { by: 'sentences', size }, new Random(seed));
  const full = all.filter(({ length }) => length === size);
  if (full.length === 0) {
    throw new DragomanError('usage', `expected a corpus of at least ${size} pairs, got ${corpus.length}`);
  }
  const tokens = (batch: Int32Array): number => sum(batch, (i) => corpus.targetLength(i));
  const order = full.sort((a, b) => tokens(a) - tokens(b));
  return Array.from({ length: count }, (_, k) => order[Math.floor(((k + 0.5) * order.length) / count)]!);
}

export function sum(items: ArrayLike<number>, value: (item: number) => number): number {
  let total = 0;
  for (let k = 0; k < items.length; k++) total += value(items[k]!);
  return total;
}
