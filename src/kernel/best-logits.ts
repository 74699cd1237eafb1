import { getBackend, logSumExp, type Tensor2D, tidy, topk } from '@tensorflow/tfjs-core';
import { hasCompiledKernels } from '../engine/compiled-kernels.js';
import { type Handle, type NativeOps, nativeOps } from '../engine/native.js';

/** The k largest logits of each row, largest first; equal ones by lower id. */
export interface BestLogits {
  /** `[rows, k]` */
  readonly ids: Int32Array;
  /** `[rows, k]` */
  readonly logits: Float32Array;
  /** `[rows]` ln of the sum of exp(logits) over the whole row. */
  readonly normalisers: Float32Array;
  readonly k: number;
}

/**
 * The k best of each row of `logits [rows, vocabulary]`, with what makes them log-probabilities, read back. The softmax is
 * never formed, and no more than `2 k + 1` numbers a row leave the engine. Does not dispose `logits`.
 */
export function bestLogits(logits: Tensor2D, k: number): BestLogits {
  const count = Math.min(k, logits.shape[1]);
  if (getBackend() !== 'tensorflow') return composedBest(logits, count);
  return hasCompiledKernels() ? compiledBest(logits, count) : nativeBest(logits, count);
}

/** By our own operation, in one pass for the largest and one for the sum. */
function compiledBest(logits: Tensor2D, k: number): BestLogits {
  const native = nativeOps();
  let best: BestLogits | undefined;
  native.scope((): Handle[] => {
    const given = [native.from(logits), native.constant([], 'int32', [k])];
    const [ids, values, sums] = native
      .run('DragomanBestStep', [], given, 3)
      .map((handle) => native.read(handle)) as [Int32Array, Float32Array, Float32Array];
    best = { ids, logits: values, normalisers: sums, k };
    return [];
  });
  return best!;
}

/** The same from single operations: the reference, and what runs where there is no faster way. */
export function composedBest(logits: Tensor2D, k: number): BestLogits {
  const best = topk(logits, k);
  const sums = tidy(() => logSumExp(logits, 1));
  try {
    return {
      ids: best.indices.dataSync<'int32'>(),
      logits: best.values.dataSync<'float32'>(),
      normalisers: sums.dataSync<'float32'>(),
      k,
    };
  } finally {
    for (const tensor of [best.values, best.indices, sums]) tensor.dispose();
  }
}

const FLOAT = { T: { type: 'float32' } } as const;

function nativeBest(logits: Tensor2D, k: number): BestLogits {
  const native = nativeOps();
  let best: BestLogits | undefined;
  native.scope((): Handle[] => {
    const z = native.from(logits);
    const normalisers = quickNormalisers(native, z);
    const found = bestOfBlocks(native, z, logits.shape, k) ?? bestOfRows(native, z, k);
    if (normalisers !== null) best = { ...found, normalisers, k };
    return [];
  });
  return best ?? composedBest(logits, k);
}

/** Between these a sum of exponentials has lost nothing that 32 bits could hold. */
const SMALLEST = 1e-30;
const LARGEST = 1e30;

/**
 * ln sum exp(z) without taking the largest logit off first, which would read and write all of z twice more. Null
 * where a sum leaves the range in which that is exact.
 */
function quickNormalisers(native: NativeOps, z: Handle): Float32Array | null {
  const reduce = native.attributes({ ...FLOAT, Tidx: { type: 'int32' }, keep_dims: { bool: false } });
  const axis = native.constant([1], 'int32', [1]);
  const exponentials = native.one('Exp', native.attributes(FLOAT), [z]);
  const sums = native.read(native.one('Sum', reduce, [exponentials, axis])) as Float32Array;
  const normalisers = new Float32Array(sums.length);
  for (let row = 0; row < sums.length; row++) {
    const sum = sums[row]!;
    if (!(sum > SMALLEST && sum < LARGEST)) return null;
    normalisers[row] = Math.log(sum);
  }
  return normalisers;
}

type Found = Pick<BestLogits, 'ids' | 'logits'>;

function top(native: NativeOps, x: Handle, k: number): [values: Handle, indices: Handle] {
  const attributes = native.attributes({ ...FLOAT, sorted: { bool: true }, index_type: { type: 'int32' } });
  return native.run('TopKV2', attributes, [x, native.constant([], 'int32', [k])], 2) as [Handle, Handle];
}

function bestOfRows(native: NativeOps, z: Handle, k: number): Found {
  const [values, indices] = top(native, z, k);
  return { logits: native.read(values) as Float32Array, ids: native.read(indices) as Int32Array };
}

/** Widths of a block, the better first: about the square root of a usual vocabulary. */
const WIDTHS = [32, 40, 25, 50, 20, 64, 16];
/** A single row is searched as fast as it is cut into blocks. */
const ROWS_FOR_BLOCKS = 2;

/**
 * The k best of a row stand in the k blocks with the largest maxima. TensorFlow's TopKV2 goes through a row element by
 * element, with a heap; its maximum takes eight at a time. Null where blocks do not pay, where the vocabulary does not
 * fall into blocks, or where ties at the last place would have to be broken.
 */
function bestOfBlocks(
  native: NativeOps,
  z: Handle,
  [rows, size]: readonly [number, number],
  k: number,
): Found | null {
  const width = WIDTHS.find((w) => size % w === 0);
  // One more than wanted tells whether the last place is tied.
  const count = k + 1;
  if (rows < ROWS_FOR_BLOCKS || width === undefined || count * width * 4 > size) return null;
  const blocks = size / width;
  const shaped = native.attributes({ ...FLOAT, Tshape: { type: 'int32' } });
  const reshape = (x: Handle, shape: number[]) =>
    native.one('Reshape', shaped, [x, native.constant([shape.length], 'int32', shape)]);
  const reduce = native.attributes({ ...FLOAT, Tidx: { type: 'int32' }, keep_dims: { bool: false } });
  const cut = reshape(z, [rows, blocks, width]);
  const maxima = native.one('Max', reduce, [cut, native.constant([1], 'int32', [2])]); // [rows, blocks]
  const [, chosen] = top(native, maxima, count); // [rows, count]
  const gather = native.attributes({
    Tparams: { type: 'float32' },
    Tindices: { type: 'int32' },
    Taxis: { type: 'int32' },
    batch_dims: { int: 1 },
  });
  const candidates = native.one('GatherV2', gather, [cut, chosen, native.constant([], 'int32', [1])]);
  const [values, places] = top(native, reshape(candidates, [rows, count * width]), count);

  const [found, at, block] = [values, places, chosen].map((handle) => native.read(handle));
  const ids = new Int32Array(rows * k);
  const logits = new Float32Array(rows * k);
  for (let row = 0; row < rows; row++) {
    const from = row * count;
    if (found![from + k - 1] === found![from + k]) return null;
    for (let i = 0; i < k; i++) {
      const place = at![from + i]!;
      const id = block![from + Math.floor(place / width)]! * width + (place % width);
      const value = found![from + i]!;
      // Blocks do not stand in the order of their ids: equal values are put into it.
      let to = row * k + i;
      for (; to > row * k && logits[to - 1] === value && ids[to - 1]! > id; to--) ids[to] = ids[to - 1]!;
      ids[to] = id;
      logits[row * k + i] = value;
    }
  }
  return { ids, logits };
}
