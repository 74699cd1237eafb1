import { createReadStream, createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DragomanError } from '../errors.js';

// Standard input belongs to the process, so the state here does too: it can be read once, or kept and reread.
let state: 'unread' | 'read' | { readonly kept: string } = 'unread';

/** Standard input as a stream. A second reader is an error unless {@link keepStandardInput} came first. */
export function standardInput(): Readable {
  if (typeof state === 'object') return createReadStream(state.kept);
  if (state === 'read') {
    throw new DragomanError(
      'input',
      'standard input: expected one reader, got a second; name a file instead',
    );
  }
  state = 'read';
  return process.stdin;
}

/** Copies standard input to a temporary file, removed at exit, so that it can be read more than once. */
export async function keepStandardInput(): Promise<void> {
  if (typeof state === 'object') return;
  const input = standardInput();
  const folder = mkdtempSync(join(tmpdir(), 'dragoman-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const kept = join(folder, 'stdin');
  await pipeline(input, createWriteStream(kept));
  state = { kept };
}
