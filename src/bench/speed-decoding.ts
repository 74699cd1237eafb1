import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../config.js';
import { hasCompiledKernels } from '../engine/compiled-kernels.js';
import { loadModelFolder, MODEL_FILES } from '../model/folder.js';
import type { Seq2Seq } from '../model/seq2seq.js';
import { copyWeights, writeTensors } from '../model/weights-file.js';
import { resolveSearchOptions } from '../search/options.js';
import { Translator } from '../search/translator.js';
import type { Codecs } from '../text/codec.js';
import { EOS } from '../text/vocabulary.js';
import { sentenceFlops } from './flops.js';
import { inOwnProcess, type SearchWork } from './own-process.js';
import { peerEntry } from './peer.js';
import {
  type Contender,
  type Entry,
  local,
  type SpeedCase,
  type SpeedData,
  type SpeedSetting,
  Unavailable,
} from './speed-case.js';
import { benchmarkConfig, benchmarkModel, hasBenchmarkForm, sizesOf } from './speed-model.js';
import { sum } from './speed-training.js';

/** Sentences of a run: for batches of 32, and one by one. */
const SENTENCES = { 32: { full: 64, quick: 32 }, 1: { full: 12, quick: 3 } };
/** The sentences that are scored. */
const SCORED = { full: 512, quick: 64 };

const NEVER_ENDS = -1e4;
/** The limit, `0.3 * source + 10` tokens: with sources as in Multi30k, as many target tokens as there are source tokens. */
const LIMIT_RATIO = 0.3;

const SEARCHES = [
  { beam: 1, batch: 32, asked: { medium: 1.5, highest: 2 } },
  { beam: 5, batch: 32, asked: { medium: 1.5, highest: 2 } },
  { beam: 1, batch: 1, asked: { medium: 2, highest: 3 } },
  { beam: 5, batch: 1, asked: { medium: 2, highest: 3 } },
] as const;

/** Greedy search and beam search with 5 hypotheses, in batches and sentence by sentence; then once more in 8 bits. */
export function decodingCases(setting: SpeedSetting): SpeedCase[] {
  const subject = subjectOf(setting);
  const { data, seed, trained } = setting;
  const sizes = { source: data.codecs.source.vocabulary.size, target: data.codecs.target.vocabulary.size };
  const cases = SEARCHES.map(({ beam, batch, asked }) => {
    const count = SENTENCES[batch][setting.quick ? 'quick' : 'full'];
    const lines = evenly(data, count);
    const search = { beam, batchSize: batch, maxRatio: subject.maxRatio };
    const job = { kind: 'decoding', seed, sizes, folder: trained?.folder ?? null, search, lines } as const;
    const what = `${beam === 1 ? 'greedy' : `beam ${beam}`}, batch ${batch}`;
    const inBytes: SpeedCase = {
      what: `${what}, in 8 bits`,
      unit: 'sentences',
      ours: inOwnProcess('int8', job),
      others: (['highest', 'medium'] as const).flatMap((precision) =>
        withWeights(subject, setting, lines, { beam, batch, precision }, asked[precision]),
      ),
    };
    const open = async () =>
      decodingContender({ ...data.codecs, model: await subject.open() }, lines, search);
    return { plain: { ...inBytes, what, ours: { name: 'dragoman', open } }, inBytes };
  });
  return [
    ...cases.map(({ plain }) => plain),
    ...(hasCompiledKernels() ? cases.map(({ inBytes }) => inBytes) : []),
  ];
}

/** Log-probabilities of given targets. */
export function scoreCases(setting: SpeedSetting): SpeedCase[] {
  const count = SCORED[setting.quick ? 'quick' : 'full'];
  return [
    {
      what: 'score',
      unit: 'target tokens',
      ours: { name: 'dragoman', open: () => scoreContender(subjectOf(setting), setting.data, count) },
      others: [],
      asked: { share: 0.7 },
    },
  ];
}

/** The model that decodes and scores: the user's, or one with random weights that goes on to its limit. */
interface Subject {
  readonly config: Config;
  /** Of the length limit. */
  readonly maxRatio: number;
  open(): Promise<Seq2Seq>;
}

