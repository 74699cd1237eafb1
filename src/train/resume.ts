import type { Config } from '../config.js';
import { DragomanError } from '../errors.js';
import type { EncodedCorpus } from '../text/encoded.js';
import { crc32c } from './crc32c.js';

/** Keys that may change when a training goes on: they say when it ends and what it writes, not what it does. */
const FREE_KEYS: ReadonlySet<string> = new Set([
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
const FILE_KEYS = ['data.train', 'data.validation', 'text.source.model', 'text.target.model'];

/**
 * Refuses to go on with a configuration that would train something else.
 *
 * @throws DragomanError `config` naming every key that differs.
 */
export function requireSameConfig(before: Config, now: Config, checkpoint: string): void {
  const [old, current] = [flatten(before), flatten(now)];
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

/** Identifies a corpus as the model sees it: its size and a checksum of all its ids. */
export function fingerprint(corpus: EncodedCorpus): string {
  let crc = 0;
  for (let i = 0; i < corpus.length; i++) {
    for (const ids of [corpus.source(i), corpus.target(i)]) {
      // The length keeps sentence boundaries apart.
      crc = crc32c(new Uint8Array(Int32Array.of(ids.length).buffer), crc);
      crc = crc32c(new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength), crc);
    }
  }
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
