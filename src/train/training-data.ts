import type { Config, LanguageModelConfig } from '../config.js';
import { DragomanError } from '../errors.js';
import type { Codecs, TextCodec } from '../text/codec.js';
import { corpusName, readPairs, readTexts, type SentencePair } from '../text/corpus.js';
import { type EncodedCorpus, encodeCorpus, withoutSource } from '../text/encoded.js';
import { Resegmentation } from '../text/resegmentation.js';
import type { TrainingEvents } from './events.js';
import { EvenSample } from './sample.js';

/** What a training reads. */
export interface TrainingData {
  readonly training: EncodedCorpus;
  /** Cuts the training text anew in every epoch; null if that is not asked for. */
  readonly resegmentation: Resegmentation | null;
  readonly validation: EncodedCorpus;
  /** Validation pairs to be translated for BLEU, as text. */
  readonly sample: readonly SentencePair[];
}

export type ReadingOptions = Pick<TrainingEvents, 'onMessage'> & { readonly signal?: AbortSignal };

/** Reads both corpora, saying how many pairs were kept and left out. */
export async function readTrainingData(
  config: Config,
  configFolder: string,
  codecs: Codecs,
  options: ReadingOptions,
): Promise<TrainingData> {
  const { data, train } = config;
  const encode = encoder(config, codecs, options, summary);
  const resegmentation = Resegmentation.of(config, codecs);
  const training = await encode('train', readPairs(data.train, configFolder), (pair) =>
    resegmentation?.add(pair),
  );
  const sample = new EvenSample<SentencePair>(train.validation.bleuSentences);
  let validationPairs: AsyncIterable<SentencePair> = readPairs(data.validation, configFolder);
  if (train.validation.sentences !== undefined)
    validationPairs = thinned(validationPairs, train.validation.sentences);
  const usable = ({ source, target }: SentencePair): boolean => {
    const { length } = codecs.source.encode(source);
    return length > 0 && length <= data.maxLength && target.trim() !== '';
  };
  const validation = await encode('validation', sampling(validationPairs, sample, usable));
  return { training, resegmentation, validation, sample: sample.items() };
}

/** Reads both texts of a language model, likewise. */
export async function readTrainingTexts(
  config: LanguageModelConfig,
  configFolder: string,
  codec: TextCodec,
  options: ReadingOptions,
): Promise<TrainingData> {
  const { data, train } = config;
  const encode = encoder(config, { source: null, target: codec }, options, summaryOfText);
  const resegmentation = Resegmentation.ofText(config, codec);
  const training = await encode('train', withoutSource(readTexts(data.train, configFolder)), (pair) =>
    resegmentation?.add(pair),
  );
  const lines = withoutSource(readTexts(data.validation, configFolder));
  const { sentences } = train.validation;
  const validation = await encode('validation', sentences === undefined ? lines : thinned(lines, sentences));
  return { training, resegmentation, validation, sample: [] };
}

type Summary = (corpus: EncodedCorpus, maxLength: number) => string;

/** Encodes one of the corpora and says what became of it. */
function encoder(
  { data }: Config | LanguageModelConfig,
  codecs: Parameters<typeof encodeCorpus>[1],
  { onMessage, signal }: ReadingOptions,
  summarize: Summary,
) {
  const { maxLength, memory } = data;
  return async (
    key: 'train' | 'validation',
    pairs: AsyncIterable<SentencePair>,
    onKept?: (pair: SentencePair) => void,
  ): Promise<EncodedCorpus> => {
    const name = corpusName(data[key]);
    const options = { maxLength, memory, name, onKept };
    const corpus = await encodeCorpus(stopping(pairs, signal), codecs, options);
    if (corpus.overflow.size > 0) {
      onMessage?.(`${name}: more than data.memory (${memory} MiB): the rest is in a temporary file`);
    }
    const what = key === 'train' ? 'training' : 'validation';
    onMessage?.(`${what} data: ${name}: ${summarize(corpus, maxLength)}`);
    return corpus;
  };
}

function summaryOfText(corpus: EncodedCorpus, maxLength: number): string {
  const { empty, tooLong } = corpus.dropped;
  const kept = `${number(corpus.length)} sentences, ${number(corpus.targetTokens)} tokens`;
  return leftOut(kept, empty, 'empty', tooLong, maxLength);
}

function summary(corpus: EncodedCorpus, maxLength: number): string {
  const { empty, tooLong } = corpus.dropped;
  const kept = `${number(corpus.length)} pairs, ${number(corpus.sourceTokens)} source and ${number(corpus.targetTokens)} target tokens`;
  return leftOut(kept, empty, 'with an empty side', tooLong, maxLength);
}

function leftOut(kept: string, empty: number, emptyOnes: string, tooLong: number, maxLength: number): string {
  const dropped = [
    ...(empty > 0 ? [`${number(empty)} ${emptyOnes}`] : []),
    ...(tooLong > 0 ? [`${number(tooLong)} longer than ${maxLength} tokens`] : []),
  ];
  return dropped.length === 0 ? kept : `${kept}; left out ${dropped.join(' and ')}`;
}

function number(n: number): string {
  return n.toLocaleString('en');
}

async function* stopping<T>(items: AsyncIterable<T>, signal: AbortSignal | undefined): AsyncGenerator<T> {
  for await (const item of items) {
    requireNotAborted(signal);
    yield item;
  }
}

/** Evenly spaced items of a stream. */
async function* thinned<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T> {
  const sample = new EvenSample<T>(size);
  for await (const item of items) sample.add(item);
  yield* sample.items();
}

/** Passes items on, offering those of use to a sample. */
async function* sampling<T>(
  items: AsyncIterable<T>,
  sample: EvenSample<T>,
  usable: (item: T) => boolean,
): AsyncGenerator<T> {
  for await (const item of items) {
    if (usable(item)) sample.add(item);
    yield item;
  }
}

/** @throws DragomanError `training` when the user has interrupted. */
export function requireNotAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    throw new DragomanError('training', 'interrupted while reading the data: nothing was written');
  }
}
