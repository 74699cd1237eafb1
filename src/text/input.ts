import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { DragomanError, messageOf } from '../errors.js';
import { standardInput } from './stdin.js';

/** The name that stands for standard input. */
export const STDIN = '-';

/** What to call a file in an error: as the user named it. */
export function nameOf(path: string): string {
  return path === STDIN ? 'standard input' : path;
}

/**
 * The bytes of a file, relative to `folder`, or of standard input (`-`). Gzipped data is known by its first two
 * bytes, which are never text, and unpacked; a name ending in `.gz` must hold it.
 */
export async function* readBytes(path: string, folder: string): AsyncGenerator<Buffer> {
  const name = nameOf(path);
  const raw: Readable = path === STDIN ? standardInput() : createReadStream(resolve(folder, path));
  try {
    const chunks = raw[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    let head = Buffer.alloc(0);
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
      head = Buffer.concat([head, next.value]);
      if (head.length >= 2 || head[0] !== 0x1f) break;
    }
    if (head[0] === 0x1f && head[1] === 0x8b) {
      yield* gunzip(head, chunks);
    } else {
      if (path.endsWith('.gz')) {
        const got = head.length === 0 ? 'an empty file' : 'something else';
        throw new DragomanError('input', `${name}: expected gzipped data as the name says, got ${got}`);
      }
      if (head.length > 0) yield head;
      for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
    }
  } finally {
    raw.destroy();
  }
}

async function* gunzip(head: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  async function* packed(): AsyncGenerator<Buffer> {
    yield head;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  }
  const unpacked = createGunzip();
  // The callback form hands a failure of the source on to `unpacked`, where the loop below meets it.
  pipeline(Readable.from(packed(), { objectMode: false }), unpacked, () => {});
  for await (const chunk of unpacked) yield chunk;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'a file that may not be read (permission denied)',
  EISDIR: 'a folder',
  ENOTDIR: 'a path through something that is no folder',
};

/** What a failed read is for the user; `line` lines had arrived. */
export function unreadable(error: unknown, name: string, line: number): unknown {
  if (error instanceof DragomanError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const got = REASONS[code] ?? messageOf(error);
  const what = code.startsWith('Z_')
    ? `${name}:${line + 1}: expected intact gzipped data`
    : `${name}: expected a readable file`;
  return new DragomanError('input', `${what}, got ${got}`, { cause: error });
}
