import { copyFileSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Compiles the sources and further files of the repository into a folder, without checking types, so that child
 * processes run them as they are now and start fast.
 *
 * @param more Paths relative to the repository; `a/b.ts` becomes `folder/a/b.js`.
 */
export function compileSources(folder: string, more: readonly string[]): void {
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(mjs|ts)$/.test(name) && !name.endsWith('.d.ts'))
    .map((name) => join('src', name));
  for (const name of [...sources, ...more]) {
    const to = join(folder, name);
    mkdirSync(dirname(to), { recursive: true });
    if (name.endsWith('.mjs')) {
      copyFileSync(join(ROOT, name), to);
      continue;
    }
    const { outputText } = ts.transpileModule(readFileSync(join(ROOT, name), 'utf8'), {
      compilerOptions: {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.ESNext,
        verbatimModuleSyntax: true,
      },
    });
    writeFileSync(to.replace(/\.ts$/, '.js'), outputText);
  }
  copyFileSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'junction');
}
