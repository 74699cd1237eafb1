import { homedir } from 'node:os';
import { join } from 'node:path';

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
