import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type {
  Config,
  CorpusSpec,
  LanguageModelConfig,
  TextCorpusSpec,
  TokenizerSpec,
  VocabularySpec,
} from '../config.js';
import { DragomanError } from '../errors.js';
import { readLines, readPairs, readTexts, requireRereadable, usesStandardInput } from './corpus.js';
import { TokenCounter } from './count.js';
import { SentencePieceTokenizer } from './sentencepiece.js';
import { keepStandardInput } from './stdin.js';
import { createTokenizer, type Tokenizer } from './tokenizer.js';
import { type ReadingEvents, trainTextTokenizer, trainTokenizers } from './trained-tokenizer.js';
import { BOS, EOS, PAD, Vocabulary } from './vocabulary.js';

/** A side of a model, as in the names of its files; `text` is a language model's only one. */
export type Side = 'src' | 'tgt' | 'text';

/** Both sides of a model. */
export interface Codecs {
  readonly source: TextCodec;
  readonly target: TextCodec;
}

/** One side of a model: a tokenizer with its vocabulary, text to ids and back. */
export class TextCodec {
  constructor(
    readonly tokenizer: Tokenizer,
    readonly vocabulary: Vocabulary,
  ) {}

  /** Ids of one sentence, without BOS and EOS; UNK where the vocabulary does not hold a token. */
  encode(text: string): Int32Array {
    const tokens = this.tokenizer.segment(text);
    const ids = new Int32Array(tokens.length);
    for (let i = 0; i < ids.length; i++) ids[i] = this.vocabulary.id(tokens[i]!);
    return ids;
  }

  /** The tokens up to the first EOS; PAD and BOS are left out, UNK is `<unk>`. */
  tokens(ids: ArrayLike<number>): string[] {
    const tokens: string[] = [];
    for (let i = 0; i < ids.length && ids[i] !== EOS; i++) {
      const id = ids[i]!;
      if (id !== PAD && id !== BOS) tokens.push(this.vocabulary.token(id));
    }
    return tokens;
  }

  /** The text of these ids, up to the first EOS. */
  decode(ids: ArrayLike<number>): string {
    return this.tokenizer.join(this.tokens(ids));
  }
}

/**
 * Tokenizers and vocabularies for this configuration. The training corpus is read once to count the tokens of
 * the sides that need it: a SentencePiece model brings its vocabulary along. With `text.joint` the tokens of
 * both sides are counted together and both share one vocabulary. SentencePiece models that the configuration
 * wants trained are trained first. Paths are relative to `folder`.
 */
export async function buildCodecs(
  config: Config,
  folder: string,
  events: ReadingEvents = {},
): Promise<Codecs> {
  const { text, data } = config;
  await keepForTraining(data);
  const trained = await trainTokenizers(config, folder, events);
  const source = trained.source ?? (await createTokenizer(text.source, folder));
  const target = trained.target ?? (await createTokenizer(text.target, folder));

  const counters = { source: counterFor(source), target: text.joint ? null : counterFor(target) };
  if (counters.source !== null || counters.target !== null) {
    await requireRereadable(data.train, folder);
    for await (const pair of readPairs(data.train, folder)) {
      events.onPair?.();
      counters.source?.add(source.segment(pair.source));
      if (text.joint) counters.source?.add(target.segment(pair.target));
      else counters.target?.add(target.segment(pair.target));
    }
  }
  const sourceVocabulary = vocabularyOf(source, counters.source, text.vocabulary);
  const targetVocabulary = text.joint
    ? sourceVocabulary
    : vocabularyOf(target, counters.target, text.vocabulary);
  return { source: new TextCodec(source, sourceVocabulary), target: new TextCodec(target, targetVocabulary) };
}

/** Tokenizer and vocabulary of a language model that does not take another model's, likewise. */
export async function buildTextCodec(
  config: LanguageModelConfig,
  spec: TokenizerSpec,
  folder: string,
  events: ReadingEvents = {},
): Promise<TextCodec> {
  const { text, data } = config;
  await keepForTraining(data);
  const tokenizer =
    (await trainTextTokenizer(data.train, spec, folder, events)) ?? (await createTokenizer(spec, folder));
  const counter = counterFor(tokenizer);
  if (counter !== null) {
    await requireRereadable(data.train, folder);
    for await (const line of readTexts(data.train, folder)) {
      events.onPair?.();
      counter.add(tokenizer.segment(line.text));
    }
  }
  return new TextCodec(tokenizer, vocabularyOf(tokenizer, counter, text.vocabulary));
}

/** A training corpus on standard input will be read again, for training. */
async function keepForTraining(data: {
  readonly train: CorpusSpec | TextCorpusSpec;
  readonly validation: CorpusSpec | TextCorpusSpec;
}): Promise<void> {
  if (!usesStandardInput(data.train)) return;
  if (usesStandardInput(data.validation)) {
    throw new DragomanError('config', 'expected standard input (-) for one corpus, got it for two');
  }
  await keepStandardInput();
}

function counterFor(tokenizer: Tokenizer): TokenCounter | null {
  return tokenizer instanceof SentencePieceTokenizer ? null : new TokenCounter();
}

function vocabularyOf(tokenizer: Tokenizer, counter: TokenCounter | null, spec: VocabularySpec): Vocabulary {
  if (tokenizer instanceof SentencePieceTokenizer) return tokenizer.vocabulary;
  return Vocabulary.build(counter?.counts ?? new Map(), spec);
}

/** Names of a side's files within a model folder. */
const FILES: Readonly<Record<Side, { vocabulary: string; model: string }>> = {
  src: { vocabulary: 'vocab.src.txt', model: 'source.model' },
  tgt: { vocabulary: 'vocab.tgt.txt', model: 'target.model' },
  text: { vocabulary: 'vocab.txt', model: 'text.model' },
};

/**
 * Writes a side into a model folder: `vocab.src.txt` (`vocab.tgt.txt`), or a copy of the SentencePiece model as
 * `source.model` (`target.model`). Returns the tokenizer's description as that folder's configuration
 * needs it, with paths relative to the folder.
 */
export async function saveCodec(
  folder: string,
  side: Side,
  codec: TextCodec,
  spec: TokenizerSpec,
): Promise<TokenizerSpec> {
  const files = FILES[side];
  if (codec.tokenizer instanceof SentencePieceTokenizer) {
    const copy = resolve(folder, files.model);
    if (copy !== codec.tokenizer.file) await writeFile(copy, codec.tokenizer.bytes);
    return { kind: 'sentencepiece', model: files.model };
  }
  await writeFile(join(folder, files.vocabulary), codec.vocabulary.text());
  return spec;
}

/** Reads a side from a model folder, by the tokenizer's description in that folder's configuration. */
export async function loadCodec(folder: string, side: Side, spec: TokenizerSpec): Promise<TextCodec> {
  const tokenizer = await createTokenizer(spec, folder);
  if (tokenizer instanceof SentencePieceTokenizer) return new TextCodec(tokenizer, tokenizer.vocabulary);
  const file = join(folder, FILES[side].vocabulary);
  return new TextCodec(tokenizer, await readVocabulary(file));
}

/** Reads a vocabulary file. */
export async function readVocabulary(file: string): Promise<Vocabulary> {
  const lines: string[] = [];
  for await (const line of readLines(file)) lines.push(line);
  return Vocabulary.parse(lines, file);
}
