// @ts-check
// Files of packages of the npm registry, kept in the per-user cache so that a second run needs no network.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { RecipeError } from './command.mjs';

/**
 * `DRAGOMAN_CACHE`, else the platform's own cache folder (`XDG_CACHE_HOME` or `~/.cache` on Linux): the same as
 * the engine's, repeated here because recipes run before anything is built.
 *
 * @param {Readonly<Record<string, string | undefined>>} environment
 * @param {string} platform
 */
export function cacheFolder(environment = process.env, platform = process.platform) {
  if (environment.DRAGOMAN_CACHE) return resolve(environment.DRAGOMAN_CACHE);
  if (platform === 'win32') {
    return join(environment.LOCALAPPDATA || join(homedir(), 'AppData', 'Local'), 'dragoman', 'Cache');
  }
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'dragoman');
  return join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'dragoman');
}

/**
 * The files of one package, by their path in it; from the cache, or with `npm pack` into the cache first. No
 * script of the package runs, and none of what it depends on is fetched.
 *
 * @param {string} name
 * @param {string} version an exact version
 * @returns {Map<string, Buffer>}
 */
export function packageFiles(name, version) {
  const folder = join(cacheFolder(), 'npm');
  const file = join(folder, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`);
  if (existsSync(file)) process.stderr.write(`cached   ${name}@${version}\n`);
  else {
    process.stderr.write(`fetching ${name}@${version}\n`);
    try {
      mkdirSync(folder, { recursive: true });
      download(`${name}@${version}`, folder, file);
    } catch (error) {
      if (error instanceof RecipeError) throw error;
      throw new RecipeError(`${folder}: expected a folder to cache packages in: ${messageOf(error)}`);
    }
  }
  try {
    return readTar(gunzipSync(readFileSync(file)));
  } catch (error) {
    throw new RecipeError(`${file}: expected a package (delete the file and try again): ${messageOf(error)}`);
  }
}

/**
 * Packs into a folder of its own and renames at the end: a broken or second run never leaves half a file.
 *
 * @param {string} spec
 * @param {string} folder
 * @param {string} file
 */
function download(spec, folder, file) {
  const temporary = mkdtempSync(join(folder, 'incoming-'));
  try {
    // npm's own patience with a network that does not answer is a quarter of an hour.
    const patience = ['--fetch-retries=2', '--fetch-retry-maxtimeout=10000', '--fetch-timeout=60000'];
    const options = ['pack', '--loglevel=error', '--ignore-scripts', ...patience, spec];
    // Under `npm run` npm names its own script; elsewhere it is on the path (as a batch file on Windows).
    const script = process.env.npm_execpath?.endsWith('npm-cli.js') ? process.env.npm_execpath : undefined;
    const run = script
      ? spawnSync(process.execPath, [script, ...options], { cwd: temporary, encoding: 'utf8' })
      : spawnSync('npm', options, { cwd: temporary, encoding: 'utf8', shell: process.platform === 'win32' });
    const packed = run.stdout?.trim().split('\n').at(-1) ?? '';
    if (run.status !== 0 || packed === '' || !existsSync(join(temporary, packed))) {
      const said = (run.error?.message ?? run.stderr ?? '').trim().replaceAll(/\s+/g, ' ').slice(0, 300);
      throw new RecipeError(`npm pack ${spec} failed (is the npm registry reachable?): ${said}`);
    }
    renameSync(join(temporary, packed), file);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/**
 * The regular files of a tar archive (POSIX ustar, with the long names of pax headers), without the leading
 * `package/` that npm puts before every path.
 *
 * @param {Buffer} archive
 * @returns {Map<string, Buffer>}
 */
export function readTar(archive) {
  /** @type {Map<string, Buffer>} */
  const files = new Map();
  let longName = '';
  for (let at = 0; at + 512 <= archive.length; ) {
    const header = archive.subarray(at, at + 512);
    if (header.every((byte) => byte === 0)) break; // the end mark
    const text = (/** @type {number} */ from, /** @type {number} */ length) =>
      header.toString('utf8', from, from + length).replace(/\0[\s\S]*$/, '');
    if (text(257, 5) !== 'ustar') throw new RecipeError(`expected a tar header at byte ${at}`);
    const size = Number.parseInt(text(124, 12), 8);
    const content = archive.subarray(at + 512, at + 512 + size);
    if (!(content.length === size))
      throw new RecipeError(`expected ${size} bytes at byte ${at + 512}, got the end`);
    const type = text(156, 1);
    if (type === 'x') longName = /(?:^|\n)\d+ path=([^\n]*)\n/.exec(content.toString('utf8'))?.[1] ?? '';
    else {
      const prefix = text(345, 155);
      const name = longName || (prefix ? `${prefix}/` : '') + text(0, 100);
      if (type === '0' || type === '') files.set(name.replace(/^[^/]*\//, ''), content);
      longName = '';
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}
