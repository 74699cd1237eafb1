import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createProgram } from '../src/cli/program.js';
import { Terminal } from '../src/cli/terminal.js';
import { parseConfig } from '../src/config.js';
import { tinyTask } from './tiny-model.js';

// The documents' examples are compiled and run as a user would: against the built package, by its name, one after
// the other in a project where data/vscode-ui holds a tiny corpus.

const ROOT = fileURLToPath(new URL('..', import.meta.url));
// Inside the package, so that `dragoman` is found; ignored by git like all of dist.
const SCRATCH = join(ROOT, 'dist', 'examples');

const documents = ['README.md', ...readdirSync(join(ROOT, 'docs')).map((name) => join('docs', name))].filter(
  (name) => name.endsWith('.md'),
);
const blocks = (document: string, language: string): string[] =>
  [
    ...readFileSync(join(ROOT, document), 'utf8').matchAll(
      new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'),
    ),
  ].map(([, code = '']) => code);
const examples = documents.flatMap((document) =>
  blocks(document, 'ts').map((code, i) => ({ name: `${document}, example ${i + 1}`, code })),
);

describe.skipIf(!existsSync(join(ROOT, 'dist', 'index.js')))('examples in TypeScript', () => {
  let project: string;
  let task: string;
  const fileOf = (i: number): string => join(SCRATCH, `example-${i}.ts`);
  beforeAll(async () => {
    project = mkdtempSync(join(tmpdir(), 'dragoman-readme-'));
    task = (await tinyTask()).folder;
    const data = join(project, 'data', 'vscode-ui');
    cpSync(task, data, { recursive: true });
    cpSync(task, join(data, 'corpus', 'de'), { recursive: true });
    mkdirSync(SCRATCH, { recursive: true });
    for (const [i, { code }] of examples.entries()) writeFileSync(fileOf(i), code);
  });
  afterAll(() => {
    for (const folder of [project, task, SCRATCH]) rmSync(folder, { recursive: true, force: true });
  });

  it('have the right types', () => {
    const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile) as { config: object };
    const { options } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, ROOT);
    const program = ts.createProgram(
      examples.map((_, i) => fileOf(i)),
      options,
    );
    const problems = ts.getPreEmitDiagnostics(program).map((problem) => {
      const text = ts.flattenDiagnosticMessageText(problem.messageText, '\n');
      return `${problem.file ? relative(SCRATCH, problem.file.fileName) : ''}: ${text}`;
    });
    expect(problems).toEqual([]);
  });

  it.each(examples.map(({ name }, i) => [name, i] as const))('%s runs', (_, i) => {
    const { outputText } = ts.transpileModule(readFileSync(fileOf(i), 'utf8'), {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
    });
    const script = fileOf(i).replace(/\.ts$/, '.mjs');
    writeFileSync(script, outputText);
    const { status, stderr } = spawnSync(process.execPath, [script], { cwd: project, encoding: 'utf8' });
    expect(stderr).not.toMatch(/Error/);
    expect(status).toBe(0);
  });
});

describe('README.md', () => {
  it.each(['README.md', 'docs/configuration.md'])('%s: YAML examples are configurations', (document) => {
    const found = blocks(document, 'yaml');
    expect(found.length).toBeGreaterThan(0);
    for (const text of found) parseConfig(text, document);
  });

  it('lists every command', async () => {
    const text = readFileSync(join(ROOT, 'README.md'), 'utf8');
    const listed = [...text.matchAll(/^\| `dragoman (\w+)/gm)].map(([, name]) => name);
    const { commands } = await createProgram(new Terminal(process.stdout, process.stderr));
    expect([...listed, 'help']).toEqual(commands.map((command) => command.name()));
  });

  it.each(documents)('%s: links lead somewhere', (document) => {
    const text = readFileSync(join(ROOT, document), 'utf8');
    for (const [, target = ''] of text.matchAll(/\]\(([^)#\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      expect(existsSync(join(ROOT, document, '..', target)), `${document}: ${target}`).toBe(true);
    }
  });
});
