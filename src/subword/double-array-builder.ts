import { DragomanError } from '../errors.js';

const BLOCK = 256;
/** Free units further back than this are given up: looking there costs more than the few that would fit. */
const WINDOW = 16 * BLOCK;
/** Offsets below this stand in a unit as they are; larger ones must be multiples of 256. */
const NEAR = 1 << 21;
const FAR = 1 << 29;

/** A trie whose equal ends are one: nodes with their children, bytes ascending. */
interface Node {
  readonly id: number;
  readonly labels: readonly number[];
  readonly children: readonly Node[];
  /** The value of the string that ends here; -1 if none does. */
  readonly value: number;
  /** Another node with the same hash. */
  alike: Node | undefined;
}

/** Byte strings that begin in any of several ways and then go on alike. */
export interface Branch {
  readonly ways: readonly Uint8Array[];
  /** The value of each of the ways; -1 if they have none. */
  readonly value: number;
  /** What follows, after each of them. Ways that come to no value are no strings, and leave nothing. */
  readonly next: readonly Branch[];
}

/**
 * Packs byte strings with their values (0 and up) into the units of a {@link DoubleArray}. Equal ends of strings with
 * equal values share their units, so that 220,000 replacements take 240 kB.
 *
 * @param branches More strings: every path through them. No way that is followed by more may be the beginning of
 *   another string, or the other would be found after all ways.
 */
export function buildDoubleArray(
  entries: Iterable<readonly [Uint8Array, number]>,
  branches: readonly Branch[] = [],
): Uint32Array<ArrayBuffer> {
  const trie = new Trie();
  for (const [key, value] of entries) trie.add(0, key, value);
  trie.branch(0, branches);
  const root = minimized(trie);
  const packing = new Packing();
  packing.place(root);
  return packing.units();
}

/**
 * A trie as it grows. A node's children hang on its fork, which several nodes may share; node 0 is the root, with
 * fork 0.
 */
class Trie {
  /** The first child of each fork; 0 if there is none. */
  readonly child: number[] = [0];
  /** For each node its fork (-1: no child yet), next sibling, byte and value. */
  readonly fork: number[] = [0];
  readonly sibling: number[] = [0];
  readonly label: number[] = [0];
  readonly value: number[] = [-1];
  /** Whether any fork is shared. */
  shares = false;

  /** Adds a string after a fork. */
  add(fork: number, key: Uint8Array, value: number): void {
    if (key.length === 0 || key.includes(0) || !Number.isInteger(value) || value < 0) {
      throw new DragomanError(
        'model',
        `expected bytes other than 0 with a value, got [${key}] with ${value}`,
      );
    }
    this.value[this.#end(fork, key)] = value;
  }

  branch(fork: number, branches: readonly Branch[]): void {
    for (const { ways, value, next } of branches) {
      const after = this.child.push(0) - 1;
      this.branch(after, next);
      const goesOn = this.child[after] !== 0;
      this.shares ||= goesOn && ways.length > 1;
      for (const way of ways) {
        if (value >= 0) this.add(fork, way, value);
        if (!goesOn) continue;
        const node = this.#end(fork, way);
        if (this.fork[node] !== -1) {
          throw new Error(`[${way}] begins a string and is a way of a branch, too`);
        }
        this.fork[node] = after;
      }
    }
  }

  /** The node at the end of a string after a fork, made if there is none. */
  #end(fork: number, key: Uint8Array): number {
    let node = this.#step(fork, key[0]!);
    for (let i = 1; i < key.length; i++) {
      if (this.fork[node] === -1) this.fork[node] = this.child.push(0) - 1;
      node = this.#step(this.fork[node]!, key[i]!);
    }
    return node;
  }

  /** The child for this byte, made if there is none. */
  #step(fork: number, byte: number): number {
    let node = this.child[fork]!;
    while (node !== 0 && this.label[node] !== byte) node = this.sibling[node]!;
    if (node !== 0) return node;
    node = this.fork.push(-1) - 1;
    this.sibling.push(this.child[fork]!);
    this.label.push(byte);
    this.value.push(-1);
    this.child[fork] = node;
    return node;
  }
}

const NO_CHILDREN = { labels: [], children: [] };

/** The trie with one node for all that have the same value and the same children. */
function minimized({ child, fork, sibling, label, value, shares }: Trie): Node {
  const values = value.filter((number) => number >= 0);
  // Where no value comes twice, as with the pieces of a vocabulary, no two nodes are the same: no need to look.
  const known = shares || new Set(values).size < values.length ? new Map<number, Node>() : null;
  const forks: Pick<Node, 'labels' | 'children'>[] = [];
  let nodes = 0;
  const open = (from: number): Pick<Node, 'labels' | 'children'> => {
    if (from === -1) return NO_CHILDREN;
    if (forks[from] !== undefined) return forks[from];
    const edges: number[] = [];
    for (let next = child[from]!; next !== 0; next = sibling[next]!) edges.push(next);
    edges.sort((a, b) => label[a]! - label[b]!);
    forks[from] = { labels: edges.map((next) => label[next]!), children: edges.map(visit) };
    return forks[from];
  };
  const visit = (node: number): Node => {
    const { labels, children } = open(fork[node]!);
    const made: Node = { id: nodes, labels, children, value: value[node]!, alike: undefined };
    if (known !== null) {
      const hash = hashOf(made);
      const first = known.get(hash);
      for (let other = first; other !== undefined; other = other.alike) if (isSame(other, made)) return other;
      made.alike = first;
      known.set(hash, made);
    }
    nodes++;
    return made;
  };
  return visit(0);
}

