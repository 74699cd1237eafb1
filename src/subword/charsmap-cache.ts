import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../engine/cache.js';
import { writeDurably } from '../model/durable.js';
import { VERSION } from '../version.js';
import { Charsmap } from './charsmap.js';
import { type NormalizationName, normalizationCharsmap } from './normalization-rules.js';

/**
 * The `precompiled_charsmap` of a normalization, kept in the user's cache folder once it is made, for making it takes
 * half a second. Without a folder to write, it is made each time.
 */
export async function cachedCharsmap(
  name: NormalizationName,
  folder: string = cacheFolder(),
): Promise<Uint8Array> {
  if (name === 'identity') return normalizationCharsmap(name);
  // What it holds depends on the Unicode version of this Node and on how this version of Dragoman makes it.
  const file = join(folder, `charsmap-${name}-unicode${process.versions.unicode}-${VERSION}.bin`);
  try {
    const kept = new Uint8Array(await readFile(file));
    new Charsmap(kept, file); // refuses a damaged file
    return kept;
  } catch {
    const made = normalizationCharsmap(name);
    try {
      await mkdir(folder, { recursive: true });
      await writeDurably(file, made);
    } catch {
      // A full or read-only disk costs the time again, no more.
    }
    return made;
  }
}
