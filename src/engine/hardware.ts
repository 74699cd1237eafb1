import { readFileSync } from 'node:fs';
import { arch, cpus } from 'node:os';

/** What the operating system calls an extension, and what its maker calls it; best last. */
const EXTENSIONS: readonly (readonly [flag: string, name: string])[] = [
  ['sse4_2', 'SSE4.2'],
  ['avx', 'AVX'],
  ['fma', 'FMA'],
  ['avx2', 'AVX2'],
  ['avx512f', 'AVX512F'],
  ['avx512_vnni', 'AVX512_VNNI'],
  ['avx512_bf16', 'AVX512_BF16'],
  ['avx512_fp16', 'AVX512_FP16'],
  ['amx_tile', 'AMX'],
  ['amx_int8', 'AMX_INT8'],
  ['amx_bf16', 'AMX_BF16'],
  ['asimd', 'NEON'],
  ['sve', 'SVE'],
  ['sve2', 'SVE2'],
  ['i8mm', 'I8MM'],
  ['bf16', 'BF16'],
];

/** The vector extensions among the `flags` (x86) or `Features` (ARM) of a Linux `/proc/cpuinfo`. */
export function parseVectorExtensions(cpuinfo: string): string[] {
  const line = /^(?:flags|Features)\s*:(.*)$/m.exec(cpuinfo)?.[1] ?? '';
  const flags = new Set(line.trim().split(/\s+/));
  return EXTENSIONS.filter(([flag]) => flags.has(flag)).map(([, name]) => name);
}

/** The processor's vector extensions; null where the operating system does not list them in a file. */
export function vectorExtensions(): readonly string[] | null {
  try {
    return parseVectorExtensions(readFileSync('/proc/cpuinfo', 'utf8'));
  } catch {
    return null;
  }
}

/** Extensions with products of bfloat16 numbers that oneDNN uses. */
const BFLOAT16 = ['AVX512_BF16', 'AMX_BF16', 'BF16'];

/** Whether the processor, as far as its extensions can be told, multiplies bfloat16 numbers. */
export function hasBfloat16(extensions: readonly string[] | null): boolean {
  return extensions?.some((name) => BFLOAT16.includes(name)) ?? false;
}

/** The processor's name and architecture, e.g. `Intel(R) Xeon(R) … (x64)`. */
export function processor(): string {
  return `${cpus()[0]?.model.trim() || 'unknown processor'} (${arch()})`;
}
