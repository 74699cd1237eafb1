import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeDurably } from '../../src/model/durable.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dragoman-durable-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('writeDurably', () => {
  it('replaces a file and leaves nothing beside it, not even what a killed run left', async () => {
    const path = join(folder, 'file');
    writeFileSync(path, 'old');
    writeFileSync(`${path}.tmp`, 'half of something longer than the new content');
    await writeDurably(path, Uint8Array.of(110, 101, 119));
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect(readdirSync(folder)).toEqual(['file']);
  });

  it('leaves the old file whole when it fails', async () => {
    const path = join(folder, 'file');
    writeFileSync(path, 'old');
    mkdirSync(`${path}.tmp`); // the temporary file cannot be opened
    await expect(writeDurably(path, 'new')).rejects.toThrow();
    expect(readFileSync(path, 'utf8')).toBe('old');
    await expect(writeDurably(join(folder, 'none', 'file'), 'new')).rejects.toThrow('ENOENT');
  });
});
