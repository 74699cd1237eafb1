import * as tf from '@tensorflow/tfjs-core';
import { unbroadcast } from './gradients-elementwise.js';
import { multiply } from './multiply.js';

type Rank = tf.Tensor;

/** Attributes in the types of their operation; TensorFlow.js passes them untyped. */
function typed<T>(attrs: tf.NamedAttrMap): T {
  return attrs as unknown as T;
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((a, b) => a * b, 1);
}

/** A reduced tensor with its reduced axes back, of size 1. */
function keepDims(y: Rank, shape: readonly number[], axes: readonly number[]): Rank {
  return tf.reshape(
    y,
    shape.map((size, axis) => (axes.includes(axis) ? 1 : size)),
  );
}

function spread(y: Rank, shape: readonly number[], axes: readonly number[]): Rank {
  return tf.broadcastTo(keepDims(y, shape, axes), [...shape]);
}

/** The largest or smallest of x: the gradient goes to all elements that equal it. */
function ofExtreme(kernelName: typeof tf.Max | typeof tf.Min): tf.GradConfig {
  return {
    kernelName,
    inputsToSave: ['x'],
    outputsToSave: [true],
    gradFunc: (dy, saved, attrs) => {
      const [x, y] = saved as [Rank, Rank];
      const { reductionIndices, axis } = typed<Partial<tf.MaxAttrs & tf.MinAttrs>>(attrs); // two names for one
      const axes = tf.util.parseAxisParam((reductionIndices ?? axis)!, x.shape);
      return {
        x: () => {
          const chosen = tf.cast(tf.equal(x, keepDims(y, x.shape, axes)), 'float32');
          return tf.mul(chosen, keepDims(dy as Rank, x.shape, axes));
        },
      };
    },
  };
}

function ofReshape(kernelName: string, input: string): tf.GradConfig {
  return {
    kernelName,
    inputsToSave: [input],
    gradFunc: (dy, saved) => ({ [input]: () => tf.reshape(dy as Rank, saved[0]!.shape) }),
  };
}

/**
 * Gradient of y = x gathered along `axis`: each row of dy is added to the row of x that it was read from.
 * x [B…, O…, n, I…], indices [B…, K…], y [B…, O…, K…, I…]; B are the `batchDims`, O what lies before the axis.
 */
function gatherGradient(dy: Rank, x: Rank, indices: Rank, axis: number, batchDims: number): Rank {
  const n = x.shape[axis]!;
  const batch = product(x.shape.slice(0, batchDims));
  const outer = product(x.shape.slice(batchDims, axis));
  const inner = product(x.shape.slice(axis + 1));
  const picked = product(indices.shape.slice(batchDims));
  let rows = tf.reshape(dy, [batch, outer, picked, inner]);
  if (outer > 1) rows = tf.transpose(rows, [0, 2, 1, 3]); // [B, K, O, I]
  let ids = tf.reshape(indices, [batch, picked]);
  if (batch > 1) ids = tf.add(ids, tf.reshape(tf.range(0, batch * n, n, 'int32'), [batch, 1]));
  const flat = tf.reshape(ids, [batch * picked]) as tf.Tensor1D;
  const sums = tf.unsortedSegmentSum(tf.reshape(rows, [batch * picked, outer * inner]), flat, batch * n);
  if (outer === 1) return tf.reshape(sums, x.shape);
  return tf.reshape(tf.transpose(tf.reshape(sums, [batch, n, outer, inner]), [0, 2, 1, 3]), x.shape);
}

/** Gradient of y = x repeated: the copies are added, one axis after the other. */
function tileGradient(dy: Rank, x: Rank, reps: readonly number[]): Rank {
  let sum = dy;
  const done: number[] = [];
  reps.forEach((times, axis) => {
    const size = x.shape[axis]!;
    const before = product(done);
    if (times > 1) {
      const after = product(sum.shape.slice(axis + 1)) * size;
      sum = tf.sum(tf.reshape(sum, [before, times, after]), 1);
    }
    done.push(size);
    sum = tf.reshape(sum, [...done, ...dy.shape.slice(axis + 1)]);
  });
  return sum;
}

