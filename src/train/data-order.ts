import { Random, type RandomState } from '../random.js';
import { type BatchSpec, makeBatches, type SentenceLengths } from '../text/batch.js';

/** Plain JSON, kept in checkpoints. */
export interface DataOrderState {
  /** Epochs finished. */
  readonly epoch: number;
  /** Batches of the running epoch that have been used. */
  readonly epochStep: number;
  /** The generator as it was when the running epoch was shuffled. */
  readonly random: RandomState;
}

/** Goes through the corpus epoch by epoch, each in a new order, and can go on from any point of it. */
export class DataOrder {
  #random: Random;
  #batches: Int32Array[];
  #state: DataOrderState;

  /** @param state Where to go on; a new corpus with this generator otherwise. */
  constructor(
    private readonly corpus: SentenceLengths,
    private readonly spec: BatchSpec,
    start: Random | DataOrderState,
  ) {
    this.#state = start instanceof Random ? { epoch: 0, epochStep: 0, random: start.state } : start;
    this.#random = new Random(this.#state.random);
    this.#batches = makeBatches(corpus, spec, this.#random);
  }

  /** Positions of the next batch's sentences in the corpus. */
  next(): Int32Array {
    const { epoch, epochStep, random } = this.#state;
    const batch = this.#batches[epochStep]!;
    if (epochStep + 1 < this.#batches.length) {
      this.#state = { epoch, epochStep: epochStep + 1, random };
    } else {
      this.#state = { epoch: epoch + 1, epochStep: 0, random: this.#random.state };
      this.#batches = makeBatches(this.corpus, this.spec, this.#random);
    }
    return batch;
  }

  get state(): DataOrderState {
    return this.#state;
  }

  /** Batches of the running epoch. */
  get epochSteps(): number {
    return this.#batches.length;
  }
}
