import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  cacheFolder,
  publish,
  sweep,
  temporaryFolder,
  withLock,
  writeWhole,
} from '../../src/engine/cache.js';

let cache: string;

beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'dragoman-test-'));
});

afterEach(() => rmSync(cache, { recursive: true }));

/** A process number that was in use and is no more. */
function deadProcess(): number {
  return spawnSync(process.execPath, ['-e', '']).pid;
}

describe('the cache folder', () => {
  it('is where the user or the platform wants it', () => {
    expect(cacheFolder({ DRAGOMAN_CACHE: '/a' }, 'linux')).toBe('/a');
    expect(cacheFolder({ XDG_CACHE_HOME: '/x' }, 'linux')).toBe(join('/x', 'dragoman'));
    expect(cacheFolder({}, 'linux')).toBe(join(homedir(), '.cache', 'dragoman'));
    expect(cacheFolder({}, 'darwin')).toBe(join(homedir(), 'Library', 'Caches', 'dragoman'));
    expect(cacheFolder({ LOCALAPPDATA: 'C:' }, 'win32')).toBe(join('C:', 'dragoman', 'Cache'));
  });

  it('publishes a folder as a whole, in place of what was there', () => {
    const place = join(cache, 'place');
    for (const content of ['one', 'two']) {
      const folder = temporaryFolder(cache);
      writeFileSync(join(folder, 'file'), content);
      publish(cache, folder, place);
      expect(readFileSync(join(place, 'file'), 'utf8')).toBe(content);
    }
    sweep(cache);
    expect(readdirSync(cache)).toEqual(['place']);
  });

  it('is rid of what interrupted processes left, and of nothing that living ones make', () => {
    const dead = join(cache, `tmp-abc-${deadProcess()}@${hostname()}`);
    const living = join(cache, `tmp-abc-${process.ppid}@${hostname()}`);
    const elsewhere = join(cache, 'tmp-abc-1@another-host');
    for (const folder of [dead, living, elsewhere, join(cache, 'tfjs')]) mkdirSync(folder);
    temporaryFolder(cache);
    sweep(cache);
    expect(existsSync(dead)).toBe(false);
    expect(readdirSync(cache)).toHaveLength(3);
  });

  it('never shows half a file', () => {
    const path = join(cache, 'report.json');
    writeWhole(path, 'a');
    writeWhole(path, 'b');
    expect(readFileSync(path, 'utf8')).toBe('b');
    expect(readdirSync(cache)).toEqual(['report.json']);
  });
});

describe('the lock', () => {
  it('lets one in at a time, and goes after success and failure', async () => {
    let inside = 0;
    const work = async (): Promise<void> => {
      expect(++inside).toBe(1);
      await wait(20);
      inside--;
    };
    await Promise.all([1, 2, 3].map(() => withLock(cache, work, { interval: 5 })));
    await expect(withLock(cache, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(readdirSync(cache)).toEqual([]);
  });

  it('is taken from the dead', async () => {
    mkdirSync(join(cache, 'lock'));
    writeFileSync(join(cache, 'lock', 'owner'), `${deadProcess()}@${hostname()}`);
    expect(await withLock(cache, async () => 'done', { interval: 5 })).toBe('done');
    expect(readdirSync(cache)).toEqual([]);
  });

  it('is not taken from the living: it waits, says so, and ends with an error', async () => {
    mkdirSync(join(cache, 'lock'));
    writeFileSync(join(cache, 'lock', 'owner'), `${process.ppid}@${hostname()}`);
    let told = 0;
    const wanted = withLock(cache, async () => {}, { interval: 5, patience: 50, onWait: () => told++ });
    await expect(wanted).rejects.toThrow(/still held by process/);
    expect(told).toBe(1);
  });
});
