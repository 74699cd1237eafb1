import type { CellKind } from '../cell/options.js';

/** The seed experiment; every default is that of the article it comes from. */
export interface AdditionOptions {
  /** Length of a number in bits; the numbers added are below 2^(bits-1), so that the sum fits. */
  readonly bits: number;
  readonly layers: number;
  readonly units: number;
  readonly cell: CellKind;
  readonly steps: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly seed: number;
  /** Read and write the most significant bit first: the carry then comes from what is not yet read. */
  readonly mostSignificantFirst: boolean;
  /** Length of the numbers that the trained network is tested on. */
  readonly testBits: number;
}

export const ADDITION_DEFAULTS: AdditionOptions = {
  bits: 8,
  layers: 2,
  units: 20,
  cell: 'lstm',
  steps: 2000,
  batch: 64,
  learningRate: 1e-3,
  seed: 1,
  mostSignificantFirst: false,
  testBits: 8,
};

/** Loss of the article's own run at these steps, printed beside ours. */
export const ARTICLE_LOSS: ReadonlyMap<number, number> = new Map([
  [1000, 0.012912601232528687],
  [2000, 0.00078914995540738],
]);

/** The sums as a translation task: `1010010+111100` to `10001110`, character by character. */
export interface SumTranslationOptions {
  /** The numbers added are below 2^(bits-1). */
  readonly bits: number;
  readonly cell: CellKind;
  readonly hidden: number;
  readonly steps: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly attention: 'none' | 'general';
  /** Read the sum from its end, least significant digits first. */
  readonly reverseSource: boolean;
  readonly seed: number;
}

export const SUM_TRANSLATION_DEFAULTS: SumTranslationOptions = {
  bits: 8,
  cell: 'lstm',
  hidden: 128,
  // Half as many leave half of the held-out sums wrong.
  steps: 10_000,
  batch: 64,
  learningRate: 3e-3,
  // Everything has to pass through the context summary, as in the article's encoder-decoder.
  attention: 'none',
  reverseSource: false,
  seed: 1,
};
