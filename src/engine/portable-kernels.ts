import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Tensor, type TypedArray, tensor } from '@tensorflow/tfjs-core';
import { messageOf, oneLine } from '../errors.js';
import { areKernelsWanted, type KernelState, unusedKernels } from './compiled-kernels.js';
import { liveValues } from './live-values.js';
import type { Operand, OwnOperations, RunOptions } from './own-operations.js';

/** The kernels of src/kernel/compiled in WebAssembly: `npm run build` makes it, the package ships it. */
const MODULE = fileURLToPath(new URL('../../dist/kernel/portable.wasm', import.meta.url));

/** A tensor in the module's memory (`Place` in src/kernel/compiled/portable-call.h), in words. */
const PLACE = { numbers: 0, isWhole: 1, rank: 2, sizes: 3, words: 9 };
/** Inputs and outputs of an operation that there are places for. */
const PLACES = 32;

/** An operation. @returns 0, or where in the memory it says what went wrong */
type Operation = (backward: number, ends: number, places: number, inputs: number) => number;

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  allocate(bytes: number): number;
  release(place: number): void;
  _initialize(): void;
}

/** The part of JavaScript's interface that is used here; TypeScript has it among the types of browsers alone. */
interface Interface {
  compile(bytes: Uint8Array): Promise<object>;
  readonly Module: { imports(module: object): readonly { readonly name: string }[] };
  readonly Instance: new (
    module: object,
    imports: Readonly<Record<string, Readonly<Record<string, () => number>>>>,
  ) => { readonly exports: object };
}

const { WebAssembly } = globalThis as unknown as { WebAssembly: Interface };

/** Our operations in WebAssembly, in a memory beside that of the engine: operands are copied there, and results back. */
class PortableKernels implements OwnOperations {
  readonly #exports: Exports & Readonly<Record<string, Operation>>;
  readonly #places: number;

  constructor(module: object) {
    const system = () => 8; // EBADF: nothing is read or written
    const wasi_snapshot_preview1 = Object.fromEntries(
      WebAssembly.Module.imports(module).map(({ name }) => [name, system]),
    );
    this.#exports = new WebAssembly.Instance(module, { wasi_snapshot_preview1 }).exports as never;
    this.#exports._initialize();
    this.#places = this.#exports.allocate(4 * PLACE.words * PLACES);
  }

  run(name: string, operands: readonly Operand[], outputs: number, options: RunOptions = {}): Tensor[] {
    const taken: number[] = [];
    try {
      for (const [k, operand] of operands.entries()) taken.push(this.#put(k, operand));
      const operation = this.#exports[name]!;
      const problem = operation(
        Number(options.backward ?? false),
        Number(options.ends ?? false),
        this.#places,
        operands.length,
      );
      if (problem !== 0) throw new Error(`${name}: ${this.#text(problem)}`);
      const results = Array.from({ length: outputs }, (_, k) => this.#read(operands.length + k));
      taken.push(...results.map(({ place }) => place));
      for (const k of options.changed ?? []) {
        const values = liveValues(operands[k] as Tensor)!;
        values.set(new Float32Array(this.#exports.memory.buffer, taken[k]!, values.length));
      }
      return results.map(({ value }) => value);
    } finally {
      for (const place of taken) this.#exports.release(place);
    }
  }

  /** Copies an operand. @returns where it is now */
  #put(k: number, operand: Operand): number {
    const values = operand instanceof Tensor ? (liveValues(operand) as TypedArray) : operand.values;
    const place = this.#exports.allocate(4 * values.length) >>> 0; // above 2 GiB it comes as a negative number
    if (place === 0) throw new Error('no memory is left in WebAssembly');
    const isWhole = operand.dtype === 'int32';
    const { buffer } = this.#exports.memory; // another one whenever the memory has grown
    new (isWhole ? Int32Array : Float32Array)(buffer, place, values.length).set(values);
    const words = this.#wordsOf(k);
    words[PLACE.numbers] = place;
    words[PLACE.isWhole] = Number(isWhole);
    words[PLACE.rank] = operand.shape.length;
    words.set(operand.shape, PLACE.sizes);
    return place;
  }

  #read(k: number): { readonly value: Tensor; readonly place: number } {
    const words = this.#wordsOf(k);
    const rank = words[PLACE.rank]!;
    const place = words[PLACE.numbers]! >>> 0;
    const isWhole = words[PLACE.isWhole] === 1;
    const shape = Array.from(words.subarray(PLACE.sizes, PLACE.sizes + rank));
    const count = shape.reduce((product, size) => product * size, 1);
    const values = new (isWhole ? Int32Array : Float32Array)(this.#exports.memory.buffer, place, count);
    return { value: tensor(values, shape, isWhole ? 'int32' : 'float32'), place };
  }

  #wordsOf(k: number): Int32Array {
    return new Int32Array(this.#exports.memory.buffer, this.#places + 4 * PLACE.words * k, PLACE.words);
  }

  #text(place: number): string {
    const bytes = new Uint8Array(this.#exports.memory.buffer).subarray(place);
    return new TextDecoder().decode(bytes.slice(0, bytes.indexOf(0)));
  }
}

let loaded: PortableKernels | null = null;

/** Loads the kernels for the wasm engine; where they do not load, TensorFlow.js' own operations do their work. */
export async function loadPortableKernels(): Promise<KernelState> {
  if (!areKernelsWanted()) return unusedKernels('switched off by DRAGOMAN_KERNELS');
  try {
    loaded ??= new PortableKernels(await WebAssembly.compile(await readFile(MODULE)));
    return { processor: 'simd128', reason: null };
  } catch (error) {
    return unusedKernels(oneLine(messageOf(error)));
  }
}

/** Whether they are loaded, and `DRAGOMAN_KERNELS` leaves them in use. */
export function hasPortableKernels(): boolean {
  return loaded !== null && areKernelsWanted();
}

/** They, where {@link hasPortableKernels}. */
export function portableKernels(): OwnOperations {
  if (loaded === null) throw new Error('the portable kernels are not loaded');
  return loaded;
}
