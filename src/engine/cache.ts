import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { DragomanError } from '../errors.js';
import { isRunning } from '../processes.js';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The folder in which Dragoman keeps what it downloaded and compiled, one for each user and shared by all
 * projects: `DRAGOMAN_CACHE`, else the platform's own cache folder (`XDG_CACHE_HOME` or `~/.cache` on Linux).
 */
export function cacheFolder(env: Environment = process.env, platform: string = process.platform): string {
  if (env.DRAGOMAN_CACHE) return env.DRAGOMAN_CACHE;
  if (platform === 'win32')
    return join(env.LOCALAPPDATA || join(homedir(), 'AppData', 'Local'), 'dragoman', 'Cache');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'dragoman');
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'dragoman');
}

/** Another machine's process, on a shared home folder, cannot be asked whether it lives; this old, it does not. */
const FOREIGN_AGE = 24 * 60 * 60 * 1000;

/** Who made a temporary folder or holds a lock, as part of its name: `pid@host`. */
function owner(): string {
  return `${process.pid}@${hostname()}`;
}

function isAlive(ownerName: string, since: number): boolean {
  const [, pid, host] = /^(\d+)@(.*)$/.exec(ownerName) ?? [];
  if (pid === undefined || host !== hostname()) return Date.now() - since < FOREIGN_AGE;
  return isRunning(Number(pid));
}

const TEMPORARY = 'tmp-';

/** A new empty folder inside the cache, on the same disk, so that a rename can publish it. */
export function temporaryFolder(cache: string): string {
  const name = `${TEMPORARY}${Math.random().toString(36).slice(2, 10)}-${owner()}`;
  const path = join(cache, name);
  mkdirSync(path, { recursive: true });
  return path;
}

/** Removes the temporary folders of processes that were interrupted, and those that this one has left. */
export function sweep(cache: string): void {
  for (const name of readdirSync(cache)) {
    if (!name.startsWith(TEMPORARY)) continue;
    const path = join(cache, name);
    const maker = name.slice(name.indexOf('-', TEMPORARY.length) + 1);
    if (maker !== owner() && isAlive(maker, modified(path))) continue;
    rmSync(path, { recursive: true, force: true });
  }
}

/** Puts a finished folder into its place in one step; what was there is replaced. Call under the lock. */
export function publish(cache: string, finished: string, place: string): void {
  try {
    renameSync(finished, place);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'EPERM') throw error;
    const old = join(temporaryFolder(cache), 'old');
    renameSync(place, old);
    renameSync(finished, place);
    rmSync(old, { recursive: true, force: true });
  }
}

/** Writes a file so that readers see the old or the new one, never a half. */
export function writeWhole(path: string, text: string): void {
  const temporary = `${path}.${owner()}`;
  writeFileSync(temporary, text);
  renameSync(temporary, path);
}

function holderOf(lock: string): string | null {
  try {
    return readFileSync(join(lock, 'owner'), 'utf8');
  } catch {
    return null; // taken this moment, and not yet signed; or just released
  }
}

function modified(path: string): number {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return Date.now();
  }
}

/**
 * Runs `work` while no other process holds the lock of this cache. Waits for a living holder, up to `patience`
 * milliseconds; takes over from a dead one.
 * @throws DragomanError `engine` when the wait was in vain
 */
export async function withLock<T>(
  cache: string,
  work: () => Promise<T>,
  { patience = 30 * 60_000, interval = 250, onWait = () => {} } = {},
): Promise<T> {
  mkdirSync(cache, { recursive: true });
  const lock = join(cache, 'lock');
  const deadline = Date.now() + patience;
  for (let waited = false; ; ) {
    try {
      mkdirSync(lock);
      writeFileSync(join(lock, 'owner'), owner());
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = holderOf(lock);
    const since = modified(lock);
    // An unsigned lock is its maker's last moment between two calls, unless it stays so.
    if (holder === null ? Date.now() - since > 5_000 : !isAlive(holder, since)) {
      breakLock(cache, lock);
      continue;
    }
    if (Date.now() > deadline) {
      throw new DragomanError(
        'engine',
        `${lock}: still held by process ${holder ?? '?'}; remove it if that is wrong`,
      );
    }
    if (!waited) onWait();
    waited = true;
    await wait(interval);
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

/**
 * Renamed before it is removed, so that of two processes which see a dead holder one fails. Should both get
 * through in the same moment, they do the same work twice: what counts is published by renaming, too.
 */
function breakLock(cache: string, lock: string): void {
  const aside = temporaryFolder(cache);
  try {
    renameSync(lock, join(aside, 'lock'));
  } catch {
    // the other one was faster
  }
  rmSync(aside, { recursive: true, force: true });
}
