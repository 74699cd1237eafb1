import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RecipeError, writeLines } from '../../data/recipe/command.mjs';
import { cacheFolder, readTar } from '../../data/recipe/npm-package.mjs';
import { hashUnit, partOf } from '../../data/recipe/split.mjs';
import { cacheFolder as engineCacheFolder } from '../../src/engine/cache.js';
import { makeTar } from './tar.js';

describe('readTar', () => {
  it('gives every regular file without its first folder', () => {
    const long = `package/${'deep/'.repeat(30)}long.txt`;
    const pax = ` path=${long}\n`;
    const archive = makeTar([
      { name: 'package/a.txt', content: 'first' },
      { name: 'package/folder', content: '', type: '5' },
      { name: 'b.txt', content: 'x'.repeat(512), prefix: 'package/folder' },
      { name: 'pax', content: `${pax.length + 3}${pax}`, type: 'x' },
      { name: 'package/cut', content: 'ü' },
      { name: 'package/empty', content: '' },
    ]);
    const files = [...readTar(archive)].map(([name, content]) => [name, content.toString()]);
    expect(files).toEqual([
      ['a.txt', 'first'],
      ['folder/b.txt', 'x'.repeat(512)],
      [long.replace('package/', ''), 'ü'],
      ['empty', ''],
    ]);
  });

  it('refuses what is no archive, and half of one', () => {
    expect(() => readTar(Buffer.alloc(600, 7))).toThrow('expected a tar header at byte 0');
    const whole = makeTar([{ name: 'package/a', content: 'x'.repeat(900) }]);
    expect(() => readTar(whole.subarray(0, 1000))).toThrow('expected 900 bytes at byte 512, got the end');
  });
});

describe('cacheFolder', () => {
  it.each([
    ['linux', {}],
    ['linux', { XDG_CACHE_HOME: '/cache' }],
    ['linux', { DRAGOMAN_CACHE: '/own', XDG_CACHE_HOME: '/cache' }],
    ['darwin', {}],
    ['win32', { LOCALAPPDATA: '/local' }],
  ])("is the engine's on %s with %j", (platform, environment) => {
    expect(cacheFolder(environment, platform)).toBe(engineCacheFolder(environment, platform));
  });
});

describe('partOf', () => {
  it('depends on the key alone and keeps the shares', () => {
    const shares = { test: 0.1, dev: 0.05 };
    const parts = Array.from({ length: 4000 }, (_, i) => partOf(`key ${i}`, shares));
    const share = (part: string) => parts.filter((other) => other === part).length / parts.length;
    // Four standard deviations of a binomial share.
    expect(Math.abs(share('test') - 0.1)).toBeLessThan(0.02);
    expect(Math.abs(share('dev') - 0.05)).toBeLessThan(0.015);
    expect(parts).toEqual(Array.from({ length: 4000 }, (_, i) => partOf(`key ${i}`, shares)));
  });

  it('uses the first four bytes of SHA-256', () => {
    // sha256sum of "abc" is ba7816bf… (FIPS 180-4, appendix B.1 of its first edition).
    expect(hashUnit('abc')).toBe(0xba7816bf / 2 ** 32);
    fc.assert(fc.property(fc.string(), (text) => hashUnit(text) >= 0 && hashUnit(text) < 1));
  });
});

describe('writeLines', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dragoman-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('writes a line for each entry and leaves nothing else', () => {
    const out = join(folder, 'new', 'corpus');
    writeLines(out, { 'a.txt': ['old'] });
    writeLines(out, { 'a.txt': ['one', '', 'zwölf'], 'b.txt': [] });
    expect(readdirSync(out).sort()).toEqual(['a.txt', 'b.txt']);
    expect(readFileSync(join(out, 'a.txt'), 'utf8')).toBe('one\n\nzwölf\n');
    expect(readFileSync(join(out, 'b.txt'), 'utf8')).toBe('');
  });

  it('says where it cannot write', () => {
    writeLines(folder, { file: [] });
    expect(() => writeLines(join(folder, 'file'), { 'a.txt': [] })).toThrow(RecipeError);
  });
});
