import { copyFileSync, cpSync, existsSync, linkSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { publish, temporaryFolder } from './cache.js';
import type { Workshop } from './workshop.js';

/** A TensorFlow C library with its headers, in a folder of the cache: `lib/`, `include/`. */
export interface Library {
  readonly folder: string;
  readonly version: string;
}

/** The parts of a Python package's `include/` that the C API's headers draw on, in TensorFlow 2.16 to 2.21. */
const HEADERS = ['tensorflow/c', 'tensorflow/core/platform', 'tsl/platform', 'xla/tsl/c', 'xla/tsl/platform'];

/** File names of the C library inside a Python package of TensorFlow; null where there is none. */
export function libraryFiles(platform: string): readonly string[] | null {
  if (platform === 'linux') return ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];
  if (platform === 'darwin') return ['libtensorflow_cc.2.dylib', 'libtensorflow_framework.2.dylib'];
  return null;
}

function placeOf(shop: Workshop, version: string): string {
  return join(shop.cache, `tensorflow-${version}-${shop.platform}-${shop.arch}`);
}

/** A library that an earlier installation left in the cache. */
export function findLibrary(shop: Workshop): Library {
  const pattern = new RegExp(`^tensorflow-([0-9.]+[0-9a-z.]*)-${shop.platform}-${shop.arch}$`);
  const files = libraryFiles(shop.platform) ?? [];
  for (const name of readdirSync(shop.cache).sort().reverse()) {
    const version = pattern.exec(name)?.[1];
    const folder = join(shop.cache, name);
    if (version && files.every((file) => existsSync(join(folder, 'lib', file)))) return { folder, version };
  }
  throw new Error('none in the cache');
}

/** The file itself where the disk allows a second name for it, else a copy: a library has 800 MB. */
function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}

/**
 * Takes library and headers from an unpacked Python package, the folder `tensorflow/`, into the cache.
 * @throws Error when the package is too old or too different to hold a C library
 */
export function adoptLibrary(shop: Workshop, tensorflow: string, version: string): Library {
  const files = libraryFiles(shop.platform);
  if (!files) throw new Error(`Python packages for ${shop.platform} hold no TensorFlow C library`);
  const missing = [...files, 'include/tensorflow/c/c_api.h'].find(
    (file) => !existsSync(join(tensorflow, file)),
  );
  if (missing) throw new Error(`TensorFlow ${version} of Python has no ${missing} (2.16 or later is needed)`);

  const folder = temporaryFolder(shop.cache);
  mkdirSync(join(folder, 'lib'));
  for (const file of files) linkOrCopy(join(tensorflow, file), join(folder, 'lib', file));
  for (const part of HEADERS) {
    const from = join(tensorflow, 'include', part);
    if (existsSync(from)) cpSync(from, join(folder, 'include', part), { recursive: true });
  }
  writeFileSync(join(folder, 'VERSION'), `${version}\n`);
  const place = placeOf(shop, version);
  publish(shop.cache, folder, place);
  return { folder: place, version };
}
