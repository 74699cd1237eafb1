import { createRequire } from 'node:module';
import type { SingleBar } from 'cli-progress';

const require = createRequire(import.meta.url);

/** How far a long work is. */
export interface Progress {
  /** @param details What else there is to say now, such as `loss 3.1, 2460 tokens/s`. */
  update(done: number, details?: string): void;
  /** A line that stays, above the bar if there is one. */
  note(line: string): void;
  finish(): void;
}

/** What a progress counts. */
export interface ProgressSpec {
  readonly label: string;
  /** The work's size; null if it is not known. */
  readonly total: number | null;
  /** Whether `done` is a count to be shown, or only a share of the total. */
  readonly counted: boolean;
}

/** A bar on a terminal. */
export class BarProgress implements Progress {
  readonly #bar: SingleBar;
  readonly #stream: NodeJS.WritableStream;

  constructor(stream: NodeJS.WritableStream, { label, total, counted }: ProgressSpec & { total: number }) {
    this.#stream = stream;
    // Loaded when a bar is drawn: most work is piped, and has none.
    const cliProgress = require('cli-progress') as typeof import('cli-progress');
    this.#bar = new cliProgress.SingleBar({
      stream,
      format: `${label} {bar} {percentage}%${counted ? ' {value}/{total}' : ''}{details}`,
      barsize: 20,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      hideCursor: true,
      linewrap: false,
      // The bar would end the process itself on a signal; we stop it where the work ends.
      gracefulExit: false,
      fps: 5,
      // A note overwrites the bar, so it has to be drawn again even if nothing changed.
      forceRedraw: true,
    });
    this.#bar.start(total, 0, { details: '' });
  }

  update(done: number, details?: string): void {
    this.#bar.update(done, { details: details ? ` | ${details}` : '' });
  }

  note(line: string): void {
    this.#stream.write(`\r\u001b[K${line}\n`);
  }

  finish(): void {
    this.#bar.stop();
  }
}

/** Seconds between two plain lines, so that a log file stays short. */
const LINE_INTERVAL = 10;

/** Plain lines for a log file. */
export class LineProgress implements Progress {
  #last = Date.now();

  constructor(
    private readonly say: (line: string) => void,
    private readonly spec: ProgressSpec,
  ) {}

  update(done: number, details?: string): void {
    const now = Date.now();
    if (now - this.#last < LINE_INTERVAL * 1000) return;
    this.#last = now;
    const { label, total, counted } = this.spec;
    const count = counted ? ` ${done}${total === null ? '' : ` of ${total}`}` : '';
    const share = total === null ? '' : ` ${Math.floor((100 * done) / total)} %`;
    this.say(`${label}${count}${share}${details ? `: ${details}` : ''}`);
  }

  note(line: string): void {
    this.say(line);
  }

  finish(): void {}
}
