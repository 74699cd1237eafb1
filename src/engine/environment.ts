import { DragomanError, excerpt } from '../errors.js';

/** Settings of npm that an npm started by us shall share with the one that runs us. */
const KEPT =
  /^npm_config_(registry|cache|userconfig|globalconfig|(https?_?)?_?proxy|noproxy|cafile|ca|strict_ssl|offline|prefer_offline|nodedir)$/i;

/**
 * The environment for an npm of our own. The one that runs us leaves a hundred variables about itself (its folder,
 * `--global`, `--omit`, `--ignore-scripts`), which would have the new one work on the wrong project.
 */
export function npmEnvironment(env: Readonly<Record<string, string | undefined>>): NodeJS.ProcessEnv {
  const entries = Object.entries(env).filter(
    ([name]) => KEPT.test(name) || !(/^npm_/i.test(name) || name === 'INIT_CWD'),
  );
  return Object.fromEntries(entries);
}

/**
 * What a variable of ours chooses; undefined where it is not set.
 * @throws DragomanError `engine` if it has another value
 */
export function chosenIn<T extends string>(name: string, choices: readonly T[]): T | undefined {
  const text = process.env[name];
  if (!text) return undefined;
  const known = choices.find((choice) => choice === text);
  if (known !== undefined) return known;
  throw new DragomanError('engine', `${name}: expected ${choices.join(' or ')}, got ${excerpt(text)}`);
}
