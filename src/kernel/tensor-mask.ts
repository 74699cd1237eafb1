import {
  add,
  cast,
  less,
  maximum,
  mul,
  range,
  reshape,
  type Scalar,
  scalar,
  slice,
  sub,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  transpose,
  where,
} from '@tensorflow/tfjs-core';
import { MASKED, SequenceMask } from './mask.js';

/**
 * A mask whose lengths are a tensor, and which computes all that it gives by operations: for a recorded step, whose
 * batches have one shape and rows of any length.
 */
export class TensorMask extends SequenceMask {
  readonly #lengths: Tensor1D;

  /** @param lengths real steps of each row, int32 `[batch]` */
  constructor(lengths: Tensor1D, time: number) {
    super(new Int32Array(lengths.shape[0]), time);
    this.#lengths = lengths;
  }

  override steps(): Tensor1D {
    return this.#lengths;
  }

  override column(t: number): Tensor2D {
    return reshape(slice(this.weights(), [t, 0, 0], [1, this.batch, 1]), [this.batch, 1]);
  }

  override weights(): Tensor3D {
    return reshape(cast(this.#real(), 'float32'), [this.time, this.batch, 1]);
  }

  override bias(): Tensor3D {
    const padded = sub(1, cast(transpose(this.#real()), 'float32')); // [batch, time]
    return reshape(mul(padded, MASKED), [this.batch, 1, this.time]);
  }

  override counts(): Tensor2D {
    return reshape(cast(maximum(this.#lengths, whole(1)), 'float32'), [this.batch, 1]);
  }

  protected override reversal(): Tensor1D {
    const from = sub(sub(this.#row(), whole(1)), this.#step()); // [time, batch]
    const steps = where(this.#real(), from, add(this.#step(), mul(this.#row(), whole(0))));
    return reshape(add(mul(steps, whole(this.batch)), this.#columns()), [this.time * this.batch]);
  }

  protected override ends(before: 0 | 1): Tensor1D {
    return add(mul(maximum(sub(this.#lengths, whole(before)), whole(0)), whole(this.batch)), this.#columns());
  }

  /** `[time, batch]` */
  #real(): Tensor2D {
    return less(this.#step(), this.#row());
  }

  #row(): Tensor2D {
    return reshape(this.#lengths, [1, this.batch]);
  }

  #step(): Tensor2D {
    return reshape(range(0, this.time, 1, 'int32'), [this.time, 1]);
  }

  #columns(): Tensor1D {
    return range(0, this.batch, 1, 'int32');
  }
}

function whole(value: number): Scalar {
  return scalar(value, 'int32');
}
