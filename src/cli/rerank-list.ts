import { Command, Option } from '@commander-js/extra-typings';
import { DragomanError } from '../errors.js';
import { BLEU_TOKENIZERS, type BleuTokenizer, bleuTokenizerName } from '../metrics/bleu-tokenizer.js';
import { METRIC_UNITS, type MetricUnit } from '../metrics/units.js';
import { NBEST_FORMATS, type NBestFormatName, type SourcedList } from '../search/nbest.js';
import type { FeatureFunction } from '../search/rerank.js';
import type { Translator } from '../search/translator.js';
import type { Weights } from '../search/weights.js';
import { collect, positiveInteger, refuse } from './arguments.js';
import { announceInput } from './lines.js';
import type { MeasureOptions } from './measure.js';
import type { Terminal } from './terminal.js';

// What `rerank` and `rerank tune` have in common: lists, and features for them.

/** Of search/features.ts, repeated because `--help` should not wait for what that module loads. */
const MODEL_SCORES = ['sum', 'per-token', 'both'] as const;

/** A command that reads n-best lists and computes features. */
export function listCommand(name: string) {
  return new Command(name)
    .argument('[model...]', 'model folders: ln P(target | source) of each is a feature: model, model2, …')
    .option('-s, --source <file>', 'source lines, for models; ids of the lists count them from 0')
    .option('-n, --nbest <file>', 'the n-best lists; - is standard input, .gz is unpacked', '-')
    .addOption(
      new Option('--nbest-format <name>', "of the input (default: by its name's ending, else moses)").choices(
        NBEST_FORMATS,
      ),
    )
    .option(
      '--per-source <n>',
      'hypotheses of each source line, for the format opennmt, which has no ids',
      positiveInteger,
    )
    .option(
      '--reverse <model>',
      'a model of the other direction: ln P(source | target), feature reverse; may be repeated',
      collect,
    )
    .option(
      '--language-model <folder>',
      'a language model: ln P(target), feature lm; may be repeated',
      collect,
    )
    .addOption(
      new Option(
        '--scores <kind>',
        'what models give: ln P, ln P divided by the number of tokens (features model-per-token, …), or both (default: sum)',
      ).choices(MODEL_SCORES),
    )
    .option('--tokenize <name>', `of BLEU: ${BLEU_TOKENIZERS.join(', ')} (default: 13a)`, bleuTokenizerName)
    .addOption(new Option('--tokenizer <name>').argParser(bleuTokenizerName).hideHelp())
    .addOption(new Option('--unit <name>', 'what accuracy and error rate count').choices(METRIC_UNITS))
    .option('--lowercase', 'compare with references without case; TER does so anyway')
    .option('--resamples <n>', 'of the paired bootstrap in the report (default: 1000)', positiveInteger);
}

/** How to compare with references: what {@link listCommand} collects of it. */
export function comparing(flags: {
  readonly tokenize?: BleuTokenizer;
  readonly tokenizer?: BleuTokenizer;
  readonly unit?: MetricUnit;
  readonly lowercase?: true;
}): MeasureOptions {
  const { tokenize, tokenizer, unit, lowercase } = flags;
  return { tokenize: tokenize ?? tokenizer, unit, lowercase };
}

/** What {@link listCommand} collects. */
export interface ListFlags {
  readonly source?: string;
  readonly nbest: string;
  readonly nbestFormat?: NBestFormatName;
  readonly perSource?: number;
  readonly reverse?: string[];
  readonly languageModel?: string[];
  readonly scores?: (typeof MODEL_SCORES)[number];
}

/** Models of every kind. */
export function modelCount(
  folders: readonly string[],
  { reverse = [], languageModel = [] }: ListFlags,
): number {
  return folders.length + reverse.length + languageModel.length;
}

/** Throws `usage` for flags that do not go together. */
export function checkListFlags(folders: readonly string[], flags: ListFlags): void {
  const { source, nbest, reverse = [], scores } = flags;
  if (folders.length + reverse.length > 0 && source === undefined) {
    throw new DragomanError('usage', 'expected --source FILE beside a model, which scores pairs, got none');
  }
  if (modelCount(folders, flags) === 0) refuse({ scores }, 'needs a model');
  if (nbest === '-' && source === '-') {
    throw new DragomanError(
      'usage',
      'standard input (-) can be read only once: name a file for --source or --nbest',
    );
  }
}