/** Gradients of what moves, joins, sums and multiplies whole tensors. */
export const structuralGradients: readonly tf.GradConfig[] = [
  {
    kernelName: tf.BatchMatMul,
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, saved, attrs) => {
      const [a, b] = saved as [Rank, Rank];
      const { transposeA, transposeB } = typed<tf.BatchMatMulAttrs>(attrs);
      const d = dy as Rank;
      return {
        a: () =>
          unbroadcast(
            transposeA ? multiply(b, d, transposeB, true) : multiply(d, b, false, !transposeB),
            a.shape,
          ),
        b: () =>
          unbroadcast(
            transposeB ? multiply(d, a, true, transposeA) : multiply(a, d, !transposeA, false),
            b.shape,
          ),
      };
    },
  },
  {
    kernelName: tf.AddN,
    saveAllInputs: true,
    gradFunc: (dy, saved) => Object.fromEntries(saved.map((_, i) => [i, () => tf.clone(dy as Rank)])),
  },
  {
    kernelName: tf.Sum,
    inputsToSave: ['x'],
    gradFunc: (dy, saved, attrs) => {
      const { shape } = saved[0]!;
      const axes = tf.util.parseAxisParam(typed<tf.SumAttrs>(attrs).axis, shape);
      return { x: () => spread(dy as Rank, shape, axes) };
    },
  },
  {
    kernelName: tf.Mean,
    inputsToSave: ['x'],
    gradFunc: (dy, saved, attrs) => {
      const { shape } = saved[0]!;
      const axes = tf.util.parseAxisParam(typed<tf.MeanAttrs>(attrs).axis, shape);
      const count = product(axes.map((axis) => shape[axis]!));
      return { x: () => spread(tf.div(dy as Rank, count), shape, axes) };
    },
  },
  ofExtreme(tf.Max),
  ofExtreme(tf.Min),
  {
    // dx = y ∘ (dy - Σ y ∘ dy)
    kernelName: tf.Softmax,
    outputsToSave: [true],
    gradFunc: (dy, saved, attrs) => {
      const y = saved[0]!;
      const { dim } = typed<tf.SoftmaxAttrs>(attrs);
      return {
        logits: () => {
          const weighted = tf.mul(dy as Rank, y);
          return tf.sub(weighted, tf.mul(tf.sum(weighted, dim, true), y));
        },
      };
    },
  },
  {
    kernelName: tf.Cumsum,
    gradFunc: (dy, _, attrs) => {
      const { axis, exclusive, reverse } = typed<tf.CumsumAttrs>(attrs);
      return { x: () => tf.cumsum(dy as Rank, axis, exclusive, !reverse) };
    },
  },
  {
    kernelName: tf.GatherV2,
    inputsToSave: ['x', 'indices'],
    gradFunc: (dy, saved, attrs) => {
      const [x, indices] = saved as [Rank, Rank];
      const { axis, batchDims } = typed<tf.GatherV2Attrs>(attrs);
      const [along] = tf.util.parseAxisParam(axis, x.shape);
      return {
        x: () => gatherGradient(dy as Rank, x, indices, along!, batchDims ?? 0),
        indices: () => tf.zerosLike(tf.cast(indices, 'float32')),
      };
    },
  },
  {
    kernelName: tf.UnsortedSegmentSum,
    inputsToSave: ['segmentIds'],
    gradFunc: (dy, saved) => {
      const ids = saved[0] as tf.Tensor1D;
      return {
        x: () => {
          // Rows with an id below 0 were left out: they read row 0, and that is taken away again.
          const rows = tf.gather(dy as Rank, tf.maximum(ids, tf.scalar(0, 'int32')));
          const shape = [ids.shape[0], ...rows.shape.slice(1).map(() => 1)];
          const counted = tf.cast(tf.greaterEqual(ids, tf.scalar(0, 'int32')), 'float32');
          return tf.mul(rows, tf.reshape(counted, shape));
        },
        segmentIds: () => tf.zerosLike(tf.cast(ids, 'float32')),
      };
    },
  },
  ofReshape(tf.Reshape, 'x'),
  ofReshape(tf.ExpandDims, 'input'),
  {
    kernelName: tf.Transpose,
    gradFunc: (dy, _, attrs) => {
      const { perm } = typed<tf.TransposeAttrs>(attrs);
      const back = perm.map((__, axis) => perm.indexOf(axis));
      return { x: () => tf.transpose(dy as Rank, back) };
    },
  },
  {
    kernelName: tf.Reverse,
    gradFunc: (dy, _, attrs) => ({ x: () => tf.reverse(dy as Rank, typed<tf.ReverseAttrs>(attrs).dims) }),
  },
  {
    kernelName: tf.Tile,
    inputsToSave: ['x'],
    gradFunc: (dy, saved, attrs) => ({
      x: () => tileGradient(dy as Rank, saved[0]!, typed<tf.TileAttrs>(attrs).reps),
    }),
  },
  {
    kernelName: tf.PadV2,
    inputsToSave: ['x'],
    gradFunc: (dy, saved, attrs) => {
      const { paddings } = typed<tf.PadV2Attrs>(attrs);
      const begin = paddings.map(([before]) => before);
      return { x: () => tf.slice(dy as Rank, begin, saved[0]!.shape) };
    },
  },
  {
    kernelName: tf.Slice,
    inputsToSave: ['x'],
    gradFunc: (dy, saved, attrs) => {
      const { shape } = saved[0]!;
      const { begin, size } = typed<tf.SliceAttrs>(attrs);
      const [from] = tf.slice_util.parseSliceParams(saved[0]!, begin, size);
      const d = dy as Rank;
      const paddings = shape.map((whole, axis): [number, number] => {
        const before = from![axis]!;
        return [before, whole - before - d.shape[axis]!];
      });
      return { x: () => tf.pad(d, paddings) };
    },
  },
  {
    kernelName: tf.Concat,
    saveAllInputs: true,
    gradFunc: (dy, saved, attrs) => {
      const [axis] = tf.util.parseAxisParam(typed<tf.ConcatAttrs>(attrs).axis, saved[0]!.shape);
      const sizes = saved.map(({ shape }) => shape[axis!]!);
      return Object.fromEntries(tf.split(dy as Rank, sizes, axis).map((part, i) => [i, () => part]));
    },
  },
  {
    kernelName: tf.SplitV,
    gradFunc: (dy, _, attrs) => ({ x: () => tf.concat(dy as Rank[], typed<tf.SplitVAttrs>(attrs).axis) }),
  },
  {
    kernelName: tf.Pack,
    saveAllInputs: true,
    gradFunc: (dy, _, attrs) =>
      Object.fromEntries(
        tf.unstack(dy as Rank, typed<tf.PackAttrs>(attrs).axis).map((part, i) => [i, () => part]),
      ),
  },
  {
    kernelName: tf.Unpack,
    gradFunc: (dy, _, attrs) => ({
      value: () => tf.stack(dy as Rank[], typed<tf.UnpackAttrs>(attrs).axis),
    }),
  },
  {
    // The ids take no gradient, and need none of their own shape.
    kernelName: tf.OneHot,
    inputsToSave: ['indices'],
    gradFunc: (_, saved) => ({ indices: () => tf.zeros(saved[0]!.shape, 'float32') }),
  },
];
