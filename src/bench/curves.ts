import { dispose, type Scalar, type Tensor, tidy, valueAndGrads } from '@tensorflow/tfjs-core';
import { type Config, resolveConfig } from '../config.js';
import { currentEngine, type EngineName, startEngine, whyAbsent } from '../engine/engine.js';
import type { Seq2Seq } from '../model/seq2seq.js';
import { Random } from '../random.js';
import { type Batch, collate, makeBatches } from '../text/batch.js';
import { EncodedCorpus } from '../text/encoded.js';
import { createOptimizer } from '../train/optimizer.js';
import { linePlot } from './line-plot.js';
import { plainLoss } from './plain-model.js';
import { benchmarkModel, generatedText } from './speed-model.js';
import { randomIds, syntheticCodecs } from './synthetic-corpus.js';

/** How a training computes its gradients: by the kernels, or as single operations with automatic differentiation. */
export type Way = 'kernels' | 'autodiff';

/** The losses of one training. */
export interface Curve {
  readonly engine: EngineName;
  readonly way: Way;
  /** Of every step: cross-entropy per target token, smoothed labels included, in nats. */
  readonly losses: readonly number[];
}

export interface CurvesOptions {
  readonly steps: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
  /** Told after each step of the training that is under way. */
  readonly onStep?: (step: number) => void;
}

const ENGINES: readonly EngineName[] = ['tensorflow', 'wasm'];
const WAYS: readonly Way[] = ['kernels', 'autodiff'];

/** Reversal of sequences, which a network of this size learns within some hundred steps. */
const TASK = { symbols: 30, shortest: 2, longest: 10, pairs: 4000, batch: 32 };
const SIZES = { embedding: 32, encoder: 48, decoder: 96 };
/** Falls to 0 over the steps, so that a training ends at rest. */
const LEARNING_RATE = 2e-3;

/** The trainings of {@link curves}: every engine that is here, each by both ways. */
export function curveWays(): { readonly engine: EngineName; readonly way: Way }[] {
  const present = ENGINES.filter((engine) => whyAbsent(engine) === null);
  return present.flatMap((engine) => WAYS.map((way) => ({ engine, way })));
}

/**
 * The same training again and again, from the same weights over the same batches: by the kernels of each engine, and on
 * each engine as single operations with automatic differentiation, which share no derivative with the kernels. The curves
 * should lie on one another, up to what rounding grows to.
 *
 * The engine that runs before runs after.
 */
export async function* curves(options: CurvesOptions): AsyncGenerator<Curve> {
  const before = currentEngine()?.name;
  const codecs = syntheticCodecs(TASK.symbols + 4);
  const corpus = reversals(new Random(options.seed), codecs.source.vocabulary.size);
  const config = resolveConfig({
    ...generatedText(),
    model: {
      embedding: SIZES.embedding,
      encoder: { hidden: SIZES.encoder },
      decoder: { hidden: SIZES.decoder },
      dropout: { embedding: 0, layers: 0, output: 0 },
    },
    train: { labelSmoothing: 0.1, clip: 1, optimizer: { kind: 'adam', learningRate: LEARNING_RATE } },
  });
  try {
    for (const { engine, way } of curveWays()) {
      await startEngine(engine);
      const model = benchmarkModel(config, codecs, options.seed);
      const losses = train(model, config, corpus, way, options);
      model.dispose();
      if (options.signal?.aborted) return;
      yield { engine, way, losses };
    }
  } finally {
    if (before !== undefined) await startEngine(before);
  }
}

function reversals(random: Random, size: number): EncodedCorpus {
  const corpus = new EncodedCorpus({ source: size, target: size });
  for (let n = 0; n < TASK.pairs; n++) {
    const length = TASK.shortest + random.integer(TASK.longest - TASK.shortest + 1);
    const source = randomIds(random, length, size);
    corpus.push(source, source.toReversed());
  }
  return corpus;
}