/** The lists that the flags name, beside their source lines; one for each of `lines` where there is no source. */
export async function openLists(
  flags: ListFlags,
  terminal: Terminal,
  lines: string | undefined,
): Promise<AsyncGenerator<SourcedList>> {
  const { nbestFormatOf, readNBest, withSources } = await import('../search/nbest.js');
  const { readLines } = await import('../text/corpus.js');
  const { nameOf } = await import('../text/input.js');
  const { nbest, perSource } = flags;
  announceInput(nbest, terminal);
  const format = flags.nbestFormat ?? nbestFormatOf(nbest);
  const lists = readNBest(readLines(nbest), { format, file: nameOf(nbest), perSource });
  const numbering = flags.source ?? lines;
  return withSources(lists, numbering === undefined ? null : readLines(numbering));
}

/** Lines of several files side by side. Throws `input` where one is shorter than another. */
export async function* linesTogether(files: readonly string[]): AsyncGenerator<string[]> {
  const { readLines } = await import('../text/corpus.js');
  const readers = files.map((file) => readLines(file)[Symbol.asyncIterator]());
  for (let line = 1; ; line++) {
    const next = await Promise.all(readers.map((reader) => reader.next()));
    const ended = next.findIndex(({ done }) => done);
    if (ended < 0) yield next.map(({ value }) => value as string);
    else if (next.every(({ done }) => done)) return;
    else {
      throw new DragomanError(
        'input',
        `${files[ended]}: expected as many lines as in the other references, got ${line - 1}`,
      );
    }
  }
}

/** References beside the lists, one after the other. */
export interface ReferenceReader {
  /** The references of the next list. Throws `input` if there are none left. */
  next(list: SourcedList): Promise<string[]>;
  /** Throws `input` if references are left. */
  end(lists: number): Promise<void>;
}

export function referenceReader(files: readonly string[]): ReferenceReader {
  const lines = linesTogether(files);
  let read = 0;
  return {
    async next({ where, id }) {
      const next = await lines.next();
      if (next.done) {
        throw new DragomanError(
          'input',
          `${files.join(', ')}: expected a line for each source line, got ${read}, none for sentence ${id} (${where})`,
        );
      }
      read++;
      return next.value;
    },
    async end(lists) {
      if (!(await lines.next()).done) {
        throw new DragomanError(
          'input',
          `${files.join(', ')}: expected ${lists} lines, one for each source line, got more`,
        );
      }
    },
  };
}

/**
 * Features that models give: `model`, `model2`, …, `reverse`, …, `lm`, …, and a length, the first model's or in words.
 *
 * @param known The features that a weights file names. Without a model words are counted, but not for weights that were
 *   learned with one: they count its tokens, which the list then has.
 */
export async function loadFeatures(
  folders: readonly string[],
  flags: ListFlags,
  known: ReadonlySet<string> | null = null,
): Promise<{ features: FeatureFunction[]; dispose(): void }> {
  const { reverse = [], languageModel = [], scores = 'sum' } = flags;
  const { languageModelFeatures, lengthFeature, modelFeatures, reverseFeatures, wordsFeature } = await import(
    '../search/features.js'
  );
  if (modelCount(folders, flags) === 0) {
    return { features: known === null || known.has('words') ? [wordsFeature()] : [], dispose: () => {} };
  }
  const { Translator } = await import('../search/translator.js');
  const { TextScorer } = await import('../search/text-scorer.js');
  const loaded: { dispose(): void }[] = [];
  const dispose = (): void => {
    for (const model of loaded) model.dispose();
  };
  const kept = <Model extends { dispose(): void }>(model: Model): Model => {
    loaded.push(model);
    return model;
  };
  const numbered = (name: string, i: number): string => (i === 0 ? name : `${name}${i + 1}`);
  try {
    const features: FeatureFunction[] = [];
    let first: Translator | undefined;
    for (const [i, folder] of folders.entries()) {
      const translator = kept(await Translator.load(folder));
      first ??= translator;
      features.push(...modelFeatures(translator, scores, numbered('model', i)));
    }
    features.push(first === undefined ? wordsFeature() : lengthFeature(first));
    for (const [i, folder] of reverse.entries())
      features.push(...reverseFeatures(kept(await Translator.load(folder)), scores, numbered('reverse', i)));
    for (const [i, folder] of languageModel.entries())
      features.push(...languageModelFeatures(kept(await TextScorer.load(folder)), scores, numbered('lm', i)));
    return { features, dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** Weights of the command line. */
export interface GivenWeights {
  readonly weights: Weights;
  /** The file they come from, which has to name every feature; null for a list, which may leave some out. */
  readonly file: string | null;
}

/** `name=value,…`, or the name of a weights file. */
export async function givenWeights(text: string): Promise<GivenWeights> {
  const { isWeightsFile, readWeightsFile } = await import('../search/weights-file.js');
  if (isWeightsFile(text)) return { weights: (await readWeightsFile(text)).weights, file: text };
  const { parseWeights } = await import('../search/weights.js');
  return { weights: parseWeights(text), file: null };
}
