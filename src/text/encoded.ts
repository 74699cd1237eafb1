import { DragomanError } from '../errors.js';
import { Blocks } from './blocks.js';
import type { TextCodec } from './codec.js';
import type { SentencePair } from './corpus.js';
import { Overflow } from './overflow.js';

/** One side: all ids in a row, and where each sentence ends. */
class EncodedSide {
  readonly #ids: Blocks<Uint16Array> | Blocks<Int32Array>;
  readonly #ends = new Blocks((length) => new Float64Array(length)); // more than 2^32 tokens are possible

  constructor(vocabularySize: number, overflow: Overflow) {
    this.#ids =
      vocabularySize <= 65536
        ? new Blocks((length) => new Uint16Array(length), overflow)
        : new Blocks((length) => new Int32Array(length), overflow);
  }

  push(ids: ArrayLike<number>): void {
    this.#ids.push(ids);
    this.#ends.push([this.#ids.length]);
  }

  start(i: number): number {
    return i === 0 ? 0 : this.#ends.at(i - 1);
  }

  length(i: number): number {
    return this.#ends.at(i) - this.start(i);
  }

  sentence(i: number): Int32Array {
    return this.#ids.read(this.start(i), new Int32Array(this.length(i)));
  }

  get tokens(): number {
    return this.#ids.length;
  }

  get bytes(): number {
    return this.#ids.bytes + this.#ends.bytes;
  }
}

/** Pairs that were left out, and why. */
export interface Dropped {
  /** Without a token on one side or both. */
  empty: number;
  /** More than `maxLength` tokens on one side or both. */
  tooLong: number;
}

/**
 * A parallel corpus as ids in typed arrays: 2 bytes a token (4 above 65,536 entries) and 20 a pair. Tokens beyond a
 * limit are in a temporary file.
 */
export class EncodedCorpus {
  readonly dropped: Dropped = { empty: 0, tooLong: 0 };
  readonly #source: EncodedSide;
  readonly #target: EncodedSide;
  readonly #lines = new Blocks((length) => new Int32Array(length));

  /**
   * An empty corpus for vocabularies of these sizes.
   *
   * @param overflow What keeps the tokens that are to be out of memory; it is the corpus' from now on.
   */
  constructor(
    sizes: { source: number; target: number },
    readonly overflow = new Overflow(Number.POSITIVE_INFINITY),
  ) {
    this.#source = new EncodedSide(sizes.source, overflow);
    this.#target = new EncodedSide(sizes.target, overflow);
  }

  /** Adds a pair of id sequences (no EOS) from this line of the text. */
  push(source: ArrayLike<number>, target: ArrayLike<number>, line = this.length + 1): void {
    this.#source.push(source);
    this.#target.push(target);
    this.#lines.push([line]);
  }

  /** Number of pairs. */
  get length(): number {
    return this.#lines.length;
  }

  /** Ids of a source sentence, no EOS: a copy. */
  source(i: number): Int32Array {
    return this.#source.sentence(i);
  }

  /** Ids of a target sentence, no EOS: a copy. */
  target(i: number): Int32Array {
    return this.#target.sentence(i);
  }

  /** Tokens of a source sentence, EOS not counted. */
  sourceLength(i: number): number {
    return this.#source.length(i);
  }

  /** Tokens of a target sentence, EOS not counted. */
  targetLength(i: number): number {
    return this.#target.length(i);
  }

  /** Line of the corpus that the pair stands on, from 1. */
  line(i: number): number {
    return this.#lines.at(i);
  }

  /** Tokens of all source sentences, EOS not counted. */
  get sourceTokens(): number {
    return this.#source.tokens;
  }

  /** Tokens of all target sentences, EOS not counted. */
  get targetTokens(): number {
    return this.#target.tokens;
  }

  /** Memory held, in bytes. */
  get bytes(): number {
    return this.#source.bytes + this.#target.bytes + this.#lines.bytes;
  }

  /** Removes the temporary file, if there is one; the corpus must not be used after that. */
  dispose(): void {
    this.overflow.dispose();
  }
}

const NO_IDS = new Int32Array(0);

export interface EncodeOptions {
  /** Tokens a side, EOS not counted; a longer pair is dropped and counted. */
  readonly maxLength: number;
  /** Keep pairs with an empty side (they are dropped and counted otherwise). */
  readonly keepEmpty?: boolean;
  /** What to call the corpus in an error. */
  readonly name?: string;
  /** MiB of tokens that stay in memory; what is more is in a temporary file. Without it, all stay. */
  readonly memory?: number;
  /** Is told of every pair that was kept, in order. */
  readonly onKept?: (pair: SentencePair) => void;
}

/** One-sided text: sentences without a source, for {@link encodeCorpus} with one codec. */
export async function* withoutSource(
  lines: AsyncIterable<{ text: string; line: number }>,
): AsyncGenerator<SentencePair> {
  for await (const { text, line } of lines) yield { source: '', target: text, line };
}

/**
 * Reads a corpus into ids. A corpus of which nothing is left is an error. Without a codec of the source the text is
 * one-sided: it is the target, and every source is empty.
 */
export async function encodeCorpus(
  pairs: AsyncIterable<SentencePair>,
  codecs: { source: TextCodec | null; target: TextCodec },
  { maxLength, keepEmpty = false, name = 'corpus', memory = Number.POSITIVE_INFINITY, onKept }: EncodeOptions,
): Promise<EncodedCorpus> {
  const sizes = { source: codecs.source?.vocabulary.size ?? 0, target: codecs.target.vocabulary.size };
  const corpus = new EncodedCorpus(sizes, new Overflow(memory * 2 ** 20));
  for await (const pair of pairs) {
    const source = codecs.source?.encode(pair.source) ?? NO_IDS;
    const target = codecs.target.encode(pair.target);
    const empty = target.length === 0 || (codecs.source !== null && source.length === 0);
    if (!keepEmpty && empty) corpus.dropped.empty++;
    else if (source.length > maxLength || target.length > maxLength) corpus.dropped.tooLong++;
    else {
      corpus.push(source, target, pair.line);
      onKept?.(pair);
    }
  }
  if (corpus.length === 0) {
    const { empty, tooLong } = corpus.dropped;
    const [what, without] =
      codecs.source === null ? ['sentence', 'empty ones'] : ['sentence pair', 'with an empty side'];
    const got = empty + tooLong === 0 ? 'none' : `${empty} ${without} and ${tooLong} longer than that`;
    const sides = codecs.source === null ? '' : ' a side';
    throw new DragomanError(
      'input',
      `${name}: expected at least one ${what} of 1 to ${maxLength} tokens${sides}, got ${got}`,
    );
  }
  return corpus;
}
