import { DragomanError } from '../errors.js';
import type { Random } from '../random.js';
import { BpeSegmenter } from './bpe.js';
import { PieceDecoder } from './decoder.js';
import { bytePiece, type SubwordModel } from './model.js';
import { Normalizer } from './normalizer.js';
import { PieceTable } from './piece-table.js';
import type { Segmentation, Segmenter, WordWiseSegmenter } from './segmentation.js';
import { UnigramSegmenter } from './unigram.js';
import { decodeUtf8, encodeUtf8 } from './utf8.js';
import { CharacterSegmenter, WordSegmenter } from './whole-units.js';
import { WordByWord } from './word-by-word.js';

/** SentencePiece gives no more. */
const MOST_NBEST = 1024;

/** One way to segment a text. */
export interface ScoredPieces {
  readonly pieces: readonly string[];
  /** ln of its probability, but for unknown characters and symbols of the user, whose scores are no probabilities. */
  readonly score: number;
}

/** Text to pieces and back by a SentencePiece model, as Google's own library does it. */
export class SubwordProcessor {
  readonly #table: PieceTable;
  readonly #normalizer: Normalizer;
  readonly #segmenter: Segmenter | WordWiseSegmenter;
  /** The same segmentations as {@link #segmenter}'s best, faster. */
  readonly #best: Segmenter;
  readonly #decoder: PieceDecoder;

  /**
   * @param unknownName Another name of the unknown piece in {@link decode}.
   * @param file Stands in errors.
   * @throws DragomanError `input` when the model's table of replacements is damaged.
   */
  constructor(
    readonly model: SubwordModel,
    { unknownName = model.trainer.unkPiece, file = 'model' }: { unknownName?: string; file?: string } = {},
  ) {
    this.#table = new PieceTable(model);
    this.#normalizer = new Normalizer(model.normalizer, {
      treatWhitespaceAsSuffix: model.trainer.treatWhitespaceAsSuffix,
      protectedStrings: this.#table.symbols,
      file,
    });
    this.#segmenter = segmenterOf(model, this.#table);
    this.#best =
      'bestOfWord' in this.#segmenter && WordByWord.suits(this.#table)
        ? new WordByWord(this.#segmenter)
        : this.#segmenter;
    this.#decoder = new PieceDecoder(model, unknownName, file);
  }

  /** Text as the pieces see it: normalized, with `▁` for spaces. */
  normalize(text: string): string {
    return this.#normalizer.normalize(text);
  }

  /** The pieces of a text; unknown characters, a run of them as one, stand for themselves. */
  encode(text: string): string[] {
    const bytes = this.#normalizer.normalizeBytes(encodeUtf8(text));
    return this.#pieces(bytes, this.#best.best(bytes));
  }

  /**
   * The pieces of one of the ways to segment a text, drawn at random.
   *
   * @param strength Unigram (Kudo 2018): the exponent of a segmentation's probability, from 0, where all are equally
   *   likely; large values give the best one. BPE (Provilkov et al. 2020): the probability that a merge is left out,
   *   0 to 1; 0 gives the best one. Models of words or characters have one segmentation only, which they return.
   */
  sample(text: string, strength: number, random: Random): string[] {
    if (!('sample' in this.#segmenter)) return this.encode(text);
    const bytes = this.#normalizer.normalizeBytes(encodeUtf8(text));
    return this.#pieces(bytes, this.#segmenter.sample(bytes, strength, random));
  }

  /**
   * The best segmentations of a text, the best first, as SentencePiece's `NBestEncode` gives them: at most `size` (1 to
   * 1024), fewer if there are no more.
   *
   * @throws DragomanError `usage` unless the model is a unigram model: others have no probabilities of segmentations.
   */
  nbest(text: string, size: number): ScoredPieces[] {
    const { modelType } = this.model.trainer;
    if (!(this.#segmenter instanceof UnigramSegmenter)) {
      throw new DragomanError(
        'usage',
        `n-best segmentation: expected a model of type unigram, got one of type ${modelType}`,
      );
    }
    if (!Number.isInteger(size) || size < 1 || size > MOST_NBEST) {
      throw new DragomanError('usage', `n-best segmentation: expected 1 to ${MOST_NBEST}, got ${size}`);
    }
    const bytes = this.#normalizer.normalizeBytes(encodeUtf8(text));
    if (bytes.length === 0) return [{ pieces: [], score: 0 }];
    return this.#segmenter
      .nbest(bytes, size)
      .map(({ segmentation, score }) => ({ pieces: this.#pieces(bytes, segmentation), score }));
  }

  /** The text of these pieces. */
  decode(pieces: readonly string[]): string {
    return this.#decoder.decode(pieces);
  }

  #pieces(bytes: Uint8Array, { ids, ends }: Segmentation): string[] {
    const { unknownId, byteFallback, pieces } = this.#table;
    const result: string[] = [];
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!;
      if (id !== unknownId) {
        result.push(pieces[id]!);
        continue;
      }
      const start = i === 0 ? 0 : ends[i - 1]!;
      while (ids[i + 1] === unknownId) i++;
      const unknown = bytes.subarray(start, ends[i]);
      if (byteFallback) for (const byte of unknown) result.push(bytePiece(byte));
      else result.push(decodeUtf8(unknown));
    }
    return result;
  }
}

function segmenterOf(model: SubwordModel, table: PieceTable): Segmenter | WordWiseSegmenter {
  switch (model.trainer.modelType) {
    case 'unigram':
      return new UnigramSegmenter(table);
    case 'bpe':
      return new BpeSegmenter(table);
    case 'word':
      return new WordSegmenter(table);
    case 'char':
      return new CharacterSegmenter(table);
  }
}
