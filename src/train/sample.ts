/**
 * About evenly spaced items of a stream of unknown length, in order, holding at most 2n of them at a time:
 * every k-th is kept, and whenever 2n are held every second is dropped and k doubles.
 */
export class EvenSample<T> {
  #held: { item: T; index: number }[] = [];
  #stride = 1;
  #seen = 0;

  /** @param size How many items are wanted; 0 keeps none. */
  constructor(private readonly size: number) {}

  add(item: T): void {
    const index = this.#seen++;
    if (this.size === 0 || index % this.#stride !== 0) return;
    this.#held.push({ item, index });
    if (this.#held.length < 2 * this.size) return;
    this.#stride *= 2;
    this.#held = this.#held.filter((held) => held.index % this.#stride === 0);
  }

  /** At most `size` items, evenly spaced. */
  items(): T[] {
    const { length } = this.#held;
    const count = Math.min(this.size, length);
    return Array.from({ length: count }, (_, i) => this.#held[Math.floor((i * length) / count)]!.item);
  }
}
