import { open } from 'node:fs/promises';
import { DragomanError } from '../errors.js';
import { writeDurably } from './durable.js';
import type { ParameterSpec, ParameterStore } from './parameters.js';
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
 * Stored values in the order of the parameters, after checking that they are exactly those of the model and finite.
 *
 * @param where The file's name, for messages.
 * @throws DragomanError `input` naming the tensor.
 */
export function storedValues(
  specs: readonly ParameterSpec[],
  tensors: StoredTensors,
  where: string,
): Float32Array[] {
  const fail = (message: string): never => {
    throw new DragomanError('input', `${where}: ${message}`);
  };
  const expected = new Set(specs.map(({ name }) => name));
  const extra = Object.keys(tensors).filter((name) => !expected.has(name));
  const missing = [...expected].filter((name) => !Object.hasOwn(tensors, name));
  if (missing.length > 0) fail(`expected the tensor ${list(missing)} of this configuration, got none`);
  if (extra.length > 0) fail(`the configuration has no tensor ${list(extra)}`);
  const values = specs.map(({ name, shape }): Float32Array => {
    const { shape: stored, data } = tensors[name]!;
    if (stored.length !== shape.length || stored.some((size, axis) => size !== shape[axis])) {
      fail(`${name}: expected shape [${shape.join(', ')}], got [${stored.join(', ')}]`);
    }
    if (!(data instanceof Float32Array)) return fail(`${name}: expected 32-bit floats, got integers`);
    return data;
  });
  const broken = firstNotFinite(tensors);
  if (broken !== null) fail(`${broken}: expected finite numbers, got NaN or infinity`);
  return values;
}

/**
 * Puts stored values into the parameters.
 *
 * @throws DragomanError as {@link storedValues}; the parameters are then as they were.
 */
export function restoreWeights(store: WeightStore, tensors: StoredTensors, where: string): void {
  const values = storedValues(store.specs, tensors, where);
  store.specs.forEach(({ name }, i) => {
    store.write(name, values[i]!);
  });
}

/** The name of a tensor that holds a NaN or an infinity, if one does. */
export function firstNotFinite(tensors: StoredTensors): string | null {
  const found = Object.entries(tensors).find(([, { data }]) => !allFinite(data));
  return found ? found[0] : null;
}

/** A loop of one subtraction each: models hold millions of numbers, and every start looks at all of them. */
function allFinite(data: ArrayLike<number>): boolean {
  let sum = 0; // x - x is 0, but NaN for NaN and the infinities
  for (let i = 0; i < data.length; i++) sum += data[i]! - data[i]!;
  return sum === 0;
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
    bytes = await readWhole(path);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : String(error);
    throw new DragomanError('input', `${path}: cannot read: ${reason}`, { cause: error });
  }
  return decodeSafetensors(bytes, path, { share: true });
}

/** A file by one read: `readFile` asks for half a megabyte at a time, and weights are many. */
async function readWhole(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const bytes = new Uint8Array(size);
    let at = 0;
    while (at < size) {
      const { bytesRead } = await file.read(bytes, at, size - at);
      if (bytesRead === 0) break; // somebody cut the file off this moment
      at += bytesRead;
    }
    return bytes.subarray(0, at);
  } finally {
    await file.close();
  }
}

/** The first few names, so that a wholly different file makes no endless message. */
function list(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}