function hashOf({ value, labels, children }: Node): number {
  let hash = value;
  for (let i = 0; i < labels.length; i++) {
    hash = Math.imul(hash ^ labels[i]!, 0x9e3779b1) ^ Math.imul(children[i]!.id, 0x85ebca6b);
    hash ^= hash >>> 15;
  }
  return hash;
}

function isSame(a: Node, b: Node): boolean {
  return (
    a.value === b.value &&
    a.labels.length === b.labels.length &&
    a.labels.every((byte, i) => byte === b.labels[i] && a.children[i] === b.children[i])
  );
}

/** Units being filled. A base is the index that a node's bytes are XORed with to find its children. */
class Packing {
  #units = new Uint32Array(BLOCK);
  #size = BLOCK;
  /** For each unit the first one, from it on, that may be free: itself if it is. */
  #free = Int32Array.from({ length: BLOCK }, (_, unit) => unit);
  /** 1 for a base that is one. */
  #bases = new Uint8Array(BLOCK);
  /** The base of each node that has been placed, by its id: children are placed once. */
  readonly #placed = new Map<number, number>();

  constructor() {
    this.#take(0); // the root
    this.#bases[0] = 1;
  }

  place(root: Node): void {
    this.#hang(root, 0);
  }

  /** Gives the node at `unit` its children. */
  #hang(node: Node, unit: number): void {
    const known = this.#placed.get(node.id);
    if (known !== undefined && isReachable(known ^ unit)) {
      this.#setOffset(unit, known ^ unit, node.value >= 0);
      return;
    }
    const labels = node.value >= 0 ? [0, ...node.labels] : node.labels;
    // The root of an empty set has no children, but a base nevertheless: readers want one.
    const base = labels.length === 0 ? 1 : this.#freeBase(unit, labels);
    this.#bases[base] = 1;
    this.#placed.set(node.id, base);
    this.#setOffset(unit, base ^ unit, node.value >= 0);
    for (const label of labels) {
      this.#take(base ^ label);
      this.#units[base ^ label] = label;
    }
    if (node.value >= 0) this.#units[base] = (node.value | (1 << 31)) >>> 0;
    node.labels.forEach((label, i) => {
      this.#hang(node.children[i]!, base ^ label);
    });
  }

  #setOffset(unit: number, offset: number, ends: boolean): void {
    const label = this.#units[unit]! & 0xff;
    const packed = offset < NEAR ? offset << 10 : (offset << 2) | (1 << 9);
    this.#units[unit] = (label | (ends ? 1 << 8 : 0) | packed) >>> 0;
  }

  /** The first base with room for these labels; at the end of the array there always is. */
  #freeBase(unit: number, labels: readonly number[]): number {
    const first = labels[0]!;
    let free = this.#nextFree(Math.max(1, this.#size - WINDOW));
    for (; free < this.#size; free = this.#nextFree(free + 1)) {
      const base = free ^ first;
      if (this.#bases[base] === 1 || !isReachable(base ^ unit)) continue;
      if (labels.every((label) => this.#isFree(base ^ label))) return base;
    }
    const base = this.#size | (unit & 0xff); // an offset of whole blocks, however large
    this.#grow();
    return base;
  }

  #take(unit: number): void {
    this.#free[unit] = unit + 1;
  }

  #isFree(unit: number): boolean {
    return this.#free[unit] === unit;
  }

  /** The first free unit from this one on, remembered for every unit that was looked at on the way. */
  #nextFree(unit: number): number {
    const free = this.#free;
    let found = unit;
    while (found < this.#size && free[found] !== found) found = free[found]!;
    for (let at = unit; at < found; ) {
      const next = free[at]!;
      free[at] = found;
      at = next;
    }
    return found;
  }

  #grow(): void {
    this.#size += BLOCK;
    if (this.#size >= FAR) throw new DragomanError('model', 'too many strings for a double array');
    if (this.#size <= this.#units.length) return;
    const longer = this.#units.length * 2;
    const [units, free, bases] = [this.#units, this.#free, this.#bases];
    this.#units = new Uint32Array(longer);
    this.#free = Int32Array.from({ length: longer }, (_, unit) => unit);
    this.#bases = new Uint8Array(longer);
    this.#units.set(units);
    this.#free.set(free);
    this.#bases.set(bases);
  }

  /**
   * The array. A free unit carries a label that no node of its block can look for: the one that would lead to it
   * from a base which is none. There is such a base wherever there is a free unit, since each base has a child.
   */
  units(): Uint32Array<ArrayBuffer> {
    const units = this.#units.slice(0, this.#size);
    for (let block = 0; block < this.#size; block += BLOCK) {
      const unused = this.#bases.subarray(block, block + BLOCK).indexOf(0);
      for (let unit = block; unit < block + BLOCK; unit++) {
        if (this.#isFree(unit)) units[unit] = (unit ^ unused) & 0xff;
      }
    }
    return units;
  }
}

function isReachable(offset: number): boolean {
  return offset < NEAR || (offset & 0xff) === 0;
}
