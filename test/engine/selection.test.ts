import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { hasCompiledKernels, loadKernels } from '../../src/engine/compiled-kernels.js';
import {
  currentEngine,
  type EngineName,
  nativeIsDisabled,
  startEngine,
  whyAbsent,
} from '../../src/engine/engine.js';
import { parseVectorExtensions } from '../../src/engine/hardware.js';
import { nativeThreads, productPrecision } from '../../src/engine/tensorflow.js';

let empty: string;

beforeEach(() => {
  empty = mkdtempSync(join(tmpdir(), 'dragoman-test-'));
  vi.stubEnv('DRAGOMAN_CACHE', empty); // no native engine here
  vi.stubEnv('DRAGOMAN_ENGINE', '');
  vi.stubEnv('DRAGOMAN_SKIP_NATIVE', '');
  vi.stubEnv('DRAGOMAN_THREADS', '');
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(empty, { recursive: true });
});

/** Fails as the command line would see it. */
async function failure(name?: string): Promise<{ code: string; message: string }> {
  const error = await startEngine(name as EngineName).catch((e: unknown) => e);
  return error as { code: string; message: string };
}

describe('the choice of an engine', () => {
  it('takes the best that is there, and says what it passed over', async () => {
    if (whyAbsent('tensorflow') === null) return; // the project has a tfjs-node of its own
    const info = await startEngine();
    expect(info.name).toBe('wasm');
    expect(info.passedOver).toEqual([{ name: 'tensorflow', reason: 'not installed' }]);
    expect(currentEngine()).toBe(info);
  });

  it('heeds DRAGOMAN_ENGINE, and an argument more', async () => {
    vi.stubEnv('DRAGOMAN_ENGINE', 'cpu');
    expect((await startEngine()).name).toBe('cpu');
    expect((await startEngine('wasm')).name).toBe('wasm');
  });

  it('refuses unknown names, with the choices', async () => {
    expect(await failure('gpu')).toMatchObject({
      code: 'engine',
      message: 'engine: expected tensorflow, wasm, cpu, got "gpu"',
    });
    vi.stubEnv('DRAGOMAN_ENGINE', 'Wasm');
    expect((await failure()).message).toBe('DRAGOMAN_ENGINE: expected tensorflow, wasm, cpu, got "Wasm"');
  });

  it('says how to get an engine that is asked for and not there', async () => {
    if (whyAbsent('tensorflow') === null) return;
    const { code, message } = await failure('tensorflow');
    expect(code).toBe('engine');
    expect(message).toMatch(/not installed.*dragoman doctor --install/);
  });

  it('has no native engine where the user has switched it off', async () => {
    vi.stubEnv('DRAGOMAN_SKIP_NATIVE', '0');
    expect(nativeIsDisabled()).toBe(false);
    vi.stubEnv('DRAGOMAN_SKIP_NATIVE', '1');
    expect(nativeIsDisabled()).toBe(true);
    expect((await startEngine()).passedOver[0]?.reason).toBe('switched off by DRAGOMAN_SKIP_NATIVE');
    expect((await failure('tensorflow')).message).toMatch(/switched off by DRAGOMAN_SKIP_NATIVE$/);
  });
});

describe('threads', () => {
  it('are as many as asked for', () => {
    vi.stubEnv('DRAGOMAN_THREADS', '3');
    expect(nativeThreads()).toBe(3);
    vi.stubEnv('DRAGOMAN_THREADS', '');
    vi.stubEnv('TF_NUM_INTRAOP_THREADS', '5');
    expect(nativeThreads()).toBe(5);
  });

  it.each(['0', '-1', '2.5', 'all', '1e9'])('refuses %s', (text) => {
    vi.stubEnv('DRAGOMAN_THREADS', text);
    expect(() => nativeThreads()).toThrow(
      `DRAGOMAN_THREADS: expected a number of threads from 1, got "${text}"`,
    );
  });
});

describe('vector extensions', () => {
  it('are read from the flags of x86 and the features of ARM', () => {
    const x86 =
      'processor\t: 0\nflags\t\t: fpu sse4_2 avx avx2 fma avx512f avx512_bf16 amx_tile\nbugs\t\t:\n';
    expect(parseVectorExtensions(x86)).toEqual([
      'SSE4.2',
      'AVX',
      'FMA',
      'AVX2',
      'AVX512F',
      'AVX512_BF16',
      'AMX',
    ]);
    expect(parseVectorExtensions('Features\t: fp asimd sve bf16\n')).toEqual(['NEON', 'SVE', 'BF16']);
    expect(parseVectorExtensions('')).toEqual([]);
  });
});

describe('precision of products', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('is 32 bits unless asked otherwise', () => {
    vi.stubEnv('DRAGOMAN_PRODUCTS', undefined);
    expect(productPrecision(['AVX512_BF16'])).toBe('float32');
  });

  it('is bfloat16 where the processor has it', () => {
    vi.stubEnv('DRAGOMAN_PRODUCTS', 'bfloat16');
    expect(productPrecision(['AVX2', 'AVX512_BF16'])).toBe('bfloat16');
    expect(productPrecision(['AMX_BF16'])).toBe('bfloat16');
  });

  it('is refused where the processor lacks it, and where it is no precision', () => {
    vi.stubEnv('DRAGOMAN_PRODUCTS', 'bfloat16');
    expect(() => productPrecision(['AVX2'])).toThrow('expected float32 on this processor, got bfloat16');
    expect(() => productPrecision(null)).toThrow('expected float32 on this processor');
    vi.stubEnv('DRAGOMAN_PRODUCTS', 'half');
    expect(() => productPrecision(['AVX512_BF16'])).toThrow(
      'DRAGOMAN_PRODUCTS: expected float32 or bfloat16 or int8, got "half"',
    );
  });
});

describe('products of another kind than 32 bits', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('are refused where another engine than tensorflow is chosen for them', async () => {
    vi.stubEnv('DRAGOMAN_PRODUCTS', 'int8');
    vi.stubEnv('DRAGOMAN_ENGINE', 'cpu');
    await expect(startEngine()).rejects.toThrow(
      'DRAGOMAN_PRODUCTS: int8 needs the engine tensorflow, got cpu',
    );
    // A program that names its engine knows what it does.
    expect((await startEngine('cpu')).products).toBe('float32');
  });
});

describe('compiled kernels', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('are refused for what is no choice', () => {
    vi.stubEnv('DRAGOMAN_KERNELS', 'none');
    expect(() => loadKernels('/nowhere', 1)).toThrow(
      'DRAGOMAN_KERNELS: expected compiled or operations, got "none"',
    );
  });

  it('are left out where they are switched off or missing, with the reason', () => {
    expect(loadKernels('/nowhere', 1)).toEqual({
      processor: null,
      reason: 'not compiled; "dragoman doctor --install" compiles them',
    });
    vi.stubEnv('DRAGOMAN_KERNELS', 'operations');
    expect(loadKernels('/nowhere', 1).reason).toBe('switched off by DRAGOMAN_KERNELS');
    expect(hasCompiledKernels()).toBe(false);
  });
});
