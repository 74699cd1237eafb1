import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DragomanError, messageOf } from '../errors.js';

/**
 * So much of a corpus stays in memory; what is more goes to a temporary file, which is read as it is needed. The system
 * keeps the file in memory that nobody else wants. It lies in the system's folder for such files (`TMPDIR`), and is
 * gone with {@link dispose} or the process.
 */
export class Overflow {
  #left: number;
  #file: { readonly descriptor: number; readonly forget: () => void } | null = null;
  #length = 0;

  /** @param limit Bytes that stay in memory. */
  constructor(limit: number) {
    this.#left = limit;
  }

  /** Bytes in the file. */
  get size(): number {
    return this.#length;
  }

  /** Whether so many bytes may stay in memory; if so, they count. */
  keeps(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  /** Appends bytes to the file. Returns where they begin in it. */
  write(bytes: Uint8Array): number {
    const start = this.#length;
    try {
      this.#file ??= openTemporary();
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(this.#file.descriptor, bytes, done, bytes.length - done, start + done);
      }
    } catch (error) {
      throw new DragomanError(
        'training',
        `${tmpdir()}: expected room for the part of the corpus that data.memory keeps out of memory, got ${messageOf(error)}`,
        { cause: error },
      );
    }
    this.#length += bytes.length;
    return start;
  }

  /** Fills `target` with the bytes of the file from `start` on. */
  read(start: number, target: Uint8Array): void {
    for (let done = 0; done < target.length; ) {
      const got = readSync(this.#file!.descriptor, target, done, target.length - done, start + done);
      if (got === 0) throw new DragomanError('training', 'the temporary file of the corpus was cut off');
      done += got;
    }
  }

  /** Removes the file; nothing can be read any more. */
  dispose(): void {
    if (this.#file === null) return;
    closeSync(this.#file.descriptor);
    process.removeListener('exit', this.#file.forget);
    this.#file.forget();
    this.#file = null;
  }
}

function openTemporary(): { descriptor: number; forget: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'dragoman-corpus-'));
  const forget = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', forget);
  return { descriptor: openSync(join(folder, 'ids'), 'w+', 0o600), forget };
}
