import { readFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import {
  type LanguageModelConfig,
  type LanguageModelConfigInput,
  languageModelSchema,
} from './config/language-model.js';
import { applyOverride, parseOverride } from './config/override.js';
import { describeIssue, type Locate, show, valueAt } from './config/problems.js';
import { TASKS, type Task } from './config/task.js';
import { type Config, type ConfigInput, configSchema } from './config/translation.js';
import { readYaml } from './config/yaml.js';
import { DragomanError, messageOf } from './errors.js';
import { nearest } from './nearest.js';

export { CELL_KINDS, type CellInput, type CellKind, type CellOptions } from './cell/options.js';
export * from './config/language-model.js';
export { ATTENTION_KINDS, SUMMARY_KINDS } from './config/model.js';
export { TASKS, type Task } from './config/task.js';
export { TOKENIZER_KINDS } from './config/text.js';
export * from './config/translation.js';

/** The configuration of any task; `task` tells which. */
export type AnyConfig = Config | LanguageModelConfig;
/** The same as a user writes it. */
export type AnyConfigInput = ConfigInput | LanguageModelConfigInput;

/** Each task's schema. */
const SCHEMAS: Readonly<Record<Task, typeof configSchema | typeof languageModelSchema>> = {
  translation: configSchema,
  'language-model': languageModelSchema,
};

/** A configuration is written by hand: anything longer than this is some other file. */
const LARGEST_FILE = 1024 * 1024;
/** Errors shown in one message; the rest are counted. */
const SHOWN_ERRORS = 3;

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
  const { value: written, locate: locateWritten } = readYaml(text, file);
  const set = overrides.map(parseOverride);
  let value: unknown = written ?? {};
  for (const override of set) value = applyOverride(value, override);

  const locate: Locate = (path) => {
    const flag = set.findLast(
      (override) => path.length > 0 && override.path.every((key, i) => i >= path.length || key === path[i]),
    )?.flag;
    return flag ?? locateWritten(path);
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
