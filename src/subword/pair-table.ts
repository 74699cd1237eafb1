/** A typed array that doubles when it is full. */
function grown<T extends Int32Array | Float64Array>(array: T, make: new (length: number) => T): T {
  const larger = new make(array.length * 2);
  larger.set(array as never);
  return larger;
}

const NONE = -1;

/**
 * Pairs of symbols that stand side by side: how often, and where. Pairs are numbered as they come; a hash table
 * with open addressing finds the number of a pair, and places are chains in one pool.
 */
export class PairTable {
  /** Pairs so far. */
  size = 0;
  left = new Int32Array(1024);
  right = new Int32Array(1024);
  /** How often the pair occurs now. */
  count = new Float64Array(1024);
  #head = new Int32Array(1024);
  #tail = new Int32Array(1024);
  #slots = new Int32Array(4096).fill(NONE);
  #places = new Int32Array(4096);
  #links = new Int32Array(4096);
  #poolSize = 0;
  #free = NONE;

  /** The number of a pair, -1 if it never came. */
  find(left: number, right: number): number {
    return this.#slots[this.#slot(left, right)]!;
  }

  /** Takes up a pair that `find` does not know, and returns its number. */
  add(left: number, right: number): number {
    if (this.size === this.left.length) {
      this.left = grown(this.left, Int32Array);
      this.right = grown(this.right, Int32Array);
      this.count = grown(this.count, Float64Array);
      this.#head = grown(this.#head, Int32Array);
      this.#tail = grown(this.#tail, Int32Array);
    }
    const pair = this.size++;
    this.left[pair] = left;
    this.right[pair] = right;
    this.#head[pair] = NONE;
    this.#slots[this.#slot(left, right)] = pair;
    if (this.size * 2 > this.#slots.length) this.#rehash();
    return pair;
  }

  /** Notes a place of the pair behind those it has. */
  addPlace(pair: number, place: number): void {
    let node = this.#free;
    if (node !== NONE) {
      this.#free = this.#links[node]!;
    } else {
      if (this.#poolSize === this.#places.length) {
        this.#places = grown(this.#places, Int32Array);
        this.#links = grown(this.#links, Int32Array);
      }
      node = this.#poolSize++;
    }
    this.#places[node] = place;
    this.#links[node] = NONE;
    if (this.#head[pair] === NONE) this.#head[pair] = node;
    else this.#links[this.#tail[pair]!] = node;
    this.#tail[pair] = node;
  }

  /** The places of a pair in the order they came; the table forgets them. */
  takePlaces(pair: number): readonly number[] {
    const places: number[] = [];
    let node = this.#head[pair]!;
    this.#head[pair] = NONE;
    while (node !== NONE) {
      places.push(this.#places[node]!);
      const next = this.#links[node]!;
      this.#links[node] = this.#free;
      this.#free = node;
      node = next;
    }
    return places;
  }

  #slot(left: number, right: number): number {
    const mask = this.#slots.length - 1;
    let hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
    hash ^= hash >>> 15;
    hash = Math.imul(hash, 0x2c1b3c6d);
    hash ^= hash >>> 13;
    let slot = hash & mask;
    for (let pair = this.#slots[slot]!; pair !== NONE; pair = this.#slots[slot]!) {
      if (this.left[pair] === left && this.right[pair] === right) break;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #rehash(): void {
    this.#slots = new Int32Array(this.#slots.length * 2).fill(NONE);
    for (let pair = 0; pair < this.size; pair++) {
      this.#slots[this.#slot(this.left[pair]!, this.right[pair]!)] = pair;
    }
  }
}
