#!/usr/bin/env node
// Runs at installation, before anything is compiled, hence plain JavaScript; never fails it.
//
//   node src/engine/setup.mjs prepare       in a clone: compile with tsc, then the engine
//   node src/engine/setup.mjs postinstall   in an installed package: the engine
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const engine = join(root, 'dist', 'engine', 'choose.js');
const command = join(root, 'dist', 'cli', 'main.js');
const isClone = existsSync(join(root, 'tsconfig.build.json'));

/** Compiles the clone; without its development dependencies (`npm ci --omit=dev`) there is no compiler. */
function build() {
  let compiler;
  try {
    compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  } catch {
    console.error(
      'dragoman: not compiled, as TypeScript is not installed (npm ci without --omit=dev installs it)',
    );
    return;
  }
  const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) console.error('dragoman: the compiler reports errors, see above');
  const portable = join(root, 'src', 'engine', 'build-portable.mjs');
  if (spawnSync(process.execPath, [portable], { cwd: root, stdio: 'inherit' }).status !== 0)
    console.error('dragoman: the kernels for WebAssembly were not compiled, see above');
}

/** `npx dragoman` works in the clone itself, too: npm links only the commands of dependencies. */
function linkCommand() {
  if (process.platform === 'win32' || !existsSync(command)) return;
  const folder = join(root, 'node_modules', '.bin');
  const link = join(folder, 'dragoman');
  chmodSync(command, 0o755);
  mkdirSync(folder, { recursive: true });
  rmSync(link, { force: true });
  symlinkSync(join('..', '..', 'dist', 'cli', 'main.js'), link);
}

try {
  const step = process.argv[2];
  if (step === 'prepare') {
    build();
    linkCommand();
  }
  // In a clone, npm runs postinstall and then prepare; once is enough. Packing needs no engine.
  const wanted = step === 'prepare' ? !['pack', 'publish'].includes(process.env.npm_command ?? '') : !isClone;
  if (wanted && existsSync(engine)) {
    const { chooseAtInstallation } = await import(pathToFileURL(engine).href);
    await chooseAtInstallation();
  }
} catch (error) {
  console.error(
    `dragoman: the engine was not set up (${error instanceof Error ? error.message : error}); "npx dragoman doctor" tells more`,
  );
}
process.exit(0);
