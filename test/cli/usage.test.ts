import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../src/cli/program.js';
import { Terminal } from '../../src/cli/terminal.js';
import { dragoman } from './terminal.js';

const { commands } = await createProgram(new Terminal(process.stdout, process.stderr));

describe('dragoman', () => {
  it('prints its version', async () => {
    const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
    expect(await dragoman('--version')).toEqual({ code: 0, out: `${version}\n`, err: '' });
  });

  it('prints help with examples', async () => {
    const { code, out, err } = await dragoman('--help');
    expect(code).toBe(0);
    expect(err).toBe('');
    expect(out).toMatch(/Usage: dragoman/);
    expect(out).toMatch(/Examples:/);
    for (const command of commands) expect(out).toContain(`  ${command.name()}`);
  });

  it.each(commands.map((command) => command.name()))(
    '%s --help names the global options too',
    async (name) => {
      const { code, out } = await dragoman(name, '--help');
      expect(code).toBe(0);
      expect(out).toContain(`Usage: dragoman ${name}`);
      expect(out).toContain('--engine');
      expect(out).toContain('Examples:');
    },
  );

  it('rerank tune --help is a help of its own', async () => {
    const { code, out } = await dragoman('rerank', 'tune', '--help');
    expect(code).toBe(0);
    expect(out).toContain('Usage: dragoman rerank tune [options] [model...]');
    expect(out).toContain('--restarts');
    expect(out.match(/--engine/g)).toHaveLength(1);
  });

  it('without a command shows help on standard error, and fails', async () => {
    const { code, out, err } = await dragoman();
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).toMatch(/^Usage: dragoman/);
  });

  const wrong: [words: string, message: string][] = [
    ['evalute', "unknown command 'evalute' (Did you mean evaluate?)"],
    [
      'help scroe',
      `help: expected one of ${commands.map((command) => command.name()).join(', ')}, got "scroe" (did you mean "score"?)`,
    ],
    ['help train epochs', 'help: train has no commands, got "epochs"'],
    ['evaluate -r x --bem 3', "unknown option '--bem' (Did you mean --beam?)"],
    ['evaluate', "required option '-r, --reference <file...>' not specified"],
    [
      'evaluate m -r x --beam abc',
      "option '-b, --beam <n>' argument 'abc' is invalid. Expected a positive whole number.",
    ],
    [
      'evaluate m -r x --beam 0',
      "option '-b, --beam <n>' argument '0' is invalid. Expected a positive whole number.",
    ],
    [
      'evaluate m -r x --beam 1e999',
      "option '-b, --beam <n>' argument '1e999' is invalid. Expected a positive whole number.",
    ],
    [
      'evaluate m -r x --top-p 0',
      "option '--top-p <p>' argument '0' is invalid. Expected a number above 0 and at most 1.",
    ],
    ['evaluate m -r x --beam', "option '-b, --beam <n>' argument missing"],
    [
      '--engine gpu evaluate',
      "option '--engine <name>' argument 'gpu' is invalid. Allowed choices are tensorflow, wasm, cpu.",
    ],
    [
      'evaluate -r x -m blue',
      "option '-m, --metrics <name...>' argument 'blue' is invalid. Allowed choices are bleu, chrf, chrf++, ter, accuracy, error-rate, g2p.",
    ],
    ['rerank', 'expected a model folder, --weights or --mbr, got none of them'],
    ['rerank m', 'expected --source FILE beside a model, which scores pairs, got none'],
    // A folder called tune is ./tune: this is a model, not the command.
    ['rerank ./tune', 'expected --source FILE beside a model, which scores pairs, got none'],
    ['rerank m tune', 'expected --source FILE beside a model, which scores pairs, got none'],
    ['rerank m -s x --mbr-scale 2', '--mbr-scale needs --mbr'],
    [
      'rerank --mbr chrf --mbr-scale 2',
      '--mbr-scale needs a model or --weights: without them every candidate counts the same',
    ],
    ['rerank --weights a=1 --scores both', '--scores needs a model'],
    ['rerank m -s x --metrics chrf', '--metrics needs --reference'],
    ['rerank m -s x -r y --metrics chrf --tokenizer zh', '--tokenize changes none of these metrics'],
    ['rerank m -s - -r y', 'standard input (-) can be read only once: name a file for --source or --nbest'],
    [
      'rerank --weights nowhere.yaml',
      'nowhere.yaml: expected weights as name=value,name=value or a weights file, got no such file',
    ],
    [
      'rerank --mbr terr',
      "option '--mbr <metric>' argument 'terr' is invalid. Allowed choices are bleu, chrf, chrf++, ter, accuracy, error-rate, g2p.",
    ],
    ['rerank tune m', "required option '-r, --reference <file>' not specified"],
    ['rerank tune m -r y', 'expected --source FILE beside a model, which scores pairs, got none'],
    ['rerank tune -r y --mbr bleu', "unknown option '--mbr'"],
    ['rerank --lowercase tune -r y', 'expected the options of tune behind its name, got --lowercase before'],
    [
      'rerank tune -r y --engine gpu',
      "option '--engine <name>' argument 'gpu' is invalid. Allowed choices are tensorflow, wasm, cpu.",
    ],
  ];
  it.each(wrong)('%s: one line, exit 2', async (words, message) => {
    expect(await dragoman(...words.split(' '))).toEqual({ code: 2, out: '', err: `dragoman: ${message}\n` });
  });

  it('shows the stack with --debug only', async () => {
    const without = await dragoman('evaluate', '--reference', 'x', '--hypothesis', '/nowhere/at/all');
    expect(without.err.split('\n')).toHaveLength(2);
    const debugged = await dragoman(
      'evaluate',
      '--reference',
      'x',
      '--hypothesis',
      '/nowhere/at/all',
      '--debug',
    );
    expect(debugged.err).toContain('\n    at ');
  });
});
