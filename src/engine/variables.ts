import { getBackend, keep, type Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import { type Handle, nativeOps } from './native.js';

/**
 * One number array that lives on the engine and changes in place: a parameter, or a moment of the optimizer.
 * On the tensorflow engine it is a resource variable; elsewhere a tensor that is replaced.
 */
export interface Variable {
  readonly shape: readonly number[];
  /** The value now; owned by the variable, valid until the next change. */
  value(): Tensor;
  assign(values: Float32Array): void;
  dispose(): void;
}

/** A variable on an engine without resource variables. */
export class PortableVariable implements Variable {
  #value: Tensor;

  constructor(
    readonly shape: readonly number[],
    values: Float32Array,
  ) {
    this.#value = keep(tensor(values, [...shape], 'float32'));
  }

  value(): Tensor {
    return this.#value;
  }

  assign(values: Float32Array): void {
    this.replace(() => tensor(values, [...this.shape], 'float32'));
  }

  /** Sets the variable to what `compute` returns. */
  replace(compute: () => Tensor): void {
    const next = keep(tidy(compute));
    this.#value.dispose();
    this.#value = next;
  }

  dispose(): void {
    this.#value.dispose();
  }
}

/** A graph with variables of its own, which stand for ours while it runs step after step. */
export interface Residence {
  /** Gives every variable that lives there its value: {@link ResourceVariable.receive}. */
  bringValues(): void;
}

/**
 * A TensorFlow resource variable. Reading shares its memory; an update in place is free of copies only while no read
 * value is alive, so {@link handleForUpdate} drops it first. Graphs cannot reach the variables of single operations:
 * while a graph updates it, its newest value lives there, and comes back when a single operation is to change it.
 */
export class ResourceVariable implements Variable {
  readonly handle: Handle;
  #read: Tensor | null = null;
  #residence: Residence | null = null;

  constructor(
    readonly shape: readonly number[],
    values: Float32Array,
  ) {
    const native = nativeOps();
    const type = { dtype: { type: 'float32' } } as const;
    // An anonymous variable is freed with its handle; a named one would stay until the process ends.
    this.handle = native.one(
      'VarHandleOp',
      native.attributes({ ...type, shape: { shape: [...shape] }, shared_name: { string: ANONYMOUS } }),
      [],
    );
    this.assign(values);
  }

  value(): Tensor {
    if (this.#read === null && this.#residence !== null) this.#residence.bringValues();
    if (this.#read === null) {
      const native = nativeOps();
      const attributes = native.attributes({ dtype: { type: 'float32' } });
      this.#read = keep(native.toTensor(native.one('ReadVariableOp', attributes, [this.handle])));
    }
    return this.#read;
  }

  assign(values: Float32Array): void {
    const native = nativeOps();
    const source = tensor(values, [...this.shape], 'float32');
    native.scope((): Handle[] => {
      // A tensor made from an array may share its memory, and updates in place would then change the caller's array.
      const copy = native.one('DeepCopy', native.attributes({ T: { type: 'float32' } }), [
        native.from(source),
      ]);
      this.take(copy);
      return [];
    });
    source.dispose();
  }

  /** The handle for an op that changes the variable. */
  handleForUpdate(): Handle {
    if (this.#residence !== null) {
      this.take(nativeOps().from(this.value()));
    }
    this.forget();
    return this.handle;
  }

  get residence(): Residence | null {
    return this.#residence;
  }

  /** From now on its newest value is there. */
  moveTo(residence: Residence): void {
    this.forget();
    this.#residence = residence;
  }

  /** Takes over its value as its residence has it. */
  receive(value: Handle): void {
    this.forget();
    this.#read = keep(nativeOps().toTensor(value));
  }

  /** Drops the value that was read: it is about to change. */
  forget(): void {
    this.#read?.dispose();
    this.#read = null;
  }

  /** Takes a tensor of its shape as its value, without a copy. */
  take(value: Handle): void {
    this.#residence = null;
    this.#set(value);
  }

  #set(value: Handle): void {
    const native = nativeOps();
    native.run(
      'AssignVariableOp',
      native.attributes({ dtype: { type: 'float32' } }),
      [this.handle, value],
      0,
    );
    this.forget();
  }

  dispose(): void {
    this.#residence = null;
    this.forget();
    nativeOps().free(this.handle);
  }
}

/** TensorFlow's name for "a resource that only its handle refers to". */
const ANONYMOUS = 'cd2c89b7-88b7-44c8-ad83-06c2a9158347';

/** A variable on the running engine. */
export function createVariable(shape: readonly number[], values: Float32Array): Variable {
  return getBackend() === 'tensorflow'
    ? new ResourceVariable(shape, values)
    : new PortableVariable(shape, values);
}
