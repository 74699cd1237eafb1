import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from '../../src/model/safetensors.js';

/** A file with this header text and so many bytes of data. */
function file(header: string, dataBytes: number): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const names = fc.string({ unit: 'grapheme' }).filter((name) => name !== '__metadata__');
const tensor = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }).chain((shape) => {
  const length = shape.reduce((a, b) => a * b, 1);
  const float = fc.float32Array({ minLength: length, maxLength: length });
  const int = fc.int32Array({ minLength: length, maxLength: length });
  return fc.oneof(float, int).map((data): StoredTensor => ({ shape, data }));
});

describe('safetensors', () => {
  it('gives back what was written, bit for bit', () => {
    fc.assert(
      fc.property(
        fc.dictionary(names, tensor),
        fc.dictionary(fc.string(), fc.string()),
        (tensors, metadata) => {
          const back = decodeSafetensors(encodeSafetensors(tensors, metadata));
          expect(Object.keys(back.tensors).toSorted()).toEqual(Object.keys(tensors).toSorted());
          for (const [name, { shape, data }] of Object.entries(tensors)) {
            const found = back.tensors[name]!;
            expect(found.shape).toEqual(shape);
            expect(found.data.constructor).toBe(data.constructor);
            expect(Buffer.from(found.data.buffer)).toEqual(
              Buffer.from(data.buffer, data.byteOffset, data.byteLength),
            );
          }
          expect(Object.entries(back.metadata).toSorted()).toEqual(Object.entries(metadata).toSorted());
        },
      ),
    );
  });

  it('reads a file written by hand from the specification', () => {
    // One F32 tensor [2] = (1, -2), header padded with a space as the specification allows.
    const bytes = file('{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} ', 8);
    bytes.set([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0], bytes.length - 8);
    expect(decodeSafetensors(bytes)).toEqual({
      tensors: { w: { shape: [2], data: Float32Array.of(1, -2) } },
      metadata: {},
    });
  });

  it('reads from a view in the middle of a larger buffer', () => {
    const bytes = encodeSafetensors({ w: { shape: [2], data: Float32Array.of(3, 4) } });
    const larger = new Uint8Array(bytes.length + 8);
    larger.set(bytes, 3);
    const back = decodeSafetensors(larger.subarray(3, 3 + bytes.length));
    expect([...back.tensors.w!.data]).toEqual([3, 4]);
  });

  it('copies out of a Buffer too', () => {
    const bytes = Buffer.from(encodeSafetensors({ w: { shape: [1], data: Float32Array.of(3) } }));
    const { data } = decodeSafetensors(bytes).tensors.w!;
    bytes.fill(0);
    expect([...data]).toEqual([3]);
  });

  it('shares the memory of the bytes on request, where they are aligned', () => {
    const bytes = encodeSafetensors({ w: { shape: [2], data: Float32Array.of(3, 4) } });
    const { data } = decodeSafetensors(bytes, 'file', { share: true }).tensors.w!;
    expect(data.buffer).toBe(bytes.buffer);
    expect([...data]).toEqual([3, 4]);
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    const copied = decodeSafetensors(shifted.subarray(1), 'file', { share: true }).tensors.w!;
    expect(copied.data.buffer).not.toBe(shifted.buffer);
    expect([...copied.data]).toEqual([3, 4]);
  });

  it('aligns the data to eight bytes', () => {
    const bytes = encodeSafetensors({ odd: { shape: [], data: Int32Array.of(7) } });
    expect(Number(new DataView(bytes.buffer).getBigUint64(0, true)) % 8).toBe(0);
  });

  it('refuses to write what cannot be read', () => {
    const data = Float32Array.of(1, 2, 3);
    expect(() => encodeSafetensors({ w: { shape: [2], data } })).toThrow(
      'w: expected 2 values for [2], got 3',
    );
    expect(() => encodeSafetensors({ __metadata__: { shape: [3], data } })).toThrow('__metadata__');
  });

  const whole = encodeSafetensors({ w: { shape: [3], data: Float32Array.of(1, 2, 3) } }, { a: 'b' });
  it.each<[string, Uint8Array, string]>([
    ['an empty file', new Uint8Array(0), 'expected a safetensors file, got 0 bytes'],
    ['text', new TextEncoder().encode('# A README of some other kind'), 'not a safetensors file'],
    ['a header cut off', whole.subarray(0, 30), 'truncated: expected a header of'],
    ['data cut off', whole.subarray(0, whole.length - 1), 'truncated: expected 12 bytes of data, got 11'],
    ['data too long', Uint8Array.from([...whole, 0]), 'expected 12 bytes of data, got 13'],
    ['no JSON', file('{"w":', 0), 'the header is not JSON'],
    ['invalid UTF-8', file('{"\uFFFF"', 0).map((b) => (b === 0xef ? 0xff : b)), 'the header is not JSON'],
    [
      'another type',
      file('{"w":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}}', 2),
      'expected dtype F32 or I32, got "F16"',
    ],
    [
      'a negative size',
      file('{"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}', 4),
      'expected a shape',
    ],
    [
      'a wrong length',
      file('{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}', 4),
      'expected 8 bytes for [2], got 4',
    ],
    [
      'a hole',
      file('{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', 8),
      'expected data_offsets from 0, got 4',
    ],
    [
      'three offsets',
      file('{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}', 4),
      'two data_offsets',
    ],
    ['a number as tensor', file('{"w":1}', 0), 'expected dtype, shape and data_offsets'],
    ['metadata of numbers', file('{"__metadata__":{"a":1}}', 0), 'expected a text for "a"'],
    ['metadata as list', file('{"__metadata__":[]}', 0), 'expected a table of texts'],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes, 'weights.safetensors')).toThrow(
      expect.objectContaining({ code: 'input', message: expect.stringContaining(message) }),
    );
    expect(() => decodeSafetensors(bytes, 'weights.safetensors')).toThrow(/^weights\.safetensors: /);
  });

  it('survives any damage with an error or a valid result, never a crash', () => {
    const bytes = encodeSafetensors({ w: { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) } }, { k: 'v' });
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.nat(bytes.length), (at, value, length) => {
        const damaged = bytes.slice(0, length);
        if (at < length) damaged[at] = value;
        try {
          decodeSafetensors(damaged);
        } catch (error) {
          expect(error).toMatchObject({ code: 'input' });
        }
      }),
      { numRuns: 500 },
    );
  });
});

