/** How a stream is cut into windows. */
export interface LookAhead {
  /** Most items in a window. */
  readonly size: number;
  /** A window that has begun is given out after so many milliseconds, full or not. */
  readonly patience: number;
}

/**
 * Cuts a stream into windows that are as full as they can be without keeping anyone waiting: a file gives full
 * windows, somebody typing (or a slow producer on a pipe) gets an answer to each line. Stops reading when the
 * consumer stops.
 */
export async function* windows<T>(
  items: AsyncIterable<T> | Iterable<T>,
  { size, patience }: LookAhead,
): AsyncGenerator<T[]> {
  if (Symbol.iterator in items) {
    yield* windowsInMemory(items, size);
    return;
  }
  const iterator = items[Symbol.asyncIterator]();
  let pending: Promise<IteratorResult<T>> | null = null;
  let ended = false;
  try {
    while (!ended) {
      const window: T[] = [];
      const alarm = new Alarm(patience);
      try {
        while (window.length < size && !ended) {
          pending ??= iterator.next();
          const next: IteratorResult<T> | null =
            window.length === 0 ? await pending : await Promise.race([pending, alarm.rings]);
          if (next === null) break;
          pending = null;
          if (next.done) {
            ended = true;
          } else {
            if (window.length === 0) alarm.set();
            window.push(next.value);
          }
        }
      } finally {
        alarm.clear();
      }
      if (window.length > 0) yield window;
    }
  } finally {
    // An iterator that is still waiting for its next item would answer only after it: ask, but do not wait.
    if (!ended) {
      pending?.catch(() => {});
      const stopped = iterator.return?.();
      if (pending === null) await stopped;
      else stopped?.catch(() => {});
    }
  }
}

function* windowsInMemory<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let window: T[] = [];
  for (const item of items) {
    window.push(item);
    if (window.length < size) continue;
    yield window;
    window = [];
  }
  if (window.length > 0) yield window;
}

/** Rings once, `after` milliseconds from when it is set. */
class Alarm {
  readonly #after: number;
  #timer: NodeJS.Timeout | null = null;
  #ring: () => void = () => {};
  readonly rings: Promise<null>;

  constructor(after: number) {
    this.#after = after;
    this.rings = new Promise((resolve) => {
      this.#ring = () => resolve(null);
    });
  }

  set(): void {
    this.#timer = setTimeout(this.#ring, this.#after);
  }

  clear(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}
