import { keep, type Tensor, tidy } from '@tensorflow/tfjs-core';

/**
 * A tensor computed from a parameter, kept until the parameter changes. For search and scoring, where parameters stay as
 * they are; it is no part of what is differentiated.
 */
export class Derived<T extends Tensor> {
  #source: Tensor | null = null;
  #value: T | null = null;

  constructor(private readonly compute: (source: Tensor) => T) {}

  /** @param source the parameter's value: another tensor after each change */
  of(source: Tensor): T {
    if (this.#value === null || source !== this.#source) {
      this.forget();
      this.#value = keep(tidy(() => this.compute(source)));
      this.#source = source;
    }
    return this.#value;
  }

  /** Frees what is kept. */
  forget(): void {
    this.#value?.dispose();
    this.#value = null;
    this.#source = null;
  }
}
