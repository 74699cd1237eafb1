import { homedir } from 'node:os';
import { DragomanError, messageOf } from '../errors.js';
import { cacheFolder } from './cache.js';
import { type EngineName, engineFromEnvironment, nativeIsDisabled } from './engine.js';
import { type InstallReport, installNative, thisMachine } from './install.js';
import { ROUTES } from './routes.js';

/** The cache folder as a person would write it. */
function cacheName(): string {
  const home = homedir();
  const cache = cacheFolder();
  return cache.startsWith(`${home}/`) ? cache.replace(home, '~') : cache;
}

/** One line about an installation: what was chosen, and what to do for more. */
export function describeInstallation({ tensorflow, attempts }: InstallReport): string {
  const last = attempts.at(-1);
  if (tensorflow !== null && last) {
    return `engine tensorflow (TensorFlow ${tensorflow}, ${ROUTES[last.route].title}; kept in ${cacheName()})`;
  }
  const reason = last ? `${ROUTES[last.route].title}: ${last.failure}` : 'no route';
  return `engine wasm, the portable one, as native TensorFlow was not to be had (${reason}); "npx dragoman doctor" says what was tried and what to do`;
}

/**
 * Installs because the user said so.
 * @throws DragomanError `usage` while the user's own environment forbids the native engine
 */
export function installForUser(say: (line: string) => void): Promise<InstallReport> {
  if (nativeIsDisabled()) {
    throw new DragomanError('usage', 'DRAGOMAN_SKIP_NATIVE is set: unset it to install the native engine');
  }
  return installNative(thisMachine(say));
}

/**
 * At the end of `npm install`: gets the native engine unless the user does not want it, and says in one line what
 * was chosen. Never throws.
 */
export async function chooseAtInstallation(): Promise<void> {
  const say = (line: string): void => console.error(`dragoman: ${line}`);
  try {
    const wanted: EngineName | undefined = engineFromEnvironment();
    if (nativeIsDisabled())
      say(
        'engine wasm: DRAGOMAN_SKIP_NATIVE is set; without it, "npx dragoman doctor --install" adds the native one',
      );
    else if (wanted !== undefined && wanted !== 'tensorflow')
      say(`engine ${wanted}: DRAGOMAN_ENGINE is set; "npx dragoman doctor --install" adds the native one`);
    else say(describeInstallation(await installNative(thisMachine(say))));
  } catch (error) {
    say(`engine wasm, the portable one (${messageOf(error)}); "npx dragoman doctor" tells more`);
  }
}
