import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { resolveConfig } from '../../src/config.js';
import { startEngine } from '../../src/engine/engine.js';
import { createModel, loadModelFolder, saveModelFolder } from '../../src/model/folder.js';
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from '../../src/model/safetensors.js';
import { buildCodecs } from '../../src/text/codec.js';
import { toyConfig, writeToyCorpus } from '../train/toy-corpus.js';

let base: string;
let folder: string;
let good: string;

beforeAll(async () => {
  await startEngine('cpu');
  base = mkdtempSync(join(tmpdir(), 'dragoman-folder-'));
  good = join(base, 'good');
  writeToyCorpus(join(base, 'corpus'), 20);
  const config = resolveConfig(toyConfig());
  const codecs = await buildCodecs(config, join(base, 'corpus'));
  const model = createModel(config, codecs);
  await saveModelFolder(good, { config, ...codecs, model }, join(base, 'corpus'), '# A card\n');
  model.dispose();
});
afterAll(() => rmSync(base, { recursive: true }));
beforeEach(() => {
  folder = join(base, 'copy');
  rmSync(folder, { recursive: true, force: true });
  cpSync(good, folder, { recursive: true });
});

const weights = (): Record<string, StoredTensor> => ({
  ...decodeSafetensors(readFileSync(join(folder, 'weights.safetensors'))).tensors,
});
const write = (tensors: Record<string, StoredTensor>): void =>
  writeFileSync(join(folder, 'weights.safetensors'), encodeSafetensors(tensors));

describe('a model folder', () => {
  it('gives back every weight, and the configuration with paths from its own place', async () => {
    const { model, config, source, target } = await loadModelFolder(folder);
    const stored = weights();
    expect(Object.keys(stored)).toEqual(model.parameters.specs.map(({ name }) => name));
    for (const [name, { data }] of Object.entries(stored)) expect(model.parameters.read(name)).toEqual(data);
    expect(config.data.train).toEqual({ source: '../corpus/train.src', target: '../corpus/train.tgt' });
    expect(source.decode(source.encode('red cat'))).toBe('red cat');
    expect(target.vocabulary.token(4)).toMatch(/^[A-Z]+$/);
    expect(readFileSync(join(folder, 'README.md'), 'utf8')).toBe('# A card\n');
    model.dispose();
  });

  it('saved again is the same', async () => {
    const loaded = await loadModelFolder(folder);
    const again = join(base, 'again');
    await saveModelFolder(again, loaded, folder);
    for (const name of ['config.yaml', 'weights.safetensors', 'vocab.src.txt', 'vocab.tgt.txt']) {
      expect(readFileSync(join(again, name))).toEqual(readFileSync(join(folder, name)));
    }
    loaded.model.dispose();
  });

  const name = 'output.bias';
  it.each<[string, () => void, string, string]>([
    ['is not there', () => rmSync(folder, { recursive: true }), 'config', 'config.yaml'],
    ['has no configuration', () => rmSync(join(folder, 'config.yaml')), 'config', 'config.yaml'],
    [
      'has no weights',
      () => rmSync(join(folder, 'weights.safetensors')),
      'input',
      'weights.safetensors: cannot read: no such file',
    ],
    ['has no vocabulary', () => rmSync(join(folder, 'vocab.tgt.txt')), 'input', 'vocab.tgt.txt'],
    [
      'has a broken vocabulary',
      () => writeFileSync(join(folder, 'vocab.src.txt'), 'a\nb\n'),
      'input',
      'vocab.src.txt:1: expected the special token <pad>, got "a"',
    ],
    [
      'has a vocabulary of another size',
      () =>
        writeFileSync(
          join(folder, 'vocab.tgt.txt'),
          `${readFileSync(join(folder, 'vocab.tgt.txt'), 'utf8')}more\n`,
        ),
      'input',
      'weights.safetensors: embedding.target: expected shape [17, 8], got [16, 8]',
    ],
    [
      'lacks a tensor',
      () => {
        const { [name]: _, ...rest } = weights();
        write(rest);
      },
      'input',
      `weights.safetensors: expected the tensor ${name} of this configuration, got none`,
    ],
    [
      'has a tensor too many',
      () => write({ ...weights(), more: { shape: [1], data: Float32Array.of(1) } }),
      'input',
      'weights.safetensors: the configuration has no tensor more',
    ],
    [
      'has a tensor of integers',
      () => write({ ...weights(), [name]: { shape: [16], data: new Int32Array(16) } }),
      'input',
      `weights.safetensors: ${name}: expected 32-bit floats, got integers`,
    ],
    [
      'has a weight that is not a number',
      () =>
        write({ ...weights(), [name]: { shape: [16], data: new Float32Array(16).fill(Number.NaN, 3, 4) } }),
      'input',
      `weights.safetensors: ${name}: expected finite numbers, got NaN or infinity`,
    ],
    [
      'has weights cut off',
      () => {
        const path = join(folder, 'weights.safetensors');
        writeFileSync(path, readFileSync(path).subarray(0, -1));
      },
      'input',
      'weights.safetensors: truncated: ',
    ],
    [
      'has something else for weights',
      () =>
        writeFileSync(join(folder, 'weights.safetensors'), 'version https://git-lfs.github.com/spec/v1\n'),
      'input',
      'weights.safetensors: not a safetensors file',
    ],
  ])('that %s is an error that names the file', async (_, damage, code, message) => {
    damage();
    const before = tf.memory().numTensors;
    await expect(loadModelFolder(folder)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
    await expect(loadModelFolder(folder)).rejects.toThrow(join(base, 'copy'));
    expect(tf.memory().numTensors).toBe(before);
  });
});
