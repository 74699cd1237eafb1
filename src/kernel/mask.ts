import {
  concat,
  customGrad,
  gather,
  mul,
  reshape,
  slice,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  tensor1d,
  tensor2d,
  tensor3d,
} from '@tensorflow/tfjs-core';

/** Which steps of a padded batch are real: step t of row b is, if t < lengths[b]. */
export class SequenceMask {
  /** True if no row has padding. */
  readonly full: boolean;

  /** @param lengths real steps of each row, 0 to `time` */
  constructor(
    protected readonly lengths: Int32Array,
    readonly time: number,
  ) {
    this.full = lengths.every((length) => length === time);
  }

  get batch(): number {
    return this.lengths.length;
  }

  /** Real steps of each row, int32 `[batch]`. */
  steps(): Tensor1D {
    return tensor1d(this.lengths, 'int32');
  }

  /** 1 for the rows that are real at step t, else 0, `[batch, 1]`; null if all are. */
  column(t: number): Tensor2D | null {
    if (this.lengths.every((length) => t < length)) return null;
    return tensor2d(
      Float32Array.from(this.lengths, (length) => (t < length ? 1 : 0)),
      [this.batch, 1],
    );
  }

  /** 1 where real, else 0, `[time, batch, 1]`. */
  weights(): Tensor3D {
    const values = new Float32Array(this.time * this.batch);
    for (let t = 0, k = 0; t < this.time; t++) {
      for (let b = 0; b < this.batch; b++, k++) values[k] = t < this.lengths[b]! ? 1 : 0;
    }
    return tensor3d(values, [this.time, this.batch, 1]);
  }

  /** 0 where real, a large negative number where padded, `[batch, 1, time]`: added to attention scores. */
  bias(): Tensor3D {
    const values = new Float32Array(this.time * this.batch);
    for (let b = 0, k = 0; b < this.batch; b++) {
      for (let t = 0; t < this.time; t++, k++) values[k] = t < this.lengths[b]! ? 0 : MASKED;
    }
    return tensor3d(values, [this.batch, 1, this.time]);
  }

  /** Real steps of each row, but at least 1, `[batch, 1]`: what a sum over steps is divided by. */
  counts(): Tensor2D {
    return tensor2d(
      Float32Array.from(this.lengths, (length) => Math.max(1, length)),
      [this.batch, 1],
    );
  }

  /** Zeros at the padded steps of x `[time, batch, size]`. */
  apply(x: Tensor3D): Tensor3D {
    return this.full ? x : (mul(x, this.weights()) as Tensor3D);
  }

  /**
   * Each row's steps in reverse, its padding left in place: what the backward direction reads, and what puts its
   * outputs back. x is `[time, batch, size]`.
   */
  reverse(x: Tensor3D): Tensor3D {
    const { time, batch } = this;
    const [, , size] = x.shape;
    const order = this.reversal();
    const permute = (value: Tensor, by: Tensor1D): Tensor3D =>
      reshape(gather(reshape(value, [time * batch, size]), by), [time, batch, size]);
    // The permutation is its own inverse, so the gradient is a look-up too, not a scatter.
    return customGrad((value, save) => {
      (save as (tensors: Tensor[]) => void)([order]);
      return {
        value: permute(value as Tensor, order),
        gradFunc: (dy: Tensor, [by]: Tensor[]) => permute(dy, by as Tensor1D),
      };
    })(x) as Tensor3D;
  }

  /**
   * The value after each row's last real step, `[batch, size]`.
   * @param initial value before the first step `[batch, size]`, that of rows without any
   * @param sequence values after each step `[time, batch, size]`
   */
  last(initial: Tensor2D, sequence: Tensor3D): Tensor2D {
    const { time, batch } = this;
    const size = initial.shape[1];
    const all = concat([initial, reshape(sequence, [time * batch, size]) as Tensor2D], 0); // [(1 + time) * batch, size]
    return gather(all, this.ends(0)) as Tensor2D;
  }

  /**
   * Each row's output at the step that its direction reads last, `[batch, size]`: the last real one, or for
   * `backward` the first; zeros for a row without steps.
   * @param outputs `[time, batch, size]`, zero at padded steps
   */
  final(outputs: Tensor3D, direction: 'forward' | 'backward'): Tensor2D {
    const { time, batch } = this;
    const size = outputs.shape[2];
    if (direction === 'backward') return reshape(slice(outputs, [0, 0, 0], [1, batch, size]), [batch, size]);
    if (this.full) return reshape(slice(outputs, [time - 1, 0, 0], [1, batch, size]), [batch, size]);
    return gather(reshape(outputs, [time * batch, size]) as Tensor2D, this.ends(1));
  }

  /** Where each step of x `[time * batch, size]` stands when every row is reversed, `[time * batch]`. */
  protected reversal(): Tensor1D {
    const { time, batch, lengths } = this;
    const rows = new Int32Array(time * batch);
    for (let t = 0, k = 0; t < time; t++) {
      for (let b = 0; b < batch; b++, k++) {
        const length = lengths[b]!;
        rows[k] = (t < length ? length - 1 - t : t) * batch + b;
      }
    }
    return tensor1d(rows, 'int32');
  }

  /** The place of step `length - before` of each row, or of step 0, in x `[time * batch, size]`, `[batch]`. */
  protected ends(before: 0 | 1): Tensor1D {
    return tensor1d(
      this.lengths.map((length, b) => Math.max(0, length - before) * this.batch + b),
      'int32',
    );
  }
}

/** The mask of a batch without padding. */
export function fullMask(batch: number, time: number): SequenceMask {
  return new SequenceMask(new Int32Array(batch).fill(time), time);
}

/** Its exponential is zero in 32-bit floats, and it stays finite where a whole row is masked. */
export const MASKED = -1e9;
