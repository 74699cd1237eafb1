import type { Random } from '../random.js';

/** How text was cut: pieces in order, each by its id and by where it ends in the bytes. */
export class Segmentation {
  readonly ids: number[] = [];
  /** Ends in bytes; each piece begins where the one before it ends. */
  readonly ends: number[] = [];

  push(id: number, end: number): void {
    this.ids.push(id);
    this.ends.push(end);
  }
}

/** One of several segmentations, and its score. */
export interface ScoredSegmentation {
  readonly segmentation: Segmentation;
  readonly score: number;
}

/** Cuts normalized text, UTF-8, into pieces. */
export interface Segmenter {
  /** The one segmentation that the model stands for. */
  best(bytes: Uint8Array): Segmentation;
}

/** One that can also cut the same text in other ways. */
export interface SamplingSegmenter extends Segmenter {
  /**
   * One of many, drawn at random.
   *
   * @param strength Unigram: the exponent of its probability. BPE: the probability of leaving a merge out.
   */
  sample(bytes: Uint8Array, strength: number, random: Random): Segmentation;
}

/** One that cuts each word of a text, from one `▁` to the next, as it would cut it alone: see {@link WordByWord}. */
export interface WordWiseSegmenter extends SamplingSegmenter {
  /** The best segmentation of one word, where it is sure to be the same in every text; else null. */
  bestOfWord(bytes: Uint8Array): Segmentation | null;
  /** That is so in texts of at most so many pieces. */
  readonly mostPieces: number;
}
