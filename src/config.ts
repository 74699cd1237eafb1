import { readFile } from 'node:fs/promises';
import {
  Alias,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  type Node,
  parse,
  parseDocument,
  stringify,
} from 'yaml';
import type { z } from 'zod';
import { choicesOf, expectation, keysAt, schemasAt } from './config-fields.js';
import {
  type LanguageModelConfig,
  type LanguageModelConfigInput,
  languageModelSchema,
} from './config-language-model.js';
import { type Config, type ConfigInput, configSchema, TASKS, type Task } from './config-schema.js';
import { DragomanError, excerpt, messageOf } from './errors.js';
import { nearest } from './nearest.js';

export * from './config-language-model.js';
export * from './config-schema.js';

/** The configuration of any task; `task` tells which. */
export type AnyConfig = Config | LanguageModelConfig;
/** The same as a user writes it. */
export type AnyConfigInput = ConfigInput | LanguageModelConfigInput;

/** Each task's schema. */
const SCHEMAS: Readonly<Record<Task, typeof configSchema | typeof languageModelSchema>> = {
  translation: configSchema,
  'language-model': languageModelSchema,
};

type Path = readonly PropertyKey[];

/** A configuration is written by hand: anything longer than this is some other file. */
const LARGEST_FILE = 1024 * 1024;
/** Errors shown in one message; the rest are counted. */
const SHOWN_ERRORS = 3;
/** Characters of a `--set` that are repeated in a message. */
const LONGEST_FLAG = 80;
/** References to anchors allowed in one file; more is an attack ("billion laughs"), not a configuration. */
const MOST_ALIASES = 100;

/** Where a value was written: `train.yaml:12:3`, or the flag `--set model.cell=lstn`. */
type Locate = (path: Path) => string;

/** A `--set train.batch.size=32` of the command line. */
interface Override {
  readonly path: readonly string[];
  readonly value: unknown;
  readonly flag: string;
}

/**
 * Reads a configuration from a YAML file.
 *
 * @param file The YAML file. Paths inside it are relative to its folder, whoever reads them.
 * @param overrides `key=value` texts, as of `--set`: a dotted path and a YAML value, applied over the file.
 * @throws DragomanError `config`, naming file, line and column, or the override.
 */
export async function loadConfig(file: string, overrides: readonly string[] = []): Promise<AnyConfig> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw new DragomanError('config', `${file}: cannot read the configuration: ${reason(error)}`);
  }
  if (bytes.length > LARGEST_FILE) {
    throw new DragomanError(
      'config',
      `${file}: expected a configuration, got a file of ${bytes.length} bytes`,
    );
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new DragomanError('config', `${file}: expected UTF-8 text, got other bytes`);
  }
  return parseConfig(text, file, overrides);
}

function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EISDIR') return 'it is a folder';
  if (code === 'EACCES') return 'no permission';
  return messageOf(error);
}

/**
 * Reads a configuration from YAML text and fills in every default.
 *
 * @param text YAML.
 * @param file The name that error messages give.
 * @throws DragomanError `config`: every error with file, line and column, on one line.
 */
