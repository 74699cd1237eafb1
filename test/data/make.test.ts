import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeTar } from './tar.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dragoman-'));
  mkdirSync(join(folder, 'cache', 'npm'), { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Puts a package into the cache, so that the recipe finds it there. */
function cache(file: string, files: Readonly<Record<string, string>>): void {
  const entries = Object.entries(files).map(([name, content]) => ({ name: `package/${name}`, content }));
  writeFileSync(join(folder, 'cache', 'npm', file), gzipSync(makeTar(entries)));
}

function make(recipe: string, ...options: string[]) {
  const script = fileURLToPath(new URL(`../../data/${recipe}/make.mjs`, import.meta.url));
  return spawnSync(process.execPath, [script, ...options], {
    encoding: 'utf8',
    env: { ...process.env, DRAGOMAN_CACHE: join(folder, 'cache') },
  });
}

const corpus = (name: string) => readFileSync(join(folder, 'out', name), 'utf8');

it('vscode-ui writes aligned parts and their counts', () => {
  const main = (entries: string[]) =>
    `var content = ${JSON.stringify(entries)};\n\nexport { content as default };\n`;
  const words = Array.from(
    { length: 200 },
    (_, i) => `${String.fromCharCode(97 + (i % 26))}${'xz'.repeat((i / 26) | 0)}`,
  );
  cache('codingame-monaco-vscode-language-pack-qps-ploc-25.1.2.tgz', {
    'translations/main.i18n.json.js': main(words.map((word) => `&&Øpëñ ${word.replace('a', 'æ')}`)),
  });
  cache('codingame-monaco-vscode-language-pack-fr-25.1.2.tgz', {
    'translations/main.i18n.json.js': main(words.map((word) => `&&Ouvrir ${word}`)),
  });
  const run = make('vscode-ui', '--language', 'fr', '--out', join(folder, 'out'));
  expect(run.stderr).toMatch(/^cached .*qps-ploc@25\.1\.2\ncached .*-fr@25\.1\.2\n$/);
  expect(run.status).toBe(0);
  expect(run.stdout).toMatch(/^200 translated strings, 200 lines after cleaning, 200 different sources\n/);
  expect(readdirSync(join(folder, 'out'))).toHaveLength(6);
  const total = ['train', 'dev', 'test'].flatMap((part) => {
    const english = corpus(`${part}.en`).split('\n').slice(0, -1);
    const french = english.map((line) => `${line.replace('Open', 'Ouvrir')}\n`).join('');
    expect(corpus(`${part}.fr`)).toBe(french);
    expect(run.stdout).toContain(`${part.padEnd(5)} ${english.length} lines`);
    return english;
  });
  expect(total.map((line) => line.replace('Open ', '')).sort()).toEqual([...words].sort());
});

it('g2p writes words, phones and further pronunciations', () => {
  cache('cmu-pronouncing-dictionary-3.0.0.tgz', {
    'index.js': 'export const dictionary = {\n  "ab": "AE1 B",\n  "ab(2)": "EY1 B # rare",\n  "4x": "F"\n}\n',
  });
  const run = make('g2p', '--stress', '--out', join(folder, 'out'));
  expect(run.status).toBe(0);
  expect(run.stdout).toContain('3 entries, 1 words with 2 different pronunciations of 3 phones');
  expect(corpus('train.words')).toBe('ab\nab\n');
  expect(corpus('train.phones')).toBe('AE1 B\nEY1 B\n');
});

it.each([
  ['vscode-ui', ['--language', 'xx'], 2, /^error: --language: expected one of cs, de, .*, got "xx"\n$/],
  ['g2p', ['--strees'], 2, /^error: Unknown option '--strees' \(--help lists the options\)\n$/],
])('%s %j fails with one line', (recipe, options, status, message) => {
  const run = make(recipe, ...options);
  expect([run.status, run.stdout]).toEqual([status, '']);
  expect(run.stderr).toMatch(message);
});

it('says what is wrong with a broken file in the cache, and helps', () => {
  writeFileSync(join(folder, 'cache', 'npm', 'cmu-pronouncing-dictionary-3.0.0.tgz'), 'junk');
  const run = make('g2p', '--out', join(folder, 'out'));
  expect(run.status).toBe(1);
  expect(run.stderr).toMatch(
    /cmu-pronouncing-dictionary-3\.0\.0\.tgz: expected a package \(delete the file and try again\)/,
  );
  expect(make('g2p', '--help').stdout).toContain('--stress');
});
