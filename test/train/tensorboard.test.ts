import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { crc32c } from '../../src/train/crc32c.js';
import { TensorboardWriter } from '../../src/train/tensorboard.js';

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('crc32c', () => {
  // RFC 3720, appendix B.4, and the check value of the algorithm's catalogue entry.
  it.each<[string, Uint8Array, number]>([
    ['the digits 1 to 9', ascii('123456789'), 0xe3069283],
    ['32 zeros', new Uint8Array(32), 0x8a9136aa],
    ['32 ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ['0 to 31', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    ['31 to 0', Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
    ['nothing', new Uint8Array(0), 0],
  ])('of %s', (_, bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected);
  });

  it('can be made in pieces', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
        expect(crc32c(b, crc32c(a))).toBe(crc32c(Uint8Array.from([...a, ...b])));
      }),
    );
  });
});

// An independent reader: the TFRecord layout by hand, the messages by protobufjs from their public definition.
const Event = protobuf
  .parse(
    `syntax = "proto3";
    message Value { string tag = 1; float simple_value = 2; }
    message Summary { repeated Value value = 1; }
    message SessionLog { int32 status = 1; }
    message Event {
      double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5; SessionLog session_log = 7;
    }`,
    { keepCase: true },
  )
  .root.lookupType('Event');

function readEvents(path: string): Record<string, unknown>[] {
  const bytes = readFileSync(path);
  const unmask = (masked: number): number => {
    const rotated = (masked - 0xa282ead8) >>> 0;
    return ((rotated << 15) | (rotated >>> 17)) >>> 0;
  };
  const events: Record<string, unknown>[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    expect(unmask(bytes.readUInt32LE(at + 8))).toBe(crc32c(bytes.subarray(at, at + 8)));
    const data = bytes.subarray(at + 12, at + 12 + length);
    expect(unmask(bytes.readUInt32LE(at + 12 + length))).toBe(crc32c(data));
    events.push(Event.toObject(Event.decode(data), { longs: Number }));
    at += 16 + length;
  }
  return events;
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dragoman-tensorboard-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('TensorboardWriter', () => {
  it('writes events that the public definitions read', () => {
    const writer = new TensorboardWriter(join(folder, 'deep', 'er'), 301);
    writer.scalars(301, { 'train/loss': 1.5, 'train/größe': -0.25 });
    writer.scalars(2 ** 40, { x: Number.NaN });
    writer.close();
    const seconds = Date.now() / 1000;
    const events = readEvents(writer.path);
    for (const event of events) expect(Math.abs((event.wall_time as number) - seconds)).toBeLessThan(60);
    expect(events.map(({ wall_time: _, ...event }) => event)).toEqual([
      { file_version: 'brain.Event:2' },
      { step: 301, session_log: { status: 1 } },
      {
        step: 301,
        summary: {
          value: [
            { tag: 'train/loss', simple_value: 1.5 },
            { tag: 'train/größe', simple_value: -0.25 },
          ],
        },
      },
      { step: 2 ** 40, summary: { value: [{ tag: 'x', simple_value: Number.NaN }] } },
    ]);
  });

  it('opens a further file when training goes on', () => {
    for (const step of [1, 31]) new TensorboardWriter(folder, step).close();
    const names = readdirSync(folder);
    expect(names).toHaveLength(2);
    for (const name of names) expect(name).toMatch(/^events\.out\.tfevents\.\d{10}\./);
  });
});

const python = process.env.DRAGOMAN_PYTHON ?? 'python3';
const hasReference = ((): boolean => {
  try {
    execFileSync(python, ['-c', 'import tensorboard.backend.event_processing.event_accumulator'], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
})();

describe.skipIf(!hasReference)("TensorBoard's own reader (skipped where it is not installed)", () => {
  const program = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
a = EventAccumulator(sys.argv[1]); a.Reload()
print(json.dumps({t: [(e.step, e.value) for e in a.Scalars(t)] for t in a.Tags()['scalars']}))
`;
  it('sees the curves, and of a resumed run only the second attempt', () => {
    const first = new TensorboardWriter(folder, 1);
    for (const step of [100, 200, 300]) first.scalars(step, { loss: step / 1000 });
    first.close();
    const second = new TensorboardWriter(folder, 201);
    second.scalars(300, { loss: 7 });
    second.close();
    const curves: unknown = JSON.parse(
      execFileSync(python, ['-c', program, folder], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    );
    expect(curves).toEqual({
      loss: [
        [100, expect.closeTo(0.1, 6)],
        [200, expect.closeTo(0.2, 6)],
        [300, 7],
      ],
    });
  });
});
