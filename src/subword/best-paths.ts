/** A piece that may stand in a text: from byte to byte, with its id and what it adds to the score. */
export interface Edge {
  readonly start: number;
  readonly end: number;
  readonly id: number;
  /** A 32-bit float. */
  readonly score: number;
}

/** A way through a text. */
export interface Path {
  readonly edges: readonly Edge[];
  readonly score: number;
}

/** A path from some edge to the end of the text. */
interface Partial {
  /** The edge it begins with; null for the end of the text, before any. */
  readonly edge: Edge | null;
  /** Where the next edge has to end. */
  readonly at: number;
  readonly next: Partial | null;
  /** Sum of the scores so far. */
  readonly sum: number;
  /** That, and the best that can still come. */
  readonly bound: number;
}

/** So many partial paths are kept at most: at that, all but the best are given up. */
const MOST_PARTIAL = 10_000;
const LEAST_PARTIAL = 512;

/**
 * The `size` best paths through a text, the best first: A* search from its end, guided by the exact score of the best
 * way from its beginning (Viterbi). Sums are 32-bit floats, and equal ones come in the order of a binary heap as C++'s
 * standard library has it, so that the paths and their order are those of SentencePiece.
 *
 * @param length Bytes of the text.
 * @param edges By their starts, the shorter first. There is a way through.
 */
export function bestPaths(length: number, edges: readonly Edge[], size: number): Path[] {
  const endingAt: Edge[][] = Array.from({ length: length + 1 }, () => []);
  /** Score of the best way to the end of each edge, and of the best to each place. */
  const reached = new Map<Edge, number>();
  const best = new Float32Array(length + 1).fill(Number.NEGATIVE_INFINITY);
  best[0] = 0;
  for (const edge of edges) {
    const { start, end, score } = edge;
    endingAt[end]!.push(edge);
    const sum = Math.fround(best[start]! + score);
    reached.set(edge, sum);
    if (sum > best[end]!) best[end] = sum;
  }

  const found: Path[] = [];
  let agenda = new Agenda();
  agenda.push({ edge: null, at: length, next: null, sum: 0, bound: best[length]! });
  for (let top = agenda.pop(); top !== null; top = agenda.pop()) {
    if (top.at < 0) {
      found.push(pathOf(top));
      if (found.length === size) break;
      continue;
    }
    if (top.at === 0) agenda.push({ edge: null, at: -1, next: top, sum: top.sum, bound: top.sum });
    for (const edge of endingAt[top.at]!) {
      const sum = Math.fround(edge.score + top.sum);
      const bound = Math.fround(reached.get(edge)! + top.sum);
      agenda.push({ edge, at: edge.start, next: top, sum, bound });
    }
    if (agenda.size >= MOST_PARTIAL) agenda = agenda.best(Math.min(LEAST_PARTIAL, size * 10));
  }
  return found;
}

function pathOf(complete: Partial): Path {
  const edges: Edge[] = [];
  for (let at = complete.next; at !== null; at = at.next) if (at.edge !== null) edges.push(at.edge);
  return { edges, score: complete.bound };
}

/** Partial paths, the one with the highest bound on top: the heap of libstdc++'s `std::priority_queue`. */
class Agenda {
  readonly #heap: Partial[] = [];

  get size(): number {
    return this.#heap.length;
  }

  push(path: Partial): void {
    this.#heap.push(path);
    this.#rise(this.#heap.length - 1, path);
  }

  pop(): Partial | null {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined) return null;
    const { length } = heap;
    if (length === 0) return top;
    // The hole goes down to the bottom, and the last one rises from there.
    let hole = 0;
    for (let child = 2; child <= length; child = 2 * hole + 2) {
      const better = child === length || heap[child]!.bound < heap[child - 1]!.bound ? child - 1 : child;
      heap[hole] = heap[better]!;
      hole = better;
    }
    this.#rise(hole, last);
    return top;
  }

  /** A new agenda of the best of this one, which loses them. */
  best(size: number): Agenda {
    const kept = new Agenda();
    for (let i = 0; i < size; i++) kept.push(this.pop()!);
    return kept;
  }

  #rise(from: number, path: Partial): void {
    const heap = this.#heap;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!(heap[parent]!.bound < path.bound)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = path;
  }
}
