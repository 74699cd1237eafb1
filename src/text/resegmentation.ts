import type { Config, LanguageModelConfig, SegmentationSpec } from '../config.js';
import { DragomanError } from '../errors.js';
import { Random, type RandomState } from '../random.js';
import { decodeUtf8, encodeUtf8 } from '../subword/utf8.js';
import type { Sentences } from './batch.js';
import { Blocks } from './blocks.js';
import type { Codecs, TextCodec } from './codec.js';
import type { SentencePair } from './corpus.js';
import type { EncodedCorpus } from './encoded.js';
import { SentencePieceTokenizer } from './sentencepiece.js';

/**
 * A training corpus whose sentences are cut into other pieces in every epoch: subword sampling (Kudo 2018) or
 * BPE-dropout (Provilkov et al. 2020). It keeps the text of the sides that it cuts, as UTF-8, and nothing else
 * that grows. What it draws depends on the seed, the epoch and the sentence only, so that a resumed training
 * goes on as if it had not stopped.
 */
export class Resegmentation {
  readonly #source: ResegmentedSide | null;
  readonly #target: ResegmentedSide | null;
  readonly #maxLength: number;
  readonly #random: RandomState;

  private constructor(
    source: ResegmentedSide | null,
    target: ResegmentedSide | null,
    maxLength: number,
    random: Random,
  ) {
    this.#source = source;
    this.#target = target;
    this.#maxLength = maxLength;
    this.#random = random.state;
  }

  /**
   * What the configuration asks for; null if both sides are always cut the best way.
   *
   * @throws DragomanError `config` when a side's model cannot be sampled from in the way asked for.
   */
  static of(config: Config, codecs: Codecs): Resegmentation | null {
    const { segmentation } = config.train;
    const sides = (['source', 'target'] as const).map((side) => {
      const keys = { segmentation: `train.segmentation.${side}`, tokenizer: `text.${side}` };
      return sideOf(keys, segmentation[side], codecs[side]);
    });
    return Resegmentation.#over(sides[0]!, sides[1]!, config);
  }

  /** The same for one-sided text, which is the target. */
  static ofText(config: LanguageModelConfig, codec: TextCodec): Resegmentation | null {
    const keys = { segmentation: 'train.segmentation', tokenizer: 'text.tokenizer' };
    return Resegmentation.#over(null, sideOf(keys, config.train.segmentation, codec), config);
  }

  static #over(
    source: ResegmentedSide | null,
    target: ResegmentedSide | null,
    { data, seed }: Pick<Config | LanguageModelConfig, 'data' | 'seed'>,
  ): Resegmentation | null {
    if (source === null && target === null) return null;
    return new Resegmentation(source, target, data.maxLength, new Random(seed).fork(3));
  }

  /** Takes the text of the corpus' next pair. */
  add(pair: SentencePair): void {
    this.#source?.add(pair.source);
    this.#target?.add(pair.target);
  }

  /**
   * The sentences of `corpus`, whose text was added pair by pair, as an epoch sees them. A sentence that would be
   * longer than `data.maxLength` is cut the best way.
   */
  epoch(corpus: EncodedCorpus, epoch: number): Sentences {
    const random = new Random(this.#random).fork(epoch).state;
    const draw = (side: ResegmentedSide, i: number, number: number, best: () => Int32Array): Int32Array => {
      const ids = side.sample(i, new Random(random).fork(2 * i + number));
      return ids.length > this.#maxLength ? best() : ids;
    };
    const [source, target] = [this.#source, this.#target];
    return {
      source: (i) => (source ? draw(source, i, 0, () => corpus.source(i)) : corpus.source(i)),
      target: (i) => (target ? draw(target, i, 1, () => corpus.target(i)) : corpus.target(i)),
    };
  }
}

/** The text of one side, and how it is cut. */
class ResegmentedSide {
  readonly #text = new Blocks((length) => new Uint8Array(length));
  readonly #ends = new Blocks((length) => new Float64Array(length));

  constructor(
    private readonly tokenizer: SentencePieceTokenizer,
    private readonly codec: TextCodec,
    private readonly strength: number,
  ) {}

  add(text: string): void {
    this.#text.push(encodeUtf8(text));
    this.#ends.push([this.#text.length]);
  }

  sample(i: number, random: Random): Int32Array {
    const start = i === 0 ? 0 : this.#ends.at(i - 1);
    const text = decodeUtf8(this.#text.read(start, new Uint8Array(this.#ends.at(i) - start)));
    const pieces = this.tokenizer.sample(text, this.strength, random);
    return Int32Array.from(pieces, (piece) => this.codec.vocabulary.id(piece));
  }
}

function sideOf(
  keys: { readonly segmentation: string; readonly tokenizer: string },
  spec: SegmentationSpec,
  codec: TextCodec,
): ResegmentedSide | null {
  if (spec.kind === 'best') return null;
  const { tokenizer } = codec;
  const needed = spec.kind === 'sampling' ? 'unigram' : 'bpe';
  const got = tokenizer instanceof SentencePieceTokenizer ? tokenizer.modelType : tokenizer.kind;
  if (!(tokenizer instanceof SentencePieceTokenizer) || got !== needed) {
    throw new DragomanError(
      'config',
      `${keys.segmentation}: expected a SentencePiece model of type ${needed} in ${keys.tokenizer} for ${spec.kind}, got ${got}`,
    );
  }
  return new ResegmentedSide(tokenizer, codec, spec.kind === 'sampling' ? spec.alpha : spec.dropout);
}
