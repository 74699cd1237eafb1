import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { drawnLines, madeUpLines } from '../../src/bench/subword.js';
import { dragoman } from '../cli/terminal.js';

const folder = mkdtempSync(join(tmpdir(), 'dragoman-bench-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('lines to train on', () => {
  it('are made up, the same for the same seed', () => {
    const lines = [...madeUpLines(20, 7)];
    expect(lines.length).toBe(20);
    expect([...madeUpLines(20, 7)]).toEqual(lines);
    expect([...madeUpLines(20, 8)]).not.toEqual(lines);
  });

  it('or drawn from the words of a text, some glued', () => {
    const words = ['ein', 'Hund', 'rennt', 'im', 'Schnee'];
    const lines = [...drawnLines(['ein Hund  rennt', '', 'im Schnee'], 400, 1)];
    expect(lines.length).toBe(400);
    const drawn = lines.flatMap((line) => line.split(' '));
    const glued = drawn.filter((word) => !words.includes(word));
    expect(glued.length / drawn.length).toBeGreaterThan(0.015);
    expect(glued.length / drawn.length).toBeLessThan(0.045);
    for (const word of glued) expect(word).toMatch(new RegExp(`^(${words.join('|')}){2,}$`));
    for (const line of lines) {
      const length = line.match(new RegExp(words.join('|'), 'g'))?.length;
      expect(length).toBeGreaterThanOrEqual(5);
      expect(length).toBeLessThanOrEqual(18);
    }
  });
});

describe('dragoman bench subword', () => {
  it('refuses a Python without the package', async () => {
    const { code, err } = await dragoman('bench', 'subword', '--python', join(folder, 'none'));
    expect(code).toBe(2);
    expect(err).toContain('--python: expected a Python with sentencepiece, got');
  });

  it('says where the text is missing', async () => {
    const file = join(folder, 'no.txt');
    const { code, err } = await dragoman(
      'bench',
      'subword',
      '--corpus',
      file,
      '--lines',
      '5',
      '--python',
      'none',
    );
    expect(code).toBe(2);
    expect(err).toContain('no.txt');
  });

  it('says what is wrong with the text as the training does', async () => {
    const { code, err } = await dragoman(
      'bench',
      'subword',
      '--corpus',
      join(folder, 'no.txt'),
      '--python',
      'none',
    );
    expect(code).toBe(2);
    expect(err).toMatch(/no\.txt: expected a readable file, got no such file\n$/);
  });

  it('refuses other kinds of models', async () => {
    const { code, err } = await dragoman('bench', 'subword', '--types', 'bpm', '--python', 'none');
    expect(code).toBe(2);
    expect(err).toContain('Allowed choices are bpe, unigram');
  });
});
