import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { crc32c } from './crc32c.js';

// An event file is a TFRecord file (length, its checksum, the bytes, their checksum) of `Event` messages
// (tensorflow/core/util/event.proto), of which only a handful of fields is needed, hence no protobuf library:
//
//   message Event      { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5;
//                        SessionLog session_log = 7; }
//   message Summary    { repeated Value value = 1; }
//   message Value      { string tag = 1; float simple_value = 2; }
//   message SessionLog { Status status = 1; }                                            START = 1

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;
const SESSION_START = 1;

/** Writes scalars where TensorBoard finds them. A resumed run opens a further file, as TensorBoard expects. */
export class TensorboardWriter {
  readonly path: string;
  readonly #file: number;

  /**
   * @param folder Where to put the file; made if it is not there.
   * @param fromStep The first step that will be written: what earlier files say of it and of later steps is void.
   */
  constructor(folder: string, fromStep: number) {
    mkdirSync(folder, { recursive: true });
    const seconds = Math.floor(Date.now() / 1000);
    this.path = join(folder, `events.out.tfevents.${seconds}.${hostname()}.${process.pid}.${fromStep}`);
    this.#file = openSync(this.path, 'a');
    this.#write(field(3, BYTES, text('brain.Event:2')));
    this.#write([...step(fromStep), ...field(7, BYTES, field(1, VARINT, varint(SESSION_START)))]);
  }

  /** One point on each of these curves. Values that are not finite are written too: TensorBoard marks them. */
  scalars(atStep: number, values: Readonly<Record<string, number>>): void {
    const summary = Object.entries(values).flatMap(([tag, value]) =>
      field(1, BYTES, [...field(1, BYTES, text(tag)), ...field(2, FIXED32, float(value))]),
    );
    this.#write([...step(atStep), ...field(5, BYTES, summary)]);
  }

  close(): void {
    closeSync(this.#file);
  }

  #write(event: readonly number[]): void {
    writeSync(
      this.#file,
      record(Uint8Array.from([...field(1, FIXED64, double(Date.now() / 1000)), ...event])),
    );
  }
}

/** One TFRecord: uint64 length, masked CRC-32C of it, the data, masked CRC-32C of them; little-endian. */
export function record(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(16 + data.length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, mask(crc32c(bytes.subarray(0, 8))), true);
  bytes.set(data, 12);
  view.setUint32(12 + data.length, mask(crc32c(data)), true);
  return bytes;
}

/** Checksums are stored rotated and shifted, so that a checksum over bytes that hold one is still of use. */
function mask(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

function field(number: number, wire: number, content: readonly number[]): number[] {
  const length = wire === BYTES ? varint(content.length) : [];
  return [(number << 3) | wire, ...length, ...content];
}

function step(value: number): number[] {
  return field(2, VARINT, varint(value));
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return [...bytes, rest];
}

function text(value: string): number[] {
  return [...new TextEncoder().encode(value)];
}

function float(value: number): number[] {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return [...bytes];
}

function double(value: number): number[] {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return [...bytes];
}
