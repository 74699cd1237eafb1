import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildEngine, findCompiler, npmCommand, writeImports } from './addon.js';
import { temporaryFolder } from './cache.js';
import { npmEnvironment } from './environment.js';
import { adoptLibrary, findLibrary, type Library, libraryFiles } from './library.js';
import { addonIn, TFJS_NODE_VERSION } from './tensorflow.js';
import type { Workshop } from './workshop.js';

/** The ways to a native engine, in the order in which they are tried. */
export const ROUTE_NAMES = ['present', 'cache', 'vendor', 'python', 'pip'] as const;

export type RouteName = (typeof ROUTE_NAMES)[number];

export interface Route {
  /** What the user reads about it. */
  readonly title: string;
  /** Gives the folder of a native engine, in its final place or under a temporary name; fails with the reason. */
  readonly attempt: (shop: Workshop) => Promise<string>;
}

/** The vendor's own builds are asked for first, but not for long: most installations without them have no network. */
const VENDOR_LIMIT = 600;
const PIP_LIMIT = 900;

/** The libraries that tfjs-node 4.22 asks for. */
const VENDOR_SYSTEMS: Readonly<Record<string, string>> = {
  linux: 'cpu-linux-x86_64-2.9.1.tar.gz',
  darwin: 'cpu-darwin-x86_64-2.9.1.tar.gz',
  win32: 'cpu-windows-x86_64-2.9.1.zip',
};

async function present(shop: Workshop): Promise<string> {
  const folder = shop.find();
  if (!folder) throw new Error('not yet installed');
  return folder;
}

/** Compiles first of all whether it can: a compiler is missed before the download, not after. */
async function onLibrary(shop: Workshop, find: () => Library | Promise<Library>): Promise<string> {
  if (!libraryFiles(shop.platform))
    throw new Error(`not for ${shop.platform}: no C library in Python packages`);
  const compiler = await findCompiler(shop);
  return buildEngine(shop, compiler, await find());
}

/** Where tfjs-node's own script would download from, told by the same variables as there. */
export function vendorAddress(shop: Pick<Workshop, 'env' | 'platform' | 'arch'>): string {
  const { env } = shop;
  const host =
    env.TFJS_NODE_CDN_STORAGE ||
    env.npm_config_TFJS_NODE_CDN_STORAGE ||
    env.CDN_STORAGE ||
    'https://storage.googleapis.com/';
  const base =
    env.TFJS_NODE_BASE_URI ||
    env.npm_config_TFJS_NODE_BASE_URI ||
    `${host}tensorflow/libtensorflow/libtensorflow-`;
  const system = shop.arch === 'x64' ? VENDOR_SYSTEMS[shop.platform] : undefined;
  return system ? base + system : host;
}

/** Lets tfjs-node install itself, with its own dependencies and script, in a project of its own. */
async function vendor(shop: Workshop): Promise<string> {
  const proxied = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'].some((name) => shop.env[name]);
  // Node's own fetch knows nothing of proxies; tfjs-node's script does, so then it finds out itself.
  if (!proxied) await shop.reach(vendorAddress(shop));
  const folder = temporaryFolder(shop.cache);
  writeFileSync(
    join(folder, 'package.json'),
    `${JSON.stringify({ private: true, allowScripts: { '@tensorflow/tfjs-node': true } })}\n`,
  );
  const [npm, ...first] = npmCommand(shop.env);
  shop.say('downloading the TensorFlow library and addon of its vendor');
  await shop.run(
    npm,
    [...first, 'install', `@tensorflow/tfjs-node@${TFJS_NODE_VERSION}`, '--foreground-scripts', '--no-audit'],
    { cwd: folder, env: { ...npmEnvironment(shop.env), npm_config_loglevel: 'error' }, limit: VENDOR_LIMIT },
  );
  const installed = join(folder, 'node_modules', '@tensorflow', 'tfjs-node');
  if (!addonIn(installed)) throw new Error("tfjs-node's install script left no addon");
  writeImports(installed);
  return installed;
}

const PYTHONS = ['python3', 'python'];