export function parseConfig(text: string, file: string, overrides: readonly string[] = []): AnyConfig {
  const lines = new LineCounter();
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  };
  let value: unknown;
  let contents: Node | null;
  let resolveAlias: (alias: Alias) => Node | undefined;
  try {
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
    const [broken] = [...document.errors, ...document.warnings];
    if (broken) {
      const [start, end] = broken.pos;
      throw new DragomanError(
        'config',
        `${at(start)}: ${yamlError(broken.code, broken.message, text, start, end)}`,
      );
    }
    contents = document.contents;
    resolveAlias = (alias) => alias.resolve(document);
    value = document.toJS({ maxAliasCount: MOST_ALIASES });
  } catch (error) {
    if (error instanceof DragomanError) throw error;
    // The parser throws plain errors for too many aliases and for nesting beyond the stack.
    throw new DragomanError('config', `${file}:1:1: not a usable YAML file: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (value === null || value === undefined) value = {};
  const set = overrides.map(parseOverride);
  for (const override of set) value = applyOverride(value, override);

  const locate: Locate = (path) => {
    const flag = set.findLast(
      (override) => path.length > 0 && override.path.every((key, i) => i >= path.length || key === path[i]),
    )?.flag;
    return flag ?? at(offsetOf(contents, path, resolveAlias));
  };
  return checkConfig(value, locate);
}

/**
 * Checks a configuration that was built in code and fills in every default.
 *
 * @throws DragomanError `config`, naming the key.
 */
export function resolveConfig(config: ConfigInput): Config;
export function resolveConfig(config: LanguageModelConfigInput): LanguageModelConfig;
export function resolveConfig(config: AnyConfigInput): AnyConfig;
export function resolveConfig(config: AnyConfigInput): AnyConfig {
  return checkConfig(config, () => 'configuration');
}

/** A configuration as YAML; {@link parseConfig} of it is the same configuration. */
export function configToYaml(config: AnyConfig): string {
  return stringify(config, { lineWidth: 0 });
}

function checkConfig(value: unknown, locate: Locate): AnyConfig {
  const schema = SCHEMAS[taskOf(value, locate)];
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const messages = result.error.issues.flatMap((issue) => describeIssue(issue, schema, value, [], locate));
  const hidden = messages.length - SHOWN_ERRORS;
  const shown = messages.slice(0, SHOWN_ERRORS).join('; ');
  throw new DragomanError('config', hidden > 0 ? `${shown}; and ${hidden} more` : shown);
}

/** The task that a configuration names, which decides what its keys are; translation if it names none. */
function taskOf(value: unknown, locate: Locate): Task {
  const named = valueAt(value, ['task']);
  const task = named === undefined ? 'translation' : TASKS.find((one) => one === named);
  if (task !== undefined) return task;
  const close = typeof named === 'string' ? nearest(named, TASKS) : undefined;
  const hint = close === undefined ? '' : `, did you mean ${close}?`;
  throw new DragomanError(
    'config',
    `${locate(['task'])}: task: expected one of ${TASKS.join(', ')}, got ${show(named)}${hint}`,
  );
}

type Issue = z.core.$ZodIssue;

function describeIssue(
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

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = Reflect.get(value, key) as unknown;
  }
  return value;
}

function show(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a section';
  return typeof value === 'string' ? excerpt(value) : String(value);
}

/** The offset of the last key on the way to `path` that the file really has. */
function offsetOf(contents: Node | null, path: Path, resolve: (alias: Alias) => Node | undefined): number {
  let node: unknown = contents;
  let offset = contents?.range?.[0] ?? 0;
  for (const key of path) {
    if (node instanceof Alias) node = resolve(node);
    if (!isMap(node)) break;
    const pair = node.items.find(
      (item) => String(isScalar(item.key) ? item.key.value : item.key) === String(key),
    );
    if (!pair) break;
    if (isNode(pair.key) && pair.key.range) offset = pair.key.range[0];
    node = pair.value;
  }
  return offset;
}

function yamlError(code: string, message: string, text: string, start: number, end: number): string {
  const piece = text.slice(start, Math.max(end, start + 1)).split('\n')[0] ?? '';
  if (code === 'TAB_AS_INDENT') return 'expected spaces before a key, got a tab';
  if (code === 'DUPLICATE_KEY') {
    const key = /^[^:\s]+/.exec(text.slice(start))?.[0] ?? piece;
    return `the key ${excerpt(key)} stands twice in one section`;
  }
  if (code === 'MULTIPLE_DOCS') return 'expected one YAML document, got several';
  return `not valid YAML: ${message.split('\n')[0]}`;
}

function parseOverride(text: string): Override {
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
function applyOverride(root: unknown, override: Override, depth = 0): unknown {
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
