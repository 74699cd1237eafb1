import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { COMMAND_NAMES, commandsOf, createProgram } from '../../src/cli/program.js';
import { Terminal } from '../../src/cli/terminal.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const TRACER = new URL('loaded-modules.mjs', import.meta.url).href;

/** Files of the modules that a command line loads. Runs what `npm test` has built. */
function modulesOf(...words: string[]): string[] {
  const { stderr } = spawnSync(process.execPath, ['--import', TRACER, MAIN, ...words], { encoding: 'utf8' });
  const found = stderr.split('\n').filter((line) => line.startsWith('module '));
  return [...new Set(found.map((line) => line.slice('module '.length).replace(/^file:\/\//, '')))];
}

const packagesOf = (files: readonly string[]): string[] =>
  [...new Set(files.flatMap((file) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []))].sort();

// A start is as fast as what it loads is little; times would depend on the machine.
describe.skipIf(!existsSync(MAIN))('what is loaded', () => {
  it.each([[['--version']], [['--help']], [['help']]])('%j: the command line alone', (words) => {
    const files = modulesOf(...words);
    expect(packagesOf(files)).toEqual(['@commander-js/extra-typings', 'commander']);
    expect(files.filter((file) => file.includes('/dist/')).length).toBeLessThan(15);
  });

  it('translate --help: that command, and no engine', () => {
    const files = modulesOf('translate', '--help');
    expect(packagesOf(files)).toEqual(['@commander-js/extra-typings', 'commander']);
    expect(files.filter((file) => file.includes('/dist/')).length).toBeLessThan(30);
  });

  it('a usage error: no engine', () => {
    expect(packagesOf(modulesOf('translate'))).toEqual(['@commander-js/extra-typings', 'commander']);
  });
});

describe('commands', () => {
  const terminal = new Terminal(process.stdout, process.stderr);

  it('are listed by their entries as by their own files', async () => {
    const [listed, whole] = [await createProgram(terminal, []), await createProgram(terminal)];
    expect(listed.helpInformation()).toBe(whole.helpInformation());
    expect(listed.commands.map((command) => command.name())).toEqual([...COMMAND_NAMES, 'help']);
  });

  it('are found in the words', () => {
    expect(commandsOf(['train', 'translate'])).toEqual(['train']);
    expect(commandsOf(['--debug', '--engine', 'wasm', 'score', 'x'])).toEqual(['score']);
    expect(commandsOf(['--engine=wasm', 'score'])).toEqual(['score']);
    expect(commandsOf(['help', 'rerank', 'tune'])).toEqual(['rerank']);
    expect(commandsOf(['--help'])).toEqual([]);
    expect(commandsOf(['trian', 'train'])).toEqual([]);
    expect(commandsOf(['toString'])).toEqual([]);
  });
});
