/** Training time, which goes on counting where an earlier session stopped. */
export class Clock {
  readonly #session = performance.now();

  /** @param before Seconds of earlier sessions. */
  constructor(private readonly before: number) {}

  /** Seconds of all sessions. */
  get seconds(): number {
    return this.before + this.sessionSeconds;
  }

  /** Seconds of this session. */
  get sessionSeconds(): number {
    return (performance.now() - this.#session) / 1000;
  }
}
