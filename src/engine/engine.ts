import * as tf from '@tensorflow/tfjs-core';
import { DragomanError, messageOf, oneLine } from '../errors.js';
import type { KernelState } from './compiled-kernels.js';
import { chosenIn } from './environment.js';
import { registerGradients } from './gradients.js';
import { vectorExtensions } from './hardware.js';
import { loadPortableKernels } from './portable-kernels.js';
import { PRECISIONS, type Precision } from './products.js';
import { registerSegmentSum } from './segment-sum.js';
import { findNative, loadNative } from './tensorflow.js';

/** The engines, best first: native TensorFlow, WebAssembly, plain JavaScript. */
export const ENGINE_NAMES = ['tensorflow', 'wasm', 'cpu'] as const;

export type EngineName = (typeof ENGINE_NAMES)[number];

/** The engine that computes, and what it has to compute with. */
export interface EngineInfo {
  readonly name: EngineName;
  /** What does the arithmetic and its version, e.g. `TensorFlow 2.21.0` or `TensorFlow.js 4.22.0`. */
  readonly version: string;
  /** Threads that one operation may use. */
  readonly threads: number;
  /** What matrix products are computed in: `bfloat16` only where `DRAGOMAN_PRODUCTS` asks for it. */
  readonly products: Precision;
  /** The compiled kernels; null on the cpu engine, which has none. */
  readonly kernels: KernelState | null;
  /** The processor's vector extensions; null where they cannot be told. */
  readonly vectorExtensions: readonly string[] | null;
  /** Better engines that were tried first, and why each is not the one. */
  readonly passedOver: readonly { readonly name: EngineName; readonly reason: string }[];
}

/** No engine that may be used starts: not a setting of the user's, but what is there. */
export class EngineUnusable extends DragomanError {
  constructor(reasons: string) {
    super('engine', `the engine cannot be used: ${reasons}`);
  }
}

const HOW_TO_INSTALL =
  'run "dragoman doctor --install" to install it, or "dragoman doctor" to see what is missing';

/** The engine named by a user; unknown names fail and list the choices. `where` says who named it. */
export function parseEngineName(name: string, where: string): EngineName {
  const known = ENGINE_NAMES.find((candidate) => candidate === name);
  if (known) return known;
  throw new DragomanError(
    'engine',
    `${where}: expected ${ENGINE_NAMES.join(', ')}, got ${JSON.stringify(name)}`,
  );
}

/** The engine that `DRAGOMAN_ENGINE` asks for, if it does. */
export function engineFromEnvironment(): EngineName | undefined {
  const name = process.env.DRAGOMAN_ENGINE;
  return name ? parseEngineName(name, 'DRAGOMAN_ENGINE') : undefined;
}

/** Whether the user has switched the native engine off, at installation and afterwards. */
export function nativeIsDisabled(): boolean {
  const value = process.env.DRAGOMAN_SKIP_NATIVE;
  return value !== undefined && value !== '' && value !== '0';
}

/** Why an engine cannot be used here, without loading it; null if it seems to be there. */
export function whyAbsent(name: EngineName): string | null {
  if (name !== 'tensorflow') return null; // they come with the package
  if (nativeIsDisabled()) return 'switched off by DRAGOMAN_SKIP_NATIVE';
  return findNative() ? null : 'not installed';
}

async function start(
  name: EngineName,
): Promise<Pick<EngineInfo, 'version' | 'threads' | 'products' | 'kernels'>> {
  let version = `TensorFlow.js ${tf.version_core}`;
  let threads = 1;
  let products: Precision = 'float32';
  let kernels: KernelState | null = null;
  switch (name) {
    case 'tensorflow': {
      const folder = findNative();
      if (!folder) throw new Error('not installed');
      const native = loadNative(folder);
      if (native.products === 'int8' && native.kernels.processor === null) {
        throw new DragomanError(
          'engine',
          `DRAGOMAN_PRODUCTS: int8 needs the compiled kernels, which are ${native.kernels.reason}`,
        );
      }
      version = `TensorFlow ${native.version}`;
      threads = native.threads;
      products = native.products;
      kernels = native.kernels;
      break;
    }
    case 'wasm': {
      const { loadWasm } = await import('./wasm.js');
      await loadWasm();
      kernels = await loadPortableKernels();
      break;
    }
    case 'cpu': {
      await import('@tensorflow/tfjs-backend-cpu');
      registerSegmentSum('cpu');
      break;
    }
  }
  if (!(await tf.setBackend(name))) throw new Error('the backend did not start');
  await tf.ready();
  if (name === 'cpu') silenceAdvice();
  return { version, threads, products, kernels };
}

/** On its first use the plain JavaScript backend advises to install tfjs-node; `dragoman doctor` knows better. */
function silenceAdvice(): void {
  const backend = tf.backend() as unknown as { firstUse?: boolean };
  backend.firstUse = false;
}

/** The other engines multiply in one way: a user who asks for another is told. */
function refuseProducts(engine: EngineName): void {
  const products = chosenIn('DRAGOMAN_PRODUCTS', PRECISIONS) ?? 'float32';
  if (products === 'float32') return;
  throw new DragomanError(
    'engine',
    `DRAGOMAN_PRODUCTS: ${products} needs the engine tensorflow, got ${engine}`,
  );
}

let current: EngineInfo | null = null;

/**
 * Chooses what computes, for the whole process: the engine named here, else by `DRAGOMAN_ENGINE`, else the
 * best that is there. May be called again, to change engines.
 * @throws DragomanError `engine` for an unknown name or setting; {@link EngineUnusable} for a named engine that is not
 *   there.
 */
export async function startEngine(name?: EngineName): Promise<EngineInfo> {
  if (name !== undefined) parseEngineName(name, 'engine');
  const wanted = name ?? engineFromEnvironment();
  registerGradients();
  const passedOver: { name: EngineName; reason: string }[] = [];
  for (const candidate of wanted ? [wanted] : ENGINE_NAMES) {
    const reason = whyAbsent(candidate);
    try {
      if (reason) throw new Error(reason);
      if (name === undefined && candidate !== 'tensorflow') refuseProducts(candidate);
      const started = await start(candidate);
      current = { name: candidate, ...started, vectorExtensions: vectorExtensions(), passedOver };
      return current;
    } catch (error) {
      if (error instanceof DragomanError) throw error; // a setting of the user's, not the engine
      passedOver.push({ name: candidate, reason: oneLine(messageOf(error)) });
    }
  }
  const reasons = passedOver.map((failed) => `${failed.name}: ${failed.reason}`).join('; ');
  const advice = wanted === 'tensorflow' && !nativeIsDisabled() ? `; ${HOW_TO_INSTALL}` : '';
  throw new EngineUnusable(`${reasons}${advice}`);
}

/** The engine that was started last; null before the first {@link startEngine}. */
export function currentEngine(): EngineInfo | null {
  return current;
}
