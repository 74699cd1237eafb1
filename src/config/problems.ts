import type { z } from 'zod';
import { excerpt } from '../errors.js';
import { nearest } from '../nearest.js';
import { choicesOf, expectation, keysAt, schemasAt } from './fields.js';

export type Path = readonly PropertyKey[];

/** Where a value was written: `train.yaml:12:3`, or the flag `--set model.cell=lstn`. */
export type Locate = (path: Path) => string;

type Issue = z.core.$ZodIssue;

export function describeIssue(
  issue: Issue,
  schema: z.core.$ZodType,
  root: unknown,
  above: Path,
  locate: Locate,
): string[] {
  const path = [...above, ...issue.path];
  const say = (where: Path, text: string): string => {
    const name = where.map(String).join('.');
    return name === '' ? `${locate(where)}: ${text}` : `${locate(where)}: ${name}: ${text}`;
  };
  if (issue.code === 'custom') return [say(path, issue.message)];
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, root, path);
    return issue.keys.map((key) => {
      const close = nearest(key, known);
      const hint = close === undefined ? `expected one of ${known.join(', ')}` : `did you mean ${close}?`;
      return say([...path, key], `unknown key, ${hint}`);
    });
  }
  const schemas = schemasAt(schema, root, path);
  const got = valueAt(root, path);
  if (issue.code === 'invalid_union' && issue.errors.length > 0 && isSection(got)) {
    // Tell the errors of the one shape that was meant, if one was.
    const meant = meantShape(issue.errors, Object.keys(got));
    if (meant) return meant.flatMap((inner) => describeIssue(inner, schema, root, path, locate));
  }
  const choices = schemas.flatMap(choicesOf);
  const tooBig = issue.code === 'too_big' && issue.maximum === Number.MAX_SAFE_INTEGER;
  const words =
    choices.length > 1
      ? `one of ${choices.join(', ')}`
      : [...new Set(schemas.map(expectation))].join(', or ');
  const expected = tooBig ? 'a whole number below 2^53' : words;
  if (got === undefined) return [say(path, `missing, expected ${expected}`)];
  const close = typeof got === 'string' ? nearest(got, choices) : undefined;
  const hint = close === undefined ? '' : `, did you mean ${close}?`;
  return [say(path, `expected ${expected}, got ${show(got)}${hint}`)];
}

/** Of the shapes that a section could have, the errors of the one that was meant, as far as its keys tell. */
function meantShape(
  shapes: readonly (readonly Issue[])[],
  keys: readonly string[],
): readonly Issue[] | undefined {
  const sections = shapes.filter((errors) => !errors.some(isWrongShape));
  if (sections.length === 1) return keys.includes('kind') ? sections[0] : undefined;
  // A corpus in one file or two.
  if (!['file', 'source', 'target', 'text'].some((key) => keys.includes(key))) return undefined;
  return keys.includes('file') ? shapes[0] : shapes[1];
}

/** The value was no such thing at all, as a section is no word. */
function isWrongShape(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_value' || issue.code === 'invalid_type');
}

export function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = Reflect.get(value, key) as unknown;
  }
  return value;
}

export function show(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a section';
  return typeof value === 'string' ? excerpt(value) : String(value);
}
