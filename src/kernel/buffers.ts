/**
 * Arrays that are used again by every call: the system gives a large one no memory before it is written, page by page, which
 * takes as long as what is computed there.
 */
export class Buffers {
  readonly #held = new Map<string, Float32Array<ArrayBuffer>>();

  /** So many numbers, of any value, until the same name is asked for again. */
  take(name: string, size: number): Float32Array<ArrayBuffer> {
    let held = this.#held.get(name);
    if (held === undefined || held.length < size) {
      held = new Float32Array(size);
      this.#held.set(name, held);
    }
    return held.subarray(0, size);
  }
}
