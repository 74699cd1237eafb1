import { parse } from 'yaml';
import { DragomanError, messageOf } from '../errors.js';
import { isSection, show, valueAt } from './problems.js';

/** Characters of a `--set` that are repeated in a message. */
const LONGEST_FLAG = 80;

/** A `--set train.batch.size=32` of the command line. */
export interface Override {
  readonly path: readonly string[];
  readonly value: unknown;
  readonly flag: string;
}

export function parseOverride(text: string): Override {
  const flag = `--set ${text.length > LONGEST_FLAG ? `${text.slice(0, LONGEST_FLAG)}…` : text}`;
  const equals = text.indexOf('=');
  const path = text.slice(0, Math.max(equals, 0)).split('.');
  if (equals < 1 || path.some((key) => key.trim() === '')) {
    throw new DragomanError('config', `${flag}: expected key=value, such as train.batch.size=32`);
  }
  try {
    const value: unknown = parse(text.slice(equals + 1), { logLevel: 'error', maxAliasCount: 0 });
    return { path: path.map((key) => key.trim()), value, flag };
  } catch (error) {
    throw new DragomanError('config', `${flag}: not a YAML value: ${messageOf(error).split('\n')[0]}`);
  }
}

/** A copy of `root` with the override's value in it; sections on the way are made. */
export function applyOverride(root: unknown, override: Override, depth = 0): unknown {
  const key = override.path[depth];
  if (key === undefined) return override.value;
  if (root !== undefined && root !== null && !isSection(root)) {
    const above = override.path.slice(0, depth).join('.');
    throw new DragomanError(
      'config',
      `${override.flag}: ${above || 'the file'} holds ${show(root)}, not a section`,
    );
  }
  const below = valueAt(root, [key]);
  const copy = { ...root };
  Object.defineProperty(copy, key, {
    value: applyOverride(below, override, depth + 1),
    enumerable: true,
    configurable: true,
    writable: true,
  });
  return copy;
}
