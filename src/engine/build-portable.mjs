#!/usr/bin/env node
// Compiles the kernels of src/kernel/compiled to WebAssembly, unless what is in dist was made of them as they are; part of
// `npm run build`. The compiler is LLVM's, itself in WebAssembly, so that every machine makes the same module.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(root, 'src', 'kernel', 'compiled');
const target = join(root, 'dist', 'kernel', 'portable.wasm');
const record = `${target}.made-of`;

const FLAGS = ['-std=c++17', '-O3', '-msimd128', '-fno-exceptions', '-mexec-model=reactor'];
const LINKER = ['-zstack-size=1048576', '--max-memory=4294967296', '--export=_initialize'];

const files = Object.fromEntries(
  readdirSync(folder)
    .filter((name) => /\.(h|cc)$/.test(name))
    .sort()
    .map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
);
const hash = createHash('sha256').update(readFileSync(fileURLToPath(import.meta.url)));
for (const [name, text] of Object.entries(files)) hash.update(`${name}\n${text}`);
const madeOf = hash.digest('hex');

if (!existsSync(target) || !existsSync(record) || readFileSync(record, 'utf8') !== madeOf) {
  const { runClang, runLLVM } = /** @type {any} */ (await import('@yowasp/clang')); // its types are of an older version
  await runLLVM(null, {}, { fetchProgress: () => {} }); // which would else tell how it reads its own files
  const out = await runClang(
    [
      'clang++',
      ...FLAGS,
      'portable.cc',
      'portable-team.cc',
      '-o',
      'portable.wasm',
      ...LINKER.map((flag) => `-Wl,${flag}`),
    ],
    files,
  );
  mkdirSync(dirname(target), { recursive: true });
  const temporary = `${target}.${process.pid}`;
  writeFileSync(temporary, out['portable.wasm']);
  renameSync(temporary, target);
  writeFileSync(record, madeOf);
}