function train(
  model: Seq2Seq,
  { train: { labelSmoothing, clip, optimizer: spec } }: Config,
  corpus: EncodedCorpus,
  way: Way,
  { steps, seed, signal, onStep }: CurvesOptions,
): number[] {
  const optimizer = createOptimizer(spec, model.parameters, clip);
  const random = new Random(seed);
  const losses: number[] = [];
  let batches: Int32Array[] = [];
  try {
    while (losses.length < steps && !signal?.aborted) {
      if (batches.length === 0) batches = makeBatches(corpus, { by: 'sentences', size: TASK.batch }, random);
      const batch = collate(corpus, batches.pop()!);
      const { loss, gradients } =
        way === 'kernels'
          ? byKernels(model, batch, labelSmoothing)
          : byAutodiff(model, batch, labelSmoothing);
      losses.push(loss.dataSync()[0]!);
      const rate = spec.learningRate * (1 - losses.length / (steps + 1));
      dispose([loss, optimizer.apply(gradients, rate)]);
      dispose(gradients);
      onStep?.(losses.length);
    }
  } finally {
    optimizer.dispose();
  }
  return losses;
}

interface Step {
  readonly loss: Scalar;
  readonly gradients: Record<string, Tensor>;
}

function byKernels(model: Seq2Seq, batch: Batch, labelSmoothing: number): Step {
  const { loss, logLikelihood, gradients } = model.gradients(batch, { labelSmoothing, seed: 1 });
  dispose(logLikelihood);
  return { loss, gradients: gradients as Record<string, Tensor> };
}

function byAutodiff(model: Seq2Seq, batch: Batch, labelSmoothing: number): Step {
  const weights = model.parameters.weights();
  const names = Object.keys(weights);
  return tidy(() => {
    const loss = (...values: Tensor[]): Scalar =>
      plainLoss(Object.fromEntries(names.map((name, i) => [name, values[i]!])), batch, labelSmoothing);
    const { value, grads } = valueAndGrads(loss)(names.map((name) => weights[name]!));
    return {
      loss: value as Scalar,
      gradients: Object.fromEntries(names.map((name, i) => [name, grads[i]!])),
    };
  });
}

/** A curve beside another. */
export interface Distance {
  /**
   * The greatest difference of a step's loss among the first tenth of the steps, relative to the other's: rounding, if both
   * are right. It grows with every step, so that later steps have nothing to say.
   */
  readonly early: number;
  /** The difference of the {@link finalLoss}, relative to the other's: what another seed would make, too. */
  readonly final: number;
}

/** How far a curve is from another. */
export function distance(one: Curve, other: Curve): Distance {
  const relative = (a: number, b: number): number => Math.abs(b - a) / a;
  const early = one.losses.slice(0, Math.ceil(one.losses.length / 10));
  return {
    early: Math.max(...early.map((loss, step) => relative(loss, other.losses[step]!))),
    final: relative(finalLoss(one), finalLoss(other)),
  };
}

/** Mean loss of the last tenth of the steps: where a training ends. */
export function finalLoss({ losses }: Curve): number {
  const last = losses.slice(-Math.ceil(losses.length / 10));
  return last.reduce((sum, loss) => sum + loss, 0) / last.length;
}

/** Points drawn of a curve; each is the mean of the steps since the last. */
const POINTS = 100;

/** The curves laid over one another, as an SVG. */
export function curvesPlot(curves: readonly Curve[]): string {
  const lines = curves.map((curve) => ({ label: curveName(curve), points: thinned(curve.losses) }));
  return linePlot(lines, { x: 'step', y: 'loss, nats a token', logarithmic: false });
}

export function curveName({ engine, way }: Pick<Curve, 'engine' | 'way'>): string {
  return `${engine}, ${way}`;
}

function thinned(losses: readonly number[]): [number, number][] {
  const size = Math.ceil(losses.length / POINTS);
  return Array.from({ length: Math.ceil(losses.length / size) }, (_, k) => {
    const part = losses.slice(k * size, (k + 1) * size);
    return [k * size + part.length, part.reduce((sum, loss) => sum + loss, 0) / part.length];
  });
}