// The reference implementation, where it is installed: DRAGOMAN_PYTHON names a Python that has it.
const python = process.env.DRAGOMAN_PYTHON ?? 'python3';
const hasReference = ((): boolean => {
  try {
    execFileSync(python, ['-c', 'import safetensors.numpy, numpy'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

describe.skipIf(!hasReference)('safetensors of Python (skipped where it is not installed)', () => {
  const program = `
import sys, numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
tensors = load_file(sys.argv[1])
with safe_open(sys.argv[1], 'np') as f: metadata = f.metadata()
assert metadata == {'step': '7', 'name': 'größe'}, metadata
assert tensors['a'].tolist() == [[1.5, -2.0, 0.25]], tensors['a']
assert tensors['b.c'].dtype == np.int32 and tensors['b.c'].tolist() == [5, -6]
assert tensors['empty'].shape == (0, 3)
assert tensors['scalar'].shape == () and tensors['scalar'] == 9
save_file({'x': np.arange(6, dtype=np.float32).reshape(2, 3), 'i': np.array([-1], dtype=np.int32)}, sys.argv[2], metadata={'who': 'numpy'})
`;

  it('reads our file, and we read its', () => {
    const folder = mkdtempSync(join(tmpdir(), 'dragoman-safetensors-'));
    try {
      const [ours, theirs] = [join(folder, 'ours'), join(folder, 'theirs')];
      const bytes = encodeSafetensors(
        {
          a: { shape: [1, 3], data: Float32Array.of(1.5, -2, 0.25) },
          'b.c': { shape: [2], data: Int32Array.of(5, -6) },
          empty: { shape: [0, 3], data: new Float32Array(0) },
          scalar: { shape: [], data: Float32Array.of(9) },
        },
        { step: '7', name: 'größe' },
      );
      writeFileSync(ours, bytes);
      execFileSync(python, ['-c', program, ours, theirs]);
      expect(existsSync(theirs)).toBe(true);
      expect(decodeSafetensors(readFileSync(theirs))).toEqual({
        tensors: {
          i: { shape: [1], data: Int32Array.of(-1) },
          x: { shape: [2, 3], data: Float32Array.of(0, 1, 2, 3, 4, 5) },
        },
        metadata: { who: 'numpy' },
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
