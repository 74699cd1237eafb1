import { type AnyConfig, type AnyConfigInput, resolveConfig } from '../config.js';
import { DragomanError, messageOf } from '../errors.js';
import type { EncodedCorpus } from '../text/encoded.js';
import { crc32c } from './crc32c.js';

/** Keys that may change when a training goes on: they say when it ends, what it writes and where it keeps things, not what it does. */
const FREE_KEYS: ReadonlySet<string> = new Set([
  'data.memory',
  'train.epochs',
  'train.steps',
  'train.minutes',
  'train.earlyStopping',
  'train.average',
  'train.checkpointSteps',
  'train.tensorboard',
  'train.validation.bleuSentences',
]);

/** Keys whose files are compared by what is in them, because they may have moved. */
const FILE_KEYS = [
  'data.train',
  'data.validation',
  'text.source.model',
  'text.target.model',
  'text.tokenizer.model',
  'text.from',
];

/**
 * Refuses to go on with a configuration that would train something else.
 *
 * @throws DragomanError `config` naming every key that differs.
 */
export function requireSameConfig(before: AnyConfigInput, now: AnyConfig, checkpoint: string): void {
  const [old, current] = [flatten(asResolvedNow(before, checkpoint)), flatten(now)];
  const differing = [...new Set([...old.keys(), ...current.keys()])]
    .filter((key) => !FREE_KEYS.has(key))
    .filter((key) => !FILE_KEYS.some((file) => key === file || key.startsWith(`${file}.`)))
    .filter((key) => old.get(key) !== current.get(key))
    .map(
      (key) => `${key} (${old.get(key) ?? 'absent'} in the checkpoint, ${current.get(key) ?? 'absent'} now)`,
    );
  if (differing.length === 0) return;
  throw new DragomanError(
    'config',
    `${checkpoint}: cannot go on with another configuration: ${differing.join('; ')}`,
  );
}

/** An older version's configuration with the defaults, and in the form, of this one: a kind alone is a section now. */
function asResolvedNow(before: AnyConfigInput, checkpoint: string): AnyConfig {
  try {
    return resolveConfig(before);
  } catch (error) {
    throw new DragomanError(
      'config',
      `${checkpoint}: made with a configuration that this version does not take: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/** Ids whose checksum is taken at a time: a call for each sentence would cost more than the checksum. */
const CHECKED_TOGETHER = 1 << 14;

/** Identifies a corpus as the model sees it: its size and a checksum of all its ids. */
export function fingerprint(corpus: EncodedCorpus): string {
  let crc = 0;
  let held = new Int32Array(CHECKED_TOGETHER);
  let length = 0;
  const flush = (): void => {
    crc = crc32c(new Uint8Array(held.buffer, 0, 4 * length), crc);
    length = 0;
  };
  for (let i = 0; i < corpus.length; i++) {
    for (const ids of [corpus.source(i), corpus.target(i)]) {
      if (length + 1 + ids.length > held.length) flush();
      if (1 + ids.length > held.length) held = new Int32Array(1 + ids.length);
      held[length] = ids.length; // keeps sentence boundaries apart
      held.set(ids, length + 1);
      length += 1 + ids.length;
    }
  }
  flush();
  return `${corpus.length} pairs, checksum ${crc.toString(16).padStart(8, '0')}`;
}

/** @throws DragomanError `config` when a corpus is not what the checkpoint was trained on. */
export function requireSameData(
  before: { readonly training: string; readonly validation: string },
  now: { readonly training: string; readonly validation: string },
  checkpoint: string,
): void {
  const compare = (key: string, old: string, current: string): void => {
    if (old === current) return;
    throw new DragomanError(
      'config',
      `${checkpoint}: cannot go on with other data: ${key} held ${old}, and holds ${current} now`,
    );
  };
  compare('data.train', before.training, now.training);
  compare('data.validation', before.validation, now.validation);
}

/** Leaves of a configuration by their dotted keys, as JSON. */
function flatten(value: unknown, prefix = ''): Map<string, string> {
  const leaves = new Map<string, string>();
  if (typeof value !== 'object' || value === null) return leaves.set(prefix, JSON.stringify(value));
  for (const [key, inner] of Object.entries(value)) {
    if (inner === undefined) continue;
    for (const [name, leaf] of flatten(inner, prefix === '' ? key : `${prefix}.${key}`))
      leaves.set(name, leaf);
  }
  return leaves;
}
