import { dispose, memory, type Tensor } from '@tensorflow/tfjs-core';
import type { Config } from '../config.js';
import { Random } from '../random.js';
import { collate, makeBatches } from '../text/batch.js';
import { createOptimizer } from '../train/optimizer.js';
import type { SpeedData } from './speed-case.js';
import { translatorOf } from './speed-decoding.js';
import { benchmarkModel } from './speed-model.js';

/** What is held at one moment of a long run. */
export interface SoakReading {
  readonly work: 'training steps' | 'decoded sentences';
  readonly done: number;
  /** Tensors that are alive. */
  readonly tensors: number;
  /** Resident memory of the process, native memory included, in MiB. */
  readonly residentMiB: number;
}

export interface SoakOptions {
  readonly steps: number;
  readonly sentences: number;
  /** Readings of each work. */
  readonly readings: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
}

/** Sentences decoded by one call. */
const SENTENCES_PER_CALL = 100;
const BATCH = 64;

/** Trains and then decodes for long, and reads now and then what is held: neither count nor memory should grow. */
export async function* soak(
  config: Config,
  data: SpeedData,
  options: SoakOptions,
): AsyncGenerator<SoakReading> {
  const { steps, sentences, readings, seed, signal } = options;
  const { codecs, corpus } = data;
  const random = new Random(seed);
  const model = benchmarkModel(config, codecs, seed);
  const optimizer = createOptimizer(config.train.optimizer, model.parameters, config.train.clip);
  // At the first piece of work, at the last, and whenever another share of it is done.
  const due = (done: number, total: number, size: number): boolean => {
    const share = (n: number): number => Math.floor((n * readings) / total);
    return done === size || share(done) > share(done - size);
  };
  const translator = translatorOf(data.codecs, model);
  try {
    let batches: Int32Array[] = [];
    for (let step = 1; step <= steps && !signal?.aborted; step++) {
      if (batches.length === 0) batches = makeBatches(corpus, { by: 'sentences', size: BATCH }, random);
      const { loss, logLikelihood, gradients } = model.gradients(collate(corpus, batches.pop()!), {
        labelSmoothing: config.train.labelSmoothing,
        seed: step,
      });
      const norm = optimizer.apply(gradients, config.train.optimizer.learningRate);
      dispose([loss, logLikelihood, norm]);
      dispose(gradients as Record<string, Tensor>);
      if (due(step, steps, 1)) yield reading('training steps', step);
    }
    const size = Math.min(SENTENCES_PER_CALL, sentences);
    for (let done = size; done <= sentences && !signal?.aborted; done += size) {
      const lines = Array.from({ length: size }, () =>
        codecs.source.decode(corpus.source(random.integer(corpus.length))),
      );
      await translator.translate(lines, { beam: 5 });
      if (due(done, sentences, size)) yield reading('decoded sentences', done);
    }
  } finally {
    optimizer.dispose();
    translator.dispose();
  }
}

function reading(work: SoakReading['work'], done: number): SoakReading {
  return { work, done, tensors: memory().numTensors, residentMiB: process.memoryUsage.rss() / 2 ** 20 };
}
