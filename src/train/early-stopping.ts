/** Plain JSON, kept in checkpoints. */
export interface EarlyStoppingState {
  /** Best (lowest) validation perplexity; null before the first. */
  readonly best: number | null;
  /** Validations in a row that brought nothing better. */
  readonly waited: number;
}

/** Says when `patience` validations in a row have brought no lower perplexity. Patience 0 never says so. */
export class EarlyStopping {
  #best: number | null = null;
  #waited = 0;

  constructor(private readonly patience: number) {}

  validated(perplexity: number): void {
    if (this.#best === null || perplexity < this.#best) {
      this.#best = perplexity;
      this.#waited = 0;
    } else {
      this.#waited++;
    }
  }

  get due(): boolean {
    return this.patience > 0 && this.#waited >= this.patience;
  }

  get state(): EarlyStoppingState {
    return { best: this.#best, waited: this.#waited };
  }

  restore(state: EarlyStoppingState): void {
    this.#best = state.best;
    this.#waited = state.waited;
  }
}
