import { once } from 'node:events';
import { createWriteStream, realpathSync, rmSync, statSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { DragomanError, messageOf } from '../errors.js';
import { INTERRUPTED } from './interruption.js';
import type { Terminal } from './terminal.js';

/** Where result lines go: standard output or a file. */
export interface Output {
  print(text: string): Promise<void>;
  /** The result is whole: a file takes its name now. */
  close(): Promise<void>;
  /** The work failed: nothing of a file stays. Harmless after `close`. */
  abandon(): void;
}

/**
 * Opens the place that results go to.
 *
 * @param path A file (`.gz` is packed), or `-` or undefined for standard output. A file is written under a
 *   temporary name and renamed when it is whole, so that a crash leaves no half of it under its name.
 * @param overwrite Whether an existing file may be replaced.
 * @param onSignal `exit`: Ctrl-C ends the process. `go on`: the command ends its work in order itself.
 * @throws DragomanError `usage` if the file exists, `input` if it cannot be written.
 */
export async function openOutput(
  path: string | undefined,
  terminal: Terminal,
  overwrite = false,
  onSignal: 'exit' | 'go on' = 'exit',
): Promise<Output> {
  if (path === undefined || path === '-') {
    return { print: (text) => terminal.print(text), close: async () => {}, abandon: () => {} };
  }
  const existing = statSync(path, { throwIfNoEntry: false });
  if (existing?.isDirectory()) {
    throw new DragomanError('usage', `${path}: expected a file to write, got a folder`);
  }
  // A device or a pipe (/dev/null, /dev/stdout, a fifo) is written as it is: it has no content to lose.
  const direct = existing !== undefined && !existing.isFile();
  if (existing && !direct && !overwrite) {
    throw new DragomanError(
      'usage',
      `${path}: the file exists; give another name, or --overwrite to replace it`,
    );
  }
  // Through a link: what it points to is replaced, not the link.
  const place = existing ? realpathSync(path) : path;
  const temporary = direct ? path : `${place}.${process.pid}.tmp`;
  const file = createWriteStream(temporary, { flags: direct ? 'w' : 'wx' });
  const failure = (error: unknown): DragomanError =>
    new DragomanError('input', `${path}: cannot be written: ${reason(error)}`, { cause: error });
  try {
    await once(file, 'open');
  } catch (error) {
    throw failure(error);
  }
  const head = path.endsWith('.gz') ? createGzip() : file;
  if (head !== file) head.pipe(file);
  const ended = finished(file);
  // A write error must reach the caller of print or close, not the process.
  ended.catch(() => {});
  head.on('error', (error: Error) => file.destroy(error));
  const remove = (): void => {
    file.destroy();
    if (!direct) rmSync(temporary, { force: true });
  };
  // An interrupted command leaves no litter, and its exit code says that it was interrupted.
  process.once('exit', remove);
  const interrupted = (): void => process.exit(INTERRUPTED);
  if (onSignal === 'exit') process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  const forget = (): void => {
    process.off('exit', remove).off('SIGINT', interrupted).off('SIGTERM', interrupted);
  };
  let open = true;
  return {
    async print(text) {
      if (!head.write(`${text}\n`))
        await Promise.race([once(head, 'drain'), ended.catch((e) => Promise.reject(failure(e)))]);
    },
    async close() {
      try {
        head.end();
        await ended;
        if (!direct) await rename(temporary, place);
        open = false;
      } catch (error) {
        throw failure(error);
      } finally {
        forget();
      }
    },
    abandon() {
      if (!open) return;
      open = false;
      forget();
      remove();
    },
  };
}

function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'its folder does not exist';
  if (code === 'ENOTDIR') return 'its folder is a file';
  if (code === 'EACCES' || code === 'EROFS') return 'no permission';
  return code === 'ENOSPC' ? 'no space left on the device' : messageOf(error);
}

/** Runs `work` with an output that is closed after success and abandoned after failure. */
export async function withOutput(output: Output, work: (output: Output) => Promise<void>): Promise<void> {
  try {
    await work(output);
    await output.close();
  } finally {
    output.abandon();
  }
}
