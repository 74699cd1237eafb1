import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dragoman } from './terminal.js';

let folder: string;
const file = async (name: string, ...lines: string[]): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, lines.map((line) => `${line}\n`).join(''));
  return path;
};
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dragoman-evaluate-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('dragoman evaluate --hypothesis', () => {
  it('measures a file against references, with signatures', async () => {
    const hypothesis = await file('h', 'the cat sat on the mat', 'a dog');
    const one = await file('r1', 'the cat sat on the mat', 'the dog');
    const two = await file('r2', 'a cat sat there', 'a dog');
    const { code, out, err } = await dragoman('evaluate', '--hypothesis', hypothesis, '-r', one, '-r', two);
    expect(err).toBe('');
    expect(code).toBe(0);
    const lines = out.trimEnd().split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatch(
      /^BLEU\|nrefs:2\|case:mixed\|eff:no\|tok:13a\|smooth:exp\|version:\S+ = 100\.00 /,
    );
    expect(lines[1]).toMatch(/^chrF2\|nrefs:2\|.* = 100\.00/);
    expect(lines[2]).toMatch(/100\.00 % of sequences \(2 of 2\), 100\.00 % of tokens \(8 of 8\)/);
    expect(lines[3]).toMatch(/^WER\|.* = 0\.00 % \(0 edits, 8 tokens\)/);
  });

  it('takes metrics by name, and prints JSON', async () => {
    const hypothesis = await file('h', 'A b c d');
    const reference = await file('r', 'a b c x');
    const { out } = await dragoman(
      ...['evaluate', '--hypothesis', hypothesis, '-r', reference, '--format', 'json', '--lowercase'],
      ...['-m', 'accuracy', 'chrf++', '-m', 'error-rate', '--unit', 'character'],
    );
    const scores = JSON.parse(out) as { metric: string; score?: number; token?: number }[];
    expect(scores.map((score) => score.metric)).toEqual(['accuracy', 'chrF2++', 'CER']);
    expect(scores[0]?.token).toBe(75);
    expect(scores[2]?.score).toBe(25);
  });

  it('measures pronunciations with ragged references', async () => {
    const hypothesis = await file('h', 'A B', 'C');
    const one = await file('r1', 'A X', 'C');
    const two = await file('r2', 'A B', '');
    const { out } = await dragoman('evaluate', '--hypothesis', hypothesis, '-r', one, '-r', two, '-m', 'g2p');
    expect(out).toMatch(
      /^G2P\|.* = 0\.00 % of words wrong \(0 of 2\), 0\.00 % of phones \(0 edits, 3 phones\)\n$/,
    );
  });

  it('refuses what does not fit, in one line', async () => {
    const two = await file('two', 'a', 'b');
    const one = await file('one', 'a');
    const tell = async (...words: string[]) => {
      const { code, out, err } = await dragoman('evaluate', ...words);
      expect(code).toBe(2);
      expect(out).toBe('');
      return err;
    };
    expect(await tell('--hypothesis', two, '-r', one)).toBe(
      `dragoman: ${one}: expected 2 lines as in ${two}, got 1\n`,
    );
    expect(await tell('--hypothesis', two, '-r', join(folder, 'none'))).toMatch(
      /^dragoman: .*none: .*no such file\n$/,
    );
    expect(await tell('-r', one)).toBe('dragoman: expected a model folder, or --hypothesis FILE\n');
    expect(await tell('m', '-r', one)).toBe('dragoman: expected --source FILE beside the model\n');
    expect(await tell('m', '--hypothesis', two, '-r', one)).toBe(
      'dragoman: expected a model or --hypothesis, got both\n',
    );
    expect(await tell('--hypothesis', two, '-r', two, '--beam', '3')).toBe(
      'dragoman: --beam has no meaning with --hypothesis\n',
    );
    expect(await tell('--hypothesis', two, '-r', two, '-m', 'g2p', '--lowercase')).toBe(
      'dragoman: --lowercase changes none of these metrics\n',
    );
    const empty = await file('empty');
    expect(await tell('--hypothesis', empty, '-r', empty)).toMatch(/^dragoman: .*expected at least one/);
  });
});
