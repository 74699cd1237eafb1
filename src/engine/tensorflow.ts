import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import util from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { DragomanError, excerpt } from '../errors.js';
import { cacheFolder } from './cache.js';
import { type KernelState, loadKernels } from './compiled-kernels.js';
import { chosenIn } from './environment.js';
import { registerNativeGather } from './gather.js';
import { hasBfloat16, vectorExtensions } from './hardware.js';
import { PRECISIONS, type Precision, registerProducts } from './products.js';
import { registerNativeSegmentSum } from './segment-sum.js';

/**
 * The version of `@tensorflow/tfjs-node` whose backend is used. It has to be that of the installed
 * `@tensorflow/tfjs-core`, since the two share internals.
 */
export const TFJS_NODE_VERSION = '4.22.0';

const require = createRequire(import.meta.url);

/** What Dragoman uses of the compiled addon. */
interface Binding {
  readonly TF_Version: string;
}

interface BackendModule {
  readonly NodeJSKernelBackend: new (binding: Binding, packageName: string) => tf.KernelBackend;
}

/** The native engine as it was loaded into this process. */
export interface NativeEngine {
  /** Folder of the tfjs-node package in use. */
  readonly folder: string;
  /** Version of the TensorFlow library, e.g. `2.21.0`. */
  readonly version: string;
  /** Threads that one operation may use. */
  readonly threads: number;
  /** What products are computed in. */
  readonly products: Precision;
  /** Our own operations in it. */
  readonly kernels: KernelState;
}

/** Key under which the modules of tfjs-node find the one `@tensorflow/tfjs-core` of this process. */
export const CORE_KEY = 'dragoman.tfjs-core';

/** Where the installer puts the native engine: outside any project, so that all of them share it. */
export function nativeFolder(cache = cacheFolder()): string {
  return join(cache, `tfjs-node-${TFJS_NODE_VERSION}-${process.platform}-${process.arch}`);
}

/** The compiled addon inside a tfjs-node folder, or null. Vendor builds name the folder by the API level. */
export function addonIn(folder: string): string | null {
  const lib = join(folder, 'lib');
  if (!existsSync(lib)) return null;
  for (const name of readdirSync(lib).sort().reverse()) {
    const path = join(lib, name, 'tfjs_binding.node');
    if (existsSync(path)) return path;
  }
  return null;
}

/** A tfjs-node of our version that the project itself has installed, and whose install script made it complete. */
function projectFolder(): string | null {
  try {
    const description = require.resolve('@tensorflow/tfjs-node/package.json');
    const { version } = require(description) as { version: string };
    return version === TFJS_NODE_VERSION && addonIn(dirname(description)) ? dirname(description) : null;
  } catch {
    return null;
  }
}

/** The folder of a native engine that looks complete, the installer's own before the project's; or null. */
export function findNative(): string | null {
  const own = nativeFolder();
  return addonIn(own) ? own : projectFolder();
}

/**
 * Threads for the inside of one operation: `DRAGOMAN_THREADS`, else TensorFlow's own variable, else all
 * processors. Counts from the next load of TensorFlow, that is, once for a process.
 * @throws DragomanError `engine` unless it is a whole number from 1
 */
export function nativeThreads(): number {
  const name = process.env.DRAGOMAN_THREADS ? 'DRAGOMAN_THREADS' : 'TF_NUM_INTRAOP_THREADS';
  const text = process.env[name];
  if (!text) return availableParallelism();
  if (!/^[1-9]\d{0,3}$/.test(text)) {
    throw new DragomanError('engine', `${name}: expected a number of threads from 1, got ${excerpt(text)}`);
  }
  return Number(text);
}

/**
 * What products are computed in: `DRAGOMAN_PRODUCTS`, else float32. Counts from the next load of TensorFlow.
 * @param extensions of the processor, as {@link vectorExtensions} names them
 * @throws DragomanError `engine` for an unknown one, and for bfloat16 where the processor does not have it
 */
export function productPrecision(extensions: readonly string[] | null = vectorExtensions()): Precision {
  const known = chosenIn('DRAGOMAN_PRODUCTS', PRECISIONS) ?? 'float32';
  if (known === 'bfloat16' && !hasBfloat16(extensions)) {
    throw new DragomanError(
      'engine',
      'DRAGOMAN_PRODUCTS: expected float32 on this processor, got bfloat16, for which it would need AVX512_BF16 or AMX_BF16',
    );
  }
  return known;
}

let loaded: NativeEngine | null = null;

/**
 * Loads the native engine into this process and registers it with TensorFlow.js as `tensorflow`.
 * @throws whatever the dynamic loader says where the addon or the TensorFlow library does not load.
 */
export function loadNative(folder: string): NativeEngine {
  if (loaded) return loaded;
  // TensorFlow reads this once, when it is loaded: 2 leaves out its notes about the processor.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  // TensorFlow's own allocator keeps the memory of freed tensors; the system's gives large ones back, and the next step
  // pays for their pages again: about a twelfth of the time of a training step.
  process.env.TF_CPU_ALLOCATOR_USE_BFC ??= 'true';
  // A graph of small operations runs in the thread that asks for it: to hand each over to another costs more than it gains.
  process.env.TF_NUM_INTEROP_THREADS ??= '-1';
  // Each product takes the library that is the faster one for its form (products.ts); on processors with AVX-512 TensorFlow
  // would hand everything to oneDNN, and say so on standard error in every process.
  process.env.TF_ENABLE_ONEDNN_OPTS ??= '0';
  const threads = nativeThreads();
  const products = productPrecision();
  process.env.TF_NUM_INTRAOP_THREADS = String(threads);
  // tfjs-node 4.22 calls these two, which Node 23 removed.
  Object.assign(util, {
    isNullOrUndefined: (value: unknown) => value === null || value === undefined,
    isArray: Array.isArray,
  });
  Object.assign(globalThis, { [Symbol.for(CORE_KEY)]: require('@tensorflow/tfjs-core') });

  const addon = addonIn(folder);
  if (!addon) throw new Error(`no compiled addon in ${folder}`);
  if (products === 'bfloat16') process.env.ONEDNN_DEFAULT_FPMATH_MODE = 'BF16'; // read once by the library
  const binding = require(addon) as Binding;
  // Not the package's main module: that also loads the layers API, WebGL and more, none of it needed here.
  require(join(folder, 'dist', 'register_all_kernels.js'));
  const { NodeJSKernelBackend } = require(join(folder, 'dist', 'nodejs_kernel_backend.js')) as BackendModule;
  registerProducts(products);
  registerNativeGather();
  registerNativeSegmentSum();
  tf.registerBackend('tensorflow', () => new NodeJSKernelBackend(binding, '@tensorflow/tfjs-node'), 3);

  const kernels = loadKernels(folder, threads, products);
  loaded = { folder, version: binding.TF_Version, threads, products, kernels };
  return loaded;
}