function subjectOf({ trained, data, seed }: SpeedSetting): Subject {
  if (trained === null) {
    const config = benchmarkConfig('whole-target');
    return { config, maxRatio: LIMIT_RATIO, open: async () => unendingModel(data.codecs, seed) };
  }
  const { config, folder } = trained;
  const { maxRatio } = resolveSearchOptions();
  return { config, maxRatio, open: async () => (await loadModelFolder(folder)).model };
}

/** Sources of all lengths, as text. */
function evenly({ corpus, codecs }: SpeedData, count: number): string[] {
  return lengthsEvenly(corpus, count).map((i) => codecs.source.decode(corpus.source(i)));
}

function lengthsEvenly(corpus: SpeedData['corpus'], count: number): number[] {
  const order = Array.from({ length: corpus.length }, (_, i) => i);
  order.sort((a, b) => corpus.sourceLength(a) - corpus.sourceLength(b));
  return Array.from({ length: count }, (_, k) => order[Math.floor(((k + 0.5) * order.length) / count)]!);
}

/** Translations by a model with its codecs, which it disposes of. */
export function decodingContender(
  parts: Codecs & { readonly model: Seq2Seq },
  lines: readonly string[],
  { beam, batchSize, maxRatio }: SearchWork,
): Contender {
  const translator = translatorOf(parts, parts.model);
  const work = async (): Promise<void> => {
    await translator.translate(lines, { beam, batchSize, maxRatio });
  };
  return local('dragoman', lines.length, null, work, () => translator.dispose());
}

export function translatorOf({ source, target }: Codecs, model: Seq2Seq): Translator {
  return new Translator({ source, target, model, dispose: () => model.dispose() });
}

/** The benchmark's model, which goes on to the length limit. */
export function unendingModel(codecs: Codecs, seed: number): Seq2Seq {
  const model = benchmarkModel(benchmarkConfig('whole-target'), codecs, seed);
  neverEnd(model);
  return model;
}

/** A model that has not learned must not end where it likes: with this bias it goes on to its limit. */
export function neverEnd({ parameters }: Seq2Seq): void {
  const bias = parameters.read('output.bias');
  bias[EOS] = NEVER_ENDS;
  parameters.write('output.bias', bias);
}

/** PyTorch with the same weights, read from a file that is there while the program starts. */
function withWeights(
  subject: Subject,
  { peers, threads, seed, data }: SpeedSetting,
  sources: readonly string[],
  search: { readonly beam: number; readonly batch: number; readonly precision: string },
  asked: number,
): Entry[] {
  if (peers === null) return [];
  const name = search.precision === 'medium' ? 'PyTorch, oneDNN' : 'PyTorch';
  const job = {
    ...search,
    threads,
    seed,
    maxRatio: subject.maxRatio,
    shape: sizesOf(subject.config, data.codecs),
    source: sources.map((line) => Array.from(data.codecs.source.encode(line))),
  };
  const open = async (): Promise<Contender> => {
    if (!hasBenchmarkForm(subject.config))
      throw new Unavailable('it has only models of the form of the default');
    const folder = await mkdtemp(join(tmpdir(), 'dragoman-bench-'));
    try {
      const weights = join(folder, MODEL_FILES.weights);
      const model = await subject.open();
      await writeTensors(weights, copyWeights(model.parameters), {});
      model.dispose();
      const [peer] = peerEntry(peers, 'decoding', name, { ...job, weights });
      return await peer!.open();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
  return [{ name, asked, open }];
}

async function scoreContender(subject: Subject, data: SpeedData, count: number): Promise<Contender> {
  const { corpus, codecs } = data;
  const { config } = subject;
  const translator = translatorOf(data.codecs, await subject.open());
  const chosen = lengthsEvenly(corpus, count);
  const pairs = chosen.map((i) => ({
    source: codecs.source.decode(corpus.source(i)),
    target: codecs.target.decode(corpus.target(i)),
  }));
  const sizes = sizesOf(config, codecs);
  const flops = sum(chosen, (i) =>
    sentenceFlops(sizes, corpus.sourceLength(i) + 1, corpus.targetLength(i) + 1),
  );
  const tokens = sum(chosen, (i) => corpus.targetLength(i) + 1);
  const work = async (): Promise<void> => {
    await translator.score(pairs);
  };
  return local('dragoman', tokens, hasBenchmarkForm(config) ? flops : null, work, () => translator.dispose());
}
