import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { getBackend } from '@tensorflow/tfjs-core';
import { messageOf, oneLine } from '../errors.js';
import { chosenIn } from './environment.js';
import { type KernelsAddon, PROCESSORS } from './kernels-addon.js';
import type { Precision } from './products.js';

/** Source of the operations that Dragoman adds to TensorFlow, in C++; the package ships it. */
export const KERNEL_SOURCES = fileURLToPath(new URL('../../src/kernel/compiled', import.meta.url));

/** What `DRAGOMAN_KERNELS` can ask for: our compiled operations, or TensorFlow's own alone. */
const CHOICES = ['compiled', 'operations'] as const;

const require = createRequire(import.meta.url);

/** What became of the compiled kernels when the native engine was loaded. */
export interface KernelState {
  /** The processor that they were chosen for; null where they are not used. */
  readonly processor: string | null;
  /** Why they are not used. */
  readonly reason: string | null;
}

/** Changes whenever the source does, so that no older kernels are taken for these. */
function fingerprint(): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(KERNEL_SOURCES).sort()) {
    hash.update(`${name}\n`).update(readFileSync(join(KERNEL_SOURCES, name)));
  }
  return hash.digest('hex').slice(0, 16);
}

/** Where the kernels for a native engine belong, inside its folder. */
export function kernelsPlace(engine: string): string {
  return join(engine, 'lib', `kernels-${fingerprint()}`);
}

/** The compiled addon in that place. */
export const KERNELS_ADDON = 'dragoman_kernels.node';

/**
 * Whether `DRAGOMAN_KERNELS` leaves them in use.
 * @throws DragomanError `engine` if it has another value
 */
export function areKernelsWanted(): boolean {
  return chosenIn('DRAGOMAN_KERNELS', CHOICES) !== 'operations';
}

/** Where kernels are not used. */
export function unusedKernels(reason: string): KernelState {
  return { processor: null, reason };
}

let state: KernelState = unusedKernels('the native engine is not loaded');
let addon: KernelsAddon | null = null;

/**
 * Loads the kernels of a native engine; where they do not load, TensorFlow's own operations do their work. `DRAGOMAN_PROCESSOR`
 * names the best processor that they may be for.
 * @param products what their matrix products are computed in
 */
export function loadKernels(engine: string, threads: number, products: Precision = 'float32'): KernelState {
  state = stateOf(engine, threads, products);
  return state;
}

function stateOf(engine: string, threads: number, products: Precision): KernelState {
  if (!areKernelsWanted()) return unusedKernels('switched off by DRAGOMAN_KERNELS');
  const most = PROCESSORS.indexOf(chosenIn('DRAGOMAN_PROCESSOR', PROCESSORS) ?? PROCESSORS.at(-1)!);
  try {
    const path = join(kernelsPlace(engine), KERNELS_ADDON); // which also fails where the package has lost its source
    if (!existsSync(path)) return unusedKernels('not compiled; "dragoman doctor --install" compiles them');
    addon = require(path) as KernelsAddon;
    const processor = addon.start(threads, products, most);
    return processor === null
      ? unusedKernels(`not compiled for products in ${products}, which are left to oneDNN`)
      : { processor, reason: null };
  } catch (error) {
    return unusedKernels(oneLine(messageOf(error)));
  }
}

/** Whether the running engine has the compiled kernels, and `DRAGOMAN_KERNELS` leaves them in use. */
export function hasCompiledKernels(): boolean {
  return state.processor !== null && getBackend() === 'tensorflow' && areKernelsWanted();
}

/** The functions of the compiled kernels, where {@link hasCompiledKernels}. */
export function compiledKernels(): KernelsAddon {
  if (addon === null) throw new Error('the compiled kernels are not loaded');
  return addon;
}
