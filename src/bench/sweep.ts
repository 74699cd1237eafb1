import { type ConfigInput, resolveConfig } from '../config.js';
import { Random } from '../random.js';
import { EncodedCorpus } from '../text/encoded.js';
import { linePlot } from './line-plot.js';
import { type Measured, measureInTurn, median, type RoundsOptions } from './rounds.js';
import { type Contender, local, type SpeedData } from './speed-case.js';
import { neverEnd, translatorOf } from './speed-decoding.js';
import { benchmarkModel, generatedText } from './speed-model.js';
import { trainingContender } from './speed-training.js';
import { randomIds, syntheticCodecs } from './synthetic-corpus.js';

/** Sizes of a training step or of a search. */
interface SweepSizes {
  /** Tokens of every sentence, source and target, EOS not counted. */
  readonly length: number;
  /** Embedding and encoder units a direction; the decoder has twice as many. */
  readonly hidden: number;
  readonly vocabulary: number;
  /** Sentences at once. */
  readonly batch: number;
  readonly beam: number;
}

/** Where the lines of the sweep cross: the model of the benchmark. */
export const SWEEP_CENTRE: SweepSizes = { length: 16, hidden: 256, vocabulary: 8000, batch: 64, beam: 5 };
/** The same, small, to show that all works. */
const QUICK_CENTRE: SweepSizes = { length: 4, hidden: 16, vocabulary: 200, batch: 8, beam: 2 };

/** Multiples of the centre that are measured. */
const MULTIPLES: Readonly<Record<keyof SweepSizes, readonly number[]>> = {
  length: [1 / 4, 1 / 2, 1, 2, 4],
  hidden: [1 / 4, 1 / 2, 1, 2],
  vocabulary: [1 / 8, 1 / 4, 1 / 2, 1, 2, 4],
  batch: [1 / 8, 1 / 4, 1 / 2, 1, 2],
  beam: [1 / 5, 2 / 5, 1, 2, 4],
};

/** What a variable is called, and what its cost is the cost of. */
const LABELS: Readonly<Record<keyof SweepSizes, string>> = {
  length: 'sentence length, training step',
  hidden: 'hidden size, training step',
  vocabulary: 'vocabulary, training step',
  batch: 'batch size, training step',
  beam: 'beam, decoding a batch',
};

/** The sentences that are decoded at once. */
const DECODED = 32;

export interface SweepPoint {
  readonly variable: keyof SweepSizes;
  readonly value: number;
  /** Of a training step, or of the decoding of a batch. */
  readonly milliseconds: number;
  /** That time by the time at the centre. */
  readonly relative: number;
}

export interface SweepOptions extends RoundsOptions {
  readonly quick: boolean;
  readonly seed: number;
  /** Told what comes next. */
  readonly onWork?: (what: string) => void;
}

/** How the cost of a training step grows with each size, and that of decoding with the beam. */
export async function* sweep(options: SweepOptions): AsyncGenerator<SweepPoint> {
  const { quick, seed, signal, onWork } = options;
  const centre = quick ? QUICK_CENTRE : SWEEP_CENTRE;
  for (const variable of Object.keys(MULTIPLES) as (keyof SweepSizes)[]) {
    onWork?.(LABELS[variable]);
    const values = MULTIPLES[variable].map((multiple) =>
      Math.max(1, Math.round(multiple * centre[variable])),
    );
    const measured: Measured[] = [];
    for (const value of values) {
      if (signal?.aborted) return;
      // One at a time: side by side the models of the large sizes would fill the memory.
      const contender = contenderOf(variable, { ...centre, [variable]: value }, seed);
      try {
        measured.push(...(await measureInTurn([contender], options)));
      } finally {
        await contender.dispose();
      }
    }
    if (signal?.aborted) return;
    const times = measured.map(({ milliseconds }) => median(milliseconds));
    const atCentre = times[values.indexOf(centre[variable])]!;
    for (const [k, value] of values.entries()) {
      yield { variable, value, milliseconds: times[k]!, relative: times[k]! / atCentre };
    }
  }
}

function contenderOf(variable: keyof SweepSizes, sizes: SweepSizes, seed: number): Contender {
  const { hidden, batch } = sizes;
  const model: ConfigInput['model'] = {
    embedding: hidden,
    encoder: { hidden },
    decoder: { hidden: 2 * hidden },
  };
  const config = resolveConfig({ ...generatedText(), model, train: { labelSmoothing: 0.1 } });
  const data = equalLengths(sizes, variable === 'beam' ? DECODED : batch, seed);
  if (variable !== 'beam') return trainingContender({ config, data, batch, batches: 1, seed });
  const untrained = benchmarkModel(config, data.codecs, seed);
  neverEnd(untrained);
  const translator = translatorOf(data.codecs, untrained);
  const lines = Array.from({ length: DECODED }, (_, i) => data.codecs.source.decode(data.corpus.source(i)));
  const work = async (): Promise<void> => {
    const search = { beam: sizes.beam, batchSize: DECODED, maxLength: sizes.length };
    await translator.translate(lines, search);
  };
  return local('dragoman', 1, null, work, () => translator.dispose());
}

/** Random sentences of one length. */
function equalLengths({ length, vocabulary }: SweepSizes, pairs: number, seed: number): SpeedData {
  const codecs = syntheticCodecs(vocabulary);
  const random = new Random(seed);
  const corpus = new EncodedCorpus({ source: vocabulary, target: vocabulary });
  const side = (): Int32Array => randomIds(random, length, vocabulary);
  for (let n = 0; n < pairs; n++) corpus.push(side(), side());
  return { name: 'random pairs', files: null, codecs, corpus };
}

/** All lines in one plot: how cost grows as one size is halved or doubled. */
export function sweepPlot(points: readonly SweepPoint[]): string {
  const lines = (Object.keys(MULTIPLES) as (keyof SweepSizes)[]).map((variable) => {
    const own = points.filter((point) => point.variable === variable);
    const centre = own.find(({ relative }) => relative === 1)?.value ?? Number.NaN;
    return {
      label: `${LABELS[variable]} (1 = ${centre})`,
      points: own.map(({ value, relative }) => [Math.log2(value / centre), relative] as const),
    };
  });
  return linePlot(lines, {
    x: 'doublings of the size',
    y: 'time, relative',
    logarithmic: true,
  });
}
