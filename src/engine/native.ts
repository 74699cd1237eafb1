import { backend, type Tensor } from '@tensorflow/tfjs-core';
import { DragomanError } from '../errors.js';

/** A tensor on TensorFlow's side of the binding, outside tfjs's own bookkeeping. */
export interface Handle {
  readonly id: number;
  readonly shape: number[];
  readonly dtype: number;
}

/** An attribute in the binding's own form. */
export interface Attribute {
  readonly name: string;
  readonly type: number;
  readonly value: number | boolean | string | readonly number[] | readonly boolean[];
}

/** The part of tfjs-node's binding that is used here. */
export interface Binding {
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  readonly TF_INT64: number;
  readonly TF_BOOL: number;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_SHAPE: number;
  executeOp(name: string, attributes: readonly Attribute[], inputs: number[], outputs: number): Handle[];
  createTensor(shape: number[], dtype: number, values: ArrayBufferView): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): Float32Array | Int32Array;
  loadSavedModel(folder: string, tags: string): number;
  deleteSavedModel(id: number): void;
  runSavedModel(id: number, inputs: number[], inputNames: string, outputNames: string): Handle[];
}

export interface NativeBackend {
  /** Everything goes through it, so that a recording can stand in its place for a while. */
  binding: Binding;
  getInputTensorIds(tensors: Tensor[]): number[];
  createOutputTensor(handle: Handle): Tensor;
}

/** Attribute of an op: its value, tagged with the kind that TensorFlow expects. */
export type AttributeValue =
  | { readonly type: 'float32' | 'int32' | 'int64' | 'bool' }
  | { readonly int: number }
  | { readonly float: number }
  | { readonly bool: boolean }
  | { readonly string: string }
  | { readonly shape: readonly number[] };

export type Attributes = Readonly<Record<string, AttributeValue>>;

/** The running backend as what it is on the tensorflow engine. */
export function nativeBackend(): NativeBackend {
  const candidate = backend() as unknown as Partial<NativeBackend>;
  if (candidate.binding === undefined) {
    throw new DragomanError('engine', 'expected the tensorflow engine for a native op, got another one');
  }
  return candidate as NativeBackend;
}

/**
 * Runs TensorFlow ops by name on raw handles. One call costs about 6 µs; going through tfjs tensors would add its
 * bookkeeping to each, which a backward pass of several hundred small ops would feel.
 */
export class NativeOps {
  readonly #backend = nativeBackend();
  #open: Handle[] | null = null;

  get #binding(): Binding {
    return this.#backend.binding;
  }

  /** Attributes in the binding's own form; make them once where an op runs often. */
  attributes(values: Attributes): readonly Attribute[] {
    const b = this.#binding;
    const types = { float32: b.TF_FLOAT, int32: b.TF_INT32, int64: b.TF_INT64, bool: b.TF_BOOL };
    return Object.entries(values).map(([name, v]): Attribute => {
      if ('type' in v) return { name, type: b.TF_ATTR_TYPE, value: types[v.type] };
      if ('int' in v) return { name, type: b.TF_ATTR_INT, value: v.int };
      if ('float' in v) return { name, type: b.TF_ATTR_FLOAT, value: v.float };
      if ('bool' in v) return { name, type: b.TF_ATTR_BOOL, value: v.bool };
      if ('shape' in v) return { name, type: b.TF_ATTR_SHAPE, value: v.shape };
      return { name, type: b.TF_ATTR_STRING, value: v.string };
    });
  }

  /** Runs an op; its outputs belong to the open {@link scope}. */
  run(name: string, attributes: readonly Attribute[], inputs: readonly Handle[], outputs = 1): Handle[] {
    const result = this.#binding.executeOp(
      name,
      attributes,
      inputs.map((h) => h.id),
      outputs,
    );
    this.#open?.push(...result);
    return result;
  }

  /** The only output of an op. */
  one(name: string, attributes: readonly Attribute[], inputs: readonly Handle[]): Handle {
    return this.run(name, attributes, inputs, 1)[0]!;
  }

  /** The handle behind a tfjs tensor, which keeps owning it. */
  from(tensor: Tensor): Handle {
    const [id] = this.#backend.getInputTensorIds([tensor]);
    return { id: id!, shape: tensor.shape, dtype: this.#dtype(tensor.dtype) };
  }

  /** Gives a handle to tfjs, in whose current tidy scope it then lives. */
  toTensor<T extends Tensor = Tensor>(handle: Handle): T {
    return this.#backend.createOutputTensor(handle) as T;
  }

  /** A handle with these values; belongs to the open scope. */
  constant(shape: number[], dtype: 'float32' | 'int32' | 'int64', values: ArrayLike<number>): Handle {
    const array =
      dtype === 'float32'
        ? Float32Array.from(values)
        : dtype === 'int32'
          ? Int32Array.from(values)
          : // The binding reads 64-bit integers from pairs of 32-bit words, low word first.
            Int32Array.from(Array.from(values).flatMap((v) => [v, v < 0 ? -1 : 0]));
    const type = this.#dtype(dtype);
    const handle = { id: this.#binding.createTensor(shape, type, array), shape, dtype: type };
    this.#open?.push(handle);
    return handle;
  }

  /** Values of a handle, copied to JavaScript. */
  read(handle: Handle): Float32Array | Int32Array {
    return this.#binding.tensorDataSync(handle.id);
  }

  free(handle: Handle): void {
    this.#binding.deleteTensor(handle.id);
  }

  /** Frees every handle made inside `f`, except those that it returns, which pass to the enclosing scope. */
  scope<T extends Handle | readonly Handle[]>(f: () => T): T {
    const outer = this.#open;
    const mine: Handle[] = [];
    this.#open = mine;
    const kept = new Set<Handle>();
    try {
      const result = f();
      for (const handle of Array.isArray(result) ? (result as Handle[]) : [result as Handle])
        kept.add(handle);
      return result;
    } finally {
      this.#open = outer;
      for (const handle of mine) {
        if (!kept.has(handle)) this.free(handle);
        else outer?.push(handle);
      }
    }
  }

  #dtype(name: string): number {
    const b = this.#binding;
    switch (name) {
      case 'float32':
        return b.TF_FLOAT;
      case 'int32':
        return b.TF_INT32;
      case 'int64':
        return b.TF_INT64;
      case 'bool':
        return b.TF_BOOL;
      default:
        throw new DragomanError('engine', `no native tensor of type ${name}`);
    }
  }
}

let shared: { backend: unknown; ops: NativeOps } | undefined;

/** The ops of the running tensorflow engine. */
export function nativeOps(): NativeOps {
  const current: unknown = backend();
  if (shared?.backend !== current) shared = { backend: current, ops: new NativeOps() };
  return shared!.ops;
}
