import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findCompiler, linkFlags } from './addon.js';
import { publish, temporaryFolder } from './cache.js';
import { KERNEL_SOURCES, KERNELS_ADDON, kernelsPlace } from './compiled-kernels.js';
import type { Workshop } from './workshop.js';

const FLAGS = ['-std=gnu++17', '-O3', '-fPIC', '-fvisibility=hidden'];

/** The kinds of processor that the kernels are compiled for, and what tells the compiler; the best is chosen at run time. */
const VARIANTS: Readonly<Record<string, readonly string[]>> = { baseline: [] };
const X64_VARIANTS: typeof VARIANTS = {
  ...VARIANTS,
  avx2: ['-mavx2', '-mfma'],
  avx512: ['-mavx512f', '-mfma'],
};
/** Those with products of bfloat16 numbers, which older compilers do not know. */
const BFLOAT16_FLAGS = ['-DDRAGOMAN_BFLOAT16', '-mavx512f', '-mavx512bf16', '-mfma'];
const BFLOAT16_VARIANTS: typeof VARIANTS = {
  avx512_bf16: BFLOAT16_FLAGS,
  amx_bf16: [...BFLOAT16_FLAGS, '-mamx-tile', '-mamx-bf16'],
};

/** Decoder steps in 8 bits; those with dot products of bytes, which older compilers do not know, apart. */
const INT8_VARIANTS: typeof VARIANTS = { int8_baseline: [] };
const X64_INT8_VARIANTS: typeof VARIANTS = { ...INT8_VARIANTS, int8_avx2: ['-mavx2', '-mfma'] };
const VNNI_FLAGS = ['-mavx512f', '-mavx512bw', '-mavx512vnni', '-mfma'];
const VNNI_VARIANTS: typeof VARIANTS = {
  int8_avx512_vnni: VNNI_FLAGS,
  int8_amx: [...VNNI_FLAGS, '-mamx-tile', '-mamx-int8'],
};

/** TensorFlow's library files in the folder of a native engine. */
function librariesIn(engine: string): string[] {
  const folder = join(engine, 'deps', 'lib');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^libtensorflow.*(\.so\.2|\.2\.dylib)$/.test(name))
    .map((name) => join(folder, name));
}

/**
 * Compiles the kernels for a native engine, in its place already, unless they are there. Call under the cache's lock.
 * @throws Error with the reason in one line; the engine works without them
 */
export async function compileKernels(shop: Workshop, engine: string): Promise<void> {
  const place = kernelsPlace(engine);
  if (existsSync(join(place, KERNELS_ADDON))) return;
  const libraries = librariesIn(engine);
  if (libraries.length === 0) throw new Error(`no TensorFlow library to link with in ${engine}`);
  const compiler = await findCompiler(shop);
  const folder = temporaryFolder(shop.cache);
  const isX64 = shop.arch === 'x64';
  const compile = (source: string, object: string, ...flags: readonly string[]): Promise<string> =>
    shop.run(compiler, [...FLAGS, ...flags, '-c', join(KERNEL_SOURCES, source), '-o', object], {
      cwd: folder,
      limit: 300,
    });
  const compileAll = async (source: string, variants: typeof VARIANTS): Promise<string[]> => {
    await Promise.all(
      Object.entries(variants).map(([name, flags]) =>
        compile(source, `${name}.o`, `-DVARIANT=${name}`, ...flags),
      ),
    );
    return Object.keys(variants);
  };
  /** None where the compiler does not know the processor. */
  const compileNewer = (source: string, variants: typeof VARIANTS): Promise<string[]> =>
    isX64 ? compileAll(source, variants).catch(() => []) : Promise.resolve([]);
  const [simple, simpleInt8, bfloat16, vnni] = await Promise.all([
    compileAll('variant.cc', isX64 ? X64_VARIANTS : VARIANTS),
    compileAll('steps.cc', isX64 ? X64_INT8_VARIANTS : INT8_VARIANTS),
    compileNewer('variant.cc', BFLOAT16_VARIANTS),
    compileNewer('steps.cc', VNNI_VARIANTS),
    compile('team.cc', 'team.o'),
    compile('operations.cc', 'operations.o'),
    compile('addon.cc', 'addon.o', '-I', shop.nodeHeaders),
  ]);
  await compile(
    'choice.cc',
    'choice.o',
    ...(isX64 ? ['-DDRAGOMAN_X64'] : []),
    ...(bfloat16.length > 0 ? ['-DDRAGOMAN_BFLOAT16'] : []),
    ...(vnni.length > 0 ? ['-DDRAGOMAN_VNNI'] : []),
  );
  // Of a function that several variants contain the linker takes the first: so the simplest processor's stands first.
  const plain = ['team', 'choice', 'operations', 'addon'];
  const objects = [...plain, ...simple, ...simpleInt8, ...bfloat16, ...vnni].map((name) => `${name}.o`);
  await shop.run(
    compiler,
    [
      '-shared',
      ...objects,
      ...libraries,
      '-pthread',
      ...linkFlags(shop.platform),
      '-o',
      join(folder, KERNELS_ADDON),
    ],
    { cwd: folder, limit: 120 },
  );
  for (const name of readdirSync(folder)) if (name.endsWith('.o')) rmSync(join(folder, name));
  publish(shop.cache, folder, place);
  try {
    await shop.probe(engine);
  } catch (error) {
    rmSync(place, { recursive: true, force: true });
    throw error;
  }
}
