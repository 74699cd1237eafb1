import { DragomanError, excerpt } from '../errors.js';

/** One named array as it lies in a file. */
export interface StoredTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

/** What a safetensors file holds. */
export interface SafetensorsContent {
  readonly tensors: Readonly<Record<string, StoredTensor>>;
  /** The free text-to-text table of the file, `__metadata__` in its header. */
  readonly metadata: Readonly<Record<string, string>>;
}

// The format (https://github.com/huggingface/safetensors): eight bytes hold the length of the header as an
// unsigned little-endian integer, then comes the header in JSON, then the data, row-major and little-endian,
// where each tensor occupies the bytes that `data_offsets` names, without holes or overlaps.

const METADATA = '__metadata__';
const LENGTH_BYTES = 8;
/** Limit of the reference implementation, so that a garbage length asks for no garbage allocation. */
const LONGEST_HEADER = 100_000_000;
/** The header is padded with spaces to a multiple of this, so that readers may map the data in place. */
const ALIGNMENT = 8;
const ELEMENT_BYTES = 4;

type StoredType = 'F32' | 'I32';

/**
 * The bytes of a safetensors file with these tensors, in the order of the record.
 *
 * @throws DragomanError `input` when a tensor's data does not fill its shape.
 */
export function encodeSafetensors(
  tensors: Readonly<Record<string, StoredTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const header: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) header.push([METADATA, metadata]);
  let dataBytes = 0;
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    if (name === METADATA) throw new DragomanError('input', `no tensor may be called ${METADATA}`);
    if (elements(shape) !== data.length) {
      throw new DragomanError(
        'input',
        `${name}: expected ${elements(shape)} values for [${shape}], got ${data.length}`,
      );
    }
    const dtype: StoredType = data instanceof Float32Array ? 'F32' : 'I32';
    header.push([name, { dtype, shape, data_offsets: [dataBytes, dataBytes + data.byteLength] }]);
    dataBytes += data.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const headerBytes = Math.ceil(text.length / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(LENGTH_BYTES + headerBytes + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.set(text, LENGTH_BYTES);
  bytes.fill(0x20, LENGTH_BYTES + text.length, LENGTH_BYTES + headerBytes);
  let at = LENGTH_BYTES + headerBytes;
  for (const { data } of Object.values(tensors)) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/**
 * Reads a safetensors file of 32-bit floats and integers. The arrays are copies; `bytes` may be dropped.
 *
 * @param where The file's name, for messages.
 * @param share Views of `bytes` instead of copies, where a tensor lies at a multiple of four bytes.
 * @throws DragomanError `input` when the bytes are not a whole, well-formed file.
 */
export function decodeSafetensors(
  bytes: Uint8Array,
  where = 'safetensors',
  { share = false } = {},
): SafetensorsContent {
  const fail = (message: string): never => {
    throw new DragomanError('input', `${where}: ${message}`);
  };
  if (bytes.length < LENGTH_BYTES) fail(`expected a safetensors file, got ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const declared = view.getBigUint64(0, true);
  if (declared > BigInt(LONGEST_HEADER) || bytes[LENGTH_BYTES] !== 0x7b) fail('not a safetensors file');
  const dataStart = LENGTH_BYTES + Number(declared);
  if (dataStart > bytes.length) {
    fail(`truncated: expected a header of ${declared} bytes, got ${bytes.length - LENGTH_BYTES}`);
  }
  const header = parseHeader(bytes.subarray(LENGTH_BYTES, dataStart), fail);
  const dataBytes = bytes.length - dataStart;

  let metadata: Record<string, string> = {};
  const entries: { name: string; dtype: StoredType; shape: number[]; begin: number; end: number }[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === METADATA) metadata = parseMetadata(value, fail);
    else entries.push({ name, ...parseEntry(name, value, fail) });
  }
  // Zero-sized tensors share their begin with a neighbour, so the end decides second.
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { name, shape, begin, end } of entries) {
    if (begin !== covered) fail(`${name}: expected data_offsets from ${covered}, got ${begin}`);
    if (end - begin !== elements(shape) * ELEMENT_BYTES) {
      fail(`${name}: expected ${elements(shape) * ELEMENT_BYTES} bytes for [${shape}], got ${end - begin}`);
    }
    covered = end;
  }
  if (covered > dataBytes) fail(`truncated: expected ${covered} bytes of data, got ${dataBytes}`);
  if (covered < dataBytes) fail(`expected ${covered} bytes of data, got ${dataBytes}`);

  const tensors = entries.map(({ name, dtype, shape, begin, end }): [string, StoredTensor] => {
    const View = dtype === 'F32' ? Float32Array : Int32Array;
    const part = bytes.subarray(dataStart + begin, dataStart + end);
    if (share && part.byteOffset % ELEMENT_BYTES === 0)
      return [name, { shape, data: new View(part.buffer as ArrayBuffer, part.byteOffset, elements(shape)) }];
    // Not by `slice`, which gives a view when `bytes` is a Buffer.
    return [name, { shape, data: new View(new Uint8Array(part).buffer) }];
  });
  return { tensors: Object.fromEntries(tensors), metadata };
}

type Fail = (message: string) => never;

function parseHeader(bytes: Uint8Array, fail: Fail): object {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return fail('not a safetensors file: the header is not JSON');
  }
  return isTable(header) ? header : fail('not a safetensors file: the header is no table');
}

function parseMetadata(value: unknown, fail: Fail): Record<string, string> {
  if (!isTable(value)) return fail(`${METADATA}: expected a table of texts`);
  const pairs = Object.entries(value).map(([key, text]): [string, string] =>
    typeof text === 'string' ? [key, text] : fail(`${METADATA}: expected a text for ${excerpt(key)}`),
  );
  return Object.fromEntries(pairs);
}

function parseEntry(
  name: string,
  value: unknown,
  fail: Fail,
): { dtype: StoredType; shape: number[]; begin: number; end: number } {
  const label = excerpt(name);
  if (!isTable(value)) return fail(`${label}: expected dtype, shape and data_offsets`);
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>;
  if (dtype !== 'F32' && dtype !== 'I32')
    return fail(`${label}: expected dtype F32 or I32, got ${excerpt(`${dtype}`)}`);
  if (!isSizes(shape)) return fail(`${label}: expected a shape`);
  if (!isSizes(offsets) || offsets.length !== 2) return fail(`${label}: expected two data_offsets`);
  const [begin, end] = offsets as [number, number];
  return { dtype, shape, begin, end };
}

function isTable(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
