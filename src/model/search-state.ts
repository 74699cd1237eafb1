import type { DecodeState } from '../search/step-model.js';

/** The size of a search state. */
export interface SearchSize {
  readonly sentences: number;
  readonly width: number;
  /** Real source positions of each sentence. */
  readonly lengths: Int32Array;
  readonly time: number;
}

/** {@link DecodeState} as the models of this folder keep it. Every change consumes the state that it is asked of. */
export abstract class SearchState<Parts extends SearchSize = SearchSize> implements DecodeState {
  constructor(readonly parts: Parts) {}

  get sentences(): number {
    return this.parts.sentences;
  }

  get width(): number {
    return this.parts.width;
  }

  get lengths(): Int32Array {
    return this.parts.lengths;
  }

  get time(): number {
    return this.parts.time;
  }

  /** Each row `width` times, from a width of 1. */
  abstract expanded(width: number): SearchState;
  /** Row i continues row `parents[i]`, of the same sentence. */
  abstract reordered(parents: Int32Array): SearchState;
  /** Only these sentences. */
  abstract kept(sentences: Int32Array): SearchState;
  abstract release(): void;
}

/** [sentences * width] the rows of these sentences, in their order. */
export function rowsOf(sentences: Int32Array, width: number): Int32Array {
  return Int32Array.from(
    { length: sentences.length * width },
    (_, k) => sentences[Math.floor(k / width)]! * width + (k % width),
  );
}

/** [sentences * width] each sentence's number `width` times. */
export function repeated(sentences: number, width: number): Int32Array {
  return Int32Array.from({ length: sentences * width }, (_, k) => Math.floor(k / width));
}

/** Values at these places. */
export function at(values: Int32Array, places: Int32Array): Int32Array {
  return places.map((place) => values[place]!);
}
