import type { Random } from '../random.js';
import { TextCounter } from './counted-text.js';
import type { NormalizerSpec } from './model.js';
import { Normalizer } from './normalizer.js';
import { BOUNDARY, LEFT_OUT } from './piece-rules.js';
import type { SubwordTrainingOptions } from './training-options.js';

/** Lines that were left out of training, and why. */
export interface LeftOutLines {
  /** More bytes than `maxSentenceLength`. */
  tooLong: number;
  /** With U+2585, which stands for unknown characters in training. */
  reserved: number;
}

/**
 * The text that a model is trained on: lines go in one by one and are kept as counts of their words, or, where a
 * sample of them is wanted, as the sample so far.
 */
export class TrainingText {
  /** Lines that came in and are not empty, those left out included. */
  lines = 0;
  readonly leftOut: LeftOutLines = { tooLong: 0, reserved: 0 };
  readonly #options: SubwordTrainingOptions;
  readonly #counter: TextCounter;
  readonly #normalizer: Normalizer;
  readonly #special: RegExp;
  readonly #random: Random;
  readonly #sample: string[] = [];
  #eligible = 0;

  /** @param special Names of pieces with a fixed meaning: where one stands in the text, words end. */
  constructor(
    options: SubwordTrainingOptions,
    normalizer: NormalizerSpec,
    special: Iterable<string>,
    random: Random,
  ) {
    // Words of the model type `word` end at spaces, whatever pieces may do.
    const byWord = options.modelType === 'word';
    this.#options = options;
    this.#counter = new TextCounter({
      splitByWhitespace: byWord || options.splitByWhitespace,
      treatWhitespaceAsSuffix: !byWord && options.treatWhitespaceAsSuffix,
    });
    this.#normalizer = new Normalizer(normalizer, options);
    this.#special = anyOf(special);
    this.#random = random;
  }

  /** Takes in a line; false if no further one is wanted. */
  add(line: string): boolean {
    const { maxSentenceLength, inputSentenceSize, shuffleInputSentence } = this.#options;
    if (line === '') return true;
    this.lines++;
    if (Buffer.byteLength(line) > maxSentenceLength) {
      this.leftOut.tooLong++;
      return true;
    }
    if (line.includes(String.fromCodePoint(LEFT_OUT))) {
      this.leftOut.reserved++;
      return true;
    }
    this.#eligible++;
    if (inputSentenceSize === 0 || !shuffleInputSentence) {
      this.#count(line);
      return this.#eligible !== inputSentenceSize;
    }
    // Reservoir sampling (Vitter 1985, algorithm R): every line is in the sample with the same probability.
    if (this.#eligible <= inputSentenceSize) {
      this.#sample.push(line);
    } else {
      const place = this.#random.integer(this.#eligible);
      if (place < inputSentenceSize) this.#sample[place] = line;
    }
    return true;
  }

  /** How often each word occurs in the lines that training uses. */
  words(): ReadonlyMap<string, number> {
    for (const line of this.#sample) this.#count(line);
    this.#sample.length = 0;
    return this.#counter.counts;
  }

  /** Lines that training uses. */
  get used(): number {
    const { inputSentenceSize } = this.#options;
    return inputSentenceSize === 0 ? this.#eligible : Math.min(this.#eligible, inputSentenceSize);
  }

  #count(line: string): void {
    const boundary = String.fromCodePoint(BOUNDARY);
    this.#counter.add(this.#normalizer.normalize(line).replace(this.#special, boundary));
  }
}

/** Matches any of these strings, the longest at each place. */
function anyOf(strings: Iterable<string>): RegExp {
  const longestFirst = [...strings].sort((a, b) => b.length - a.length);
  return new RegExp(
    longestFirst.map((text) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'),
    'gu',
  );
}