async function python(shop: Workshop, script: string, ...args: string[]): Promise<string> {
  let missing = new Error('no Python');
  for (const name of PYTHONS) {
    try {
      return await shop.run(name, ['-c', script, ...args], { limit: 300 });
    } catch (error) {
      missing = error as Error;
      if (!/was not found$/.test(missing.message)) break;
    }
  }
  throw missing;
}

/** Prints folder and version of an installed TensorFlow without importing it, which takes seconds and may fail. */
const FIND_INSTALLED = `
import importlib.metadata as m, importlib.util as u, sys
spec = u.find_spec('tensorflow')
if spec is None or not spec.submodule_search_locations: sys.exit('no module named tensorflow')
version = ''
for name in ('tensorflow-cpu', 'tensorflow', 'tensorflow-intel', 'tf-nightly'):
    try: version = m.version(name); break
    except m.PackageNotFoundError: pass
print(list(spec.submodule_search_locations)[0]); print(version or 'unknown')
`;

async function installedInPython(shop: Workshop): Promise<string> {
  return onLibrary(shop, async () => {
    const [folder, version] = (await python(shop, FIND_INSTALLED)).trim().split(/\r?\n/);
    if (!folder || !version) throw new Error('Python did not say where its TensorFlow is');
    return adoptLibrary(shop, folder, version);
  });
}

/** Unpacks library and headers only: the rest of the wheel is as large again, in 15,000 files. */
const UNPACK = `
import sys, zipfile
archive, to, *names = sys.argv[1:]
with zipfile.ZipFile(archive) as z:
    for name in z.namelist():
        if name in names or name.startswith('tensorflow/include/') and name.endswith('.h'):
            z.extract(name, to)
`;

/** Packages that hold the library; the first is smaller, but not made for every platform. */
function pythonPackages(shop: Workshop): readonly string[] {
  const small = 'tensorflow-cpu>=2.16,<3';
  return shop.platform === 'linux' && shop.arch === 'x64' ? [small] : [small, 'tensorflow>=2.16,<3'];
}

async function download(shop: Workshop, folder: string): Promise<void> {
  const fixed = ['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--no-input', '--no-cache-dir'];
  const patience = ['--disable-pip-version-check', '--timeout=60', '--retries=1', '-d', folder];
  // A Python that TensorFlow is not made for can still fetch the wheel of another: only the library is wanted.
  const versions = [[], ['--python-version=3.12'], ['--python-version=3.11']];
  let first: unknown;
  for (const name of pythonPackages(shop)) {
    for (const version of versions) {
      try {
        await shop.run('python3', [...fixed, ...patience, ...version, name], { limit: PIP_LIMIT });
        return;
      } catch (error) {
        first ??= error;
        if (!/No matching distribution|from versions/i.test(String(error))) throw error;
      }
    }
  }
  throw first;
}

async function downloadedByPip(shop: Workshop): Promise<string> {
  return onLibrary(shop, async () => {
    await shop.run('python3', ['-m', 'pip', '--version'], { limit: 60 });
    const folder = temporaryFolder(shop.cache);
    shop.say('downloading the TensorFlow library (about 270 MB, once for this user)');
    await download(shop, folder);
    const wheel = readdirSync(folder).find((name) => name.endsWith('.whl'));
    const version = wheel?.split('-')[1];
    if (!wheel || !version) throw new Error('pip left no wheel');
    shop.say(`unpacking TensorFlow ${version} (850 MB)`);
    const files = (libraryFiles(shop.platform) ?? []).map((file) => `tensorflow/${file}`);
    await python(shop, UNPACK, join(folder, wheel), folder, ...files);
    rmSync(join(folder, wheel));
    const library = adoptLibrary(shop, join(folder, 'tensorflow'), version);
    rmSync(folder, { recursive: true, force: true });
    return library;
  });
}

export const ROUTES: Readonly<Record<RouteName, Route>> = {
  present: { title: 'a native engine that is already there', attempt: present },
  cache: {
    title: 'a TensorFlow library downloaded earlier',
    attempt: (shop) => onLibrary(shop, () => findLibrary(shop)),
  },
  vendor: { title: "tfjs-node's own install script", attempt: vendor },
  python: { title: "the TensorFlow of this machine's Python", attempt: installedInPython },
  pip: { title: 'the TensorFlow package for Python, by pip download', attempt: downloadedByPip },
};
