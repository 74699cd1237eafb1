import { readFile } from 'node:fs/promises';
import { DragomanError } from '../errors.js';
import { writeDurably } from './durable.js';
import type { ParameterStore } from './parameters.js';
import {
  decodeSafetensors,
  encodeSafetensors,
  type SafetensorsContent,
  type StoredTensor,
} from './safetensors.js';

/** What reading and writing weights needs of a parameter store. */
export type WeightStore = Pick<ParameterStore, 'specs' | 'read' | 'write'>;

/** Named arrays, as they go into a file. */
export type StoredTensors = Readonly<Record<string, StoredTensor>>;

/** A copy of all parameters. */
export function copyWeights(store: WeightStore): StoredTensors {
  return Object.fromEntries(
    store.specs.map(({ name, shape }) => [name, { shape: [...shape], data: store.read(name) }]),
  );
}

/**
 * Puts stored values into the parameters, after checking that they are exactly those of the model and finite.
 *
 * @param where The file's name, for messages.
 * @throws DragomanError `input` naming the tensor; the parameters are then as they were.
 */
export function restoreWeights(store: WeightStore, tensors: StoredTensors, where: string): void {
  const fail = (message: string): never => {
    throw new DragomanError('input', `${where}: ${message}`);
  };
  const expected = new Set(store.specs.map(({ name }) => name));
  const extra = Object.keys(tensors).filter((name) => !expected.has(name));
  const missing = [...expected].filter((name) => !Object.hasOwn(tensors, name));
  if (missing.length > 0) fail(`expected the tensor ${list(missing)} of this configuration, got none`);
  if (extra.length > 0) fail(`the configuration has no tensor ${list(extra)}`);
  const values = store.specs.map(({ name, shape }): [string, Float32Array] => {
    const { shape: stored, data } = tensors[name]!;
    if (stored.length !== shape.length || stored.some((size, axis) => size !== shape[axis])) {
      fail(`${name}: expected shape [${shape.join(', ')}], got [${stored.join(', ')}]`);
    }
    if (!(data instanceof Float32Array)) return fail(`${name}: expected 32-bit floats, got integers`);
    return [name, data];
  });
  const broken = firstNotFinite(tensors);
  if (broken !== null) fail(`${broken}: expected finite numbers, got NaN or infinity`);
  for (const [name, data] of values) store.write(name, data);
}

/** The name of a tensor that holds a NaN or an infinity, if one does. */
export function firstNotFinite(tensors: StoredTensors): string | null {
  const found = Object.entries(tensors).find(
    ([, { data }]) => !data.every((value) => Number.isFinite(value)),
  );
  return found ? found[0] : null;
}

/**
 * Writes a safetensors file; a crash leaves the old one whole.
 *
 * @throws DragomanError `training` when a number is not finite; the old file then stays.
 */
export async function writeTensors(
  path: string,
  tensors: StoredTensors,
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  const broken = firstNotFinite(tensors);
  if (broken !== null)
    throw new DragomanError('training', `${broken} holds NaN or infinity: ${path} was not written`);
  await writeDurably(path, encodeSafetensors(tensors, metadata));
}

/**
 * Reads a safetensors file.
 *
 * @throws DragomanError `input` naming the file when it is not there, cut off or something else.
 */
export async function readTensors(path: string): Promise<SafetensorsContent> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : String(error);
    throw new DragomanError('input', `${path}: cannot read: ${reason}`, { cause: error });
  }
  return decodeSafetensors(bytes, path);
}

/** The first few names, so that a wholly different file makes no endless message. */
function list(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}
