import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { temporaryFolder } from './cache.js';
import { npmEnvironment } from './environment.js';
import { type Library, libraryFiles } from './library.js';
import { CORE_KEY, TFJS_NODE_VERSION } from './tensorflow.js';
import type { Workshop } from './workshop.js';

/** The package as published; npm compares it for a locked dependency, so compare it for this one. */
const TFJS_NODE_SHA512 =
  'uHrXeUlfgkMxTZqHkESSV7zSdKdV0LlsBeblqkuKU9nnfxB1pC6DtoyYVaLxznzZy7WQSegjcohxxCjAf6Dc7w==';

/** The addon interface that the code is compiled for; all Nodes since 12.22 have it, so one addon serves all. */
const NAPI_VERSION = 8;

const COMPILERS = ['g++', 'clang++', 'c++'];

/** A C++ compiler that runs: `CXX`, else the usual names. */
export async function findCompiler(shop: Workshop): Promise<string> {
  const names = shop.env.CXX ? [shop.env.CXX] : COMPILERS;
  for (const name of names) {
    try {
      await shop.run(name, ['--version'], { limit: 30 });
      return name;
    } catch {
      // try the next
    }
  }
  throw new Error(`needs a C++ compiler, and ${names.join(', ')} cannot be run (Debian: apt install g++)`);
}

/** `npm`, as the npm that runs us where there is one. */
export function npmCommand(env: Workshop['env']): readonly [string, ...string[]] {
  const script = env.npm_execpath;
  if (script && /^npm-cli\.c?js$/.test(basename(script))) return [process.execPath, script];
  return [process.platform === 'win32' ? 'npm.cmd' : 'npm'];
}

/** Fetches the tfjs-node package alone, without its dependencies and scripts, and unpacks it into the folder. */
async function fetchPackage(shop: Workshop, folder: string): Promise<void> {
  const [npm, ...first] = npmCommand(shop.env);
  const options = { cwd: folder, env: npmEnvironment(shop.env), limit: 180 };
  await shop.run(npm, [...first, 'pack', `@tensorflow/tfjs-node@${TFJS_NODE_VERSION}`, '--silent'], options);
  const archive = join(folder, `tensorflow-tfjs-node-${TFJS_NODE_VERSION}.tgz`);
  const digest = createHash('sha512').update(readFileSync(archive)).digest('base64');
  if (digest !== TFJS_NODE_SHA512) throw new Error('the tfjs-node package from npm is not the one expected');
  await shop.run('tar', ['-xzf', archive, '--strip-components=1'], options);
  rmSync(archive);
}

/**
 * Gives the modules of tfjs-node what they import. All that the backend uses of `@tensorflow/tfjs` is in
 * `@tensorflow/tfjs-core`, and it must be the very one of the running program.
 */
export function writeImports(folder: string): void {
  for (const name of ['tfjs', 'tfjs-core']) {
    const module = join(folder, 'node_modules', '@tensorflow', name);
    rmSync(module, { recursive: true, force: true });
    mkdirSync(module, { recursive: true });
    writeFileSync(join(module, 'index.js'), `module.exports = globalThis[Symbol.for('${CORE_KEY}')];\n`);
  }
  // Messages of TensorBoard summaries and saved models: not used, and they would need google-protobuf.
  writeFileSync(join(folder, 'dist', 'proto', 'api_pb.js'), 'module.exports = {};\n');
}

/** How an addon two folders below an engine's own finds TensorFlow's library when it is loaded. */
export function linkFlags(platform: string): readonly string[] {
  return platform === 'darwin'
    ? ['-undefined', 'dynamic_lookup', '-Wl,-rpath,@loader_path/../../deps/lib']
    : ['-Wl,-rpath,$ORIGIN/../../deps/lib'];
}

/**
 * Compiles tfjs-node's addon against a library, without node-gyp: two source files need no build system, and the
 * header files of Node's stable addon interface come from npm, where node-gyp would load them from elsewhere.
 */
async function compile(shop: Workshop, compiler: string, folder: string, library: Library): Promise<void> {
  const out = join(folder, 'lib', 'napi');
  mkdirSync(out, { recursive: true });
  const libraries = libraryFiles(shop.platform) ?? [];
  await shop.run(
    compiler,
    [
      ...['-std=c++17', '-O2', '-shared', '-fPIC', `-DNAPI_VERSION=${NAPI_VERSION}`],
      ...['-I', shop.nodeHeaders, '-I', join(library.folder, 'include')],
      ...['binding/tfjs_backend.cc', 'binding/tfjs_binding.cc'],
      ...libraries.map((file) => join(library.folder, 'lib', file)),
      ...linkFlags(shop.platform),
      ...['-o', join(out, 'tfjs_binding.node')],
    ],
    { cwd: folder, limit: 600 },
  );
}

/** Builds a native engine on a library of the cache; gives its folder, still under a temporary name. */
export async function buildEngine(shop: Workshop, compiler: string, library: Library): Promise<string> {
  const folder = temporaryFolder(shop.cache);
  await fetchPackage(shop, folder);
  await compile(shop, compiler, folder, library);
  writeImports(folder);
  // Relative, so that the cache can be moved as a whole.
  symlinkSync(join('..', basename(library.folder)), join(folder, 'deps'), 'dir');
  return folder;
}
