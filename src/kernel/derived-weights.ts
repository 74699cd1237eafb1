import type { Tensor } from '@tensorflow/tfjs-core';
import { type Handle, type NativeOps, nativeOps } from '../engine/native.js';
import { areSame, type StepParts } from './step-parts.js';

/**
 * What a native decoder step derives from the parameters: made once, and again when a parameter has changed. Outside
 * tfjs's bookkeeping; {@link free} ends it.
 */
export abstract class DerivedWeights {
  readonly #native: NativeOps = nativeOps();
  readonly #float = this.#native.attributes({ T: { type: 'float32' } });
  readonly #owned: Handle[] = [];
  readonly #made: StepParts;

  constructor(parts: StepParts) {
    this.#made = parts;
  }

  /** Whether these are the weights of these parameters, as they are now. */
  isOf(parts: StepParts): boolean {
    return areSame(this.#made, parts);
  }

  free(): void {
    for (const handle of this.#owned) this.#native.free(handle);
    this.#owned.length = 0;
  }

  /** Runs `make` in a scope and keeps the handles that it returns. */
  protected keep<T extends Readonly<Record<string, Handle>>>(make: () => T): T {
    let made: T | undefined;
    this.#native.scope(() => {
      made = make();
      const handles = Object.values(made);
      this.#owned.push(...handles);
      return handles;
    });
    return made!;
  }

  protected from(...tensors: Tensor[]): Handle[] {
    return tensors.map((tensor) => this.#native.from(tensor));
  }

  /** Parameters are variables: what is kept of them must be a copy, or their next update makes one. */
  protected copy(handle: Handle): Handle {
    return this.#native.one('DeepCopy', this.#float, [handle]);
  }

  protected constant(shape: number[], value: number): Handle {
    const size = shape.reduce((a, b) => a * b, 1);
    return this.#native.constant(shape, 'float32', new Array<number>(size).fill(value));
  }

  protected concat(axis: number, parts: readonly Handle[]): Handle {
    const native = this.#native;
    const attributes = native.attributes({
      T: { type: 'float32' },
      N: { int: parts.length },
      Tidx: { type: 'int32' },
    });
    return native.one('ConcatV2', attributes, [...parts, native.constant([], 'int32', [axis])]);
  }

  protected split(whole: Handle, sizes: number[], axis: number): Handle[] {
    const native = this.#native;
    const attributes = native.attributes({
      T: { type: 'float32' },
      num_split: { int: sizes.length },
      Tlen: { type: 'int32' },
    });
    const inputs = [
      whole,
      native.constant([sizes.length], 'int32', sizes),
      native.constant([], 'int32', [axis]),
    ];
    // The op may answer with views into its input, which would keep all of it alive.
    return native.run('SplitV', attributes, inputs, sizes.length).map((part) => this.copy(part));
  }

  /** The output layer's matrix, `[output, vocabulary]`. */
  protected outputMatrix({ output: { matrix, transposed } }: StepParts): Handle {
    const native = this.#native;
    const handle = native.from(matrix);
    if (!transposed) return handle;
    const attributes = native.attributes({ T: { type: 'float32' }, Tperm: { type: 'int32' } });
    return native.one('Transpose', attributes, [handle, native.constant([2], 'int32', [1, 0])]);
  }

  protected row(vector: Handle): Handle {
    const native = this.#native;
    const attributes = native.attributes({ T: { type: 'float32' }, Tdim: { type: 'int32' } });
    return native.one('ExpandDims', attributes, [vector, native.constant([], 'int32', [0])]);
  }
}
