import { BarProgress, LineProgress, type Progress, type ProgressSpec } from './progress.js';

/** What a command writes to: the parts of a Node stream that are needed. */
export interface Sink {
  write(text: string, done?: (error?: Error | null) => void): boolean;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Where a command speaks: results go to standard output, everything else to standard error. */
export class Terminal {
  constructor(
    readonly stdout: Sink,
    readonly stderr: Sink & NodeJS.WritableStream,
  ) {}

  /** Whether a person watches standard error. */
  get watched(): boolean {
    return this.stderr.isTTY === true;
  }

  /** Writes lines of results, and waits until they are taken: a slow reader slows us, not our memory. */
  print(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.stdout.write(`${text}\n`, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Says something on standard error. */
  say(text: string): void {
    this.stderr.write(`${text}\n`);
  }

  /**
   * Shows how far a long work is: a bar where standard error is a terminal, else a plain line now and then.
   *
   * @param total The work's size in its own unit; null if it is not known.
   */
  progress(label: string, total: number | null): Progress {
    return this.#start({ label, total, counted: true });
  }

  /** The same for a work of which only the share done is known, 0 to 1. */
  share(label: string): Progress {
    return this.#start({ label, total: 1, counted: false });
  }

  #start(spec: ProgressSpec): Progress {
    const { total } = spec;
    return this.watched && total !== null
      ? new BarProgress(this.stderr, { ...spec, total })
      : new LineProgress((line) => this.say(line), spec);
  }
}
