import {
  BatchMatMul,
  getKernel,
  type KernelFunc,
  registerKernel,
  type Tensor,
  unregisterKernel,
} from '@tensorflow/tfjs-core';
import { type Attribute, type Attributes, type Handle, type NativeOps, nativeOps } from './native.js';

/** Rows of the result from which oneDNN is the faster one where the second factor is not transposed. */
const MANY_ROWS = 512;

const FLOAT: Attributes = { T: { type: 'float32' } };

/** Attribute by which TensorFlow finds oneDNN's kernels. */
const BY_ONEDNN = { _kernel: { string: 'MklNameChangeOp' } } as const;

/** What the two product ops call the attributes that transpose their factors. */
const TRANSPOSITIONS = {
  MatMul: ['transpose_a', 'transpose_b'],
  BatchMatMulV2: ['adj_x', 'adj_y'],
} as const;

/**
 * A product on the tensorflow engine. TensorFlow has two libraries for them: its own, which loses two thirds of its
 * speed where the second factor is transposed and the rows are few, and oneDNN's, which loses a third where it is not
 * and the rows are few, and is the faster one in large products. (TF_ENABLE_ONEDNN_OPTS would choose one of them for
 * everything.)
 * @param always by oneDNN, whatever the form
 */
function run(
  native: NativeOps,
  kind: keyof typeof TRANSPOSITIONS,
  a: Handle,
  b: Handle,
  transposeA: boolean,
  transposeB: boolean,
  always = false,
): Handle {
  const rows = a.shape[a.shape.length - (transposeA ? 1 : 2)]!;
  const oneDnn =
    (always || transposeB || rows >= MANY_ROWS || isBatch(a) || precision === 'bfloat16') &&
    hasOneDnn(native, `_Mkl${kind}`, formOf(kind, transposeA, transposeB), 2);
  return native.one(
    oneDnn ? `_Mkl${kind}` : kind,
    attributesOf(native, kind, transposeA, transposeB, oneDnn),
    [a, b],
  );
}

function formOf(kind: keyof typeof TRANSPOSITIONS, transposeA: boolean, transposeB: boolean): Attributes {
  const [first, second] = TRANSPOSITIONS[kind];
  return { ...FLOAT, [first]: { bool: transposeA }, [second]: { bool: transposeB } };
}

/** A product's attributes, which are the same for every engine of TensorFlow's: made once. */
const made = new Map<string, readonly Attribute[]>();

function attributesOf(
  native: NativeOps,
  kind: keyof typeof TRANSPOSITIONS,
  transposeA: boolean,
  transposeB: boolean,
  oneDnn: boolean,
): readonly Attribute[] {
  const key = `${kind} ${transposeA} ${transposeB} ${oneDnn}`;
  let attributes = made.get(key);
  if (attributes === undefined) {
    const form = formOf(kind, transposeA, transposeB);
    attributes = native.attributes(oneDnn ? { ...form, ...BY_ONEDNN } : form);
    made.set(key, attributes);
  }
  return attributes;
}

/** Whether there are several products, of which oneDNN makes two to four times as many in whatever form. */
function isBatch({ shape }: Handle): boolean {
  return shape.slice(0, -2).some((size) => size > 1);
}

const known = new Map<string, boolean>();

/**
 * Whether this build of TensorFlow has an op of oneDNN's: asked once, by running it on the number 1.
 * @param inputs it takes
 */
function hasOneDnn(native: NativeOps, name: string, values: Attributes, inputs: number): boolean {
  let found = known.get(name);
  if (found !== undefined) return found;
  try {
    native.scope(() => {
      const one = native.constant([1, 1], 'float32', [1]);
      return native.one(name, native.attributes({ ...values, ...BY_ONEDNN }), new Array(inputs).fill(one));
    });
    found = true;
  } catch {
    found = false;
  }
  known.set(name, found);
  return found;
}

/** exp z_j / Σ exp z_k over the last axis of a matrix; oneDNN takes half the time of TensorFlow's own. */
export function softmax(logits: Handle): Handle {
  const native = nativeOps();
  return hasOneDnn(native, '_MklSoftmax', FLOAT, 1)
    ? native.one('_MklSoftmax', native.attributes({ ...FLOAT, ...BY_ONEDNN }), [logits])
    : native.one('Softmax', native.attributes(FLOAT), [logits]);
}

/**
 * The product of two float matrices, either of them transposed first.
 * @param a `[rows, inner]`, or transposed
 * @param b `[inner, columns]`, or transposed
 */
export function product(a: Handle, b: Handle, transposeA = false, transposeB = false): Handle {
  return run(nativeOps(), 'MatMul', a, b, transposeA, transposeB);
}

/** One product for each of a batch, either factor transposed in its last two axes. */
export function batchProduct(a: Handle, b: Handle, transposeA = false, transposeB = false): Handle {
  return run(nativeOps(), 'BatchMatMulV2', a, b, transposeA, transposeB);
}

/**
 * {@link product} by oneDNN in any case, where it is there: for forms that were measured.
 */
export function oneDnnProduct(a: Handle, b: Handle): Handle {
  return run(nativeOps(), 'MatMul', a, b, false, false, true);
}

/** What products are computed in; their results are 32-bit floats in any case. */
export const PRECISIONS = ['float32', 'bfloat16', 'int8'] as const;

export type Precision = (typeof PRECISIONS)[number];

let precision: Precision = 'float32';

/**
 * Has tfjs's own products of floats, `matMul`, take the same way as {@link product}; to be called once, when the engine is loaded.
 * @param wanted with `bfloat16` all products go to oneDNN, which then rounds the factors on their way into the
 *   processor's products, and sums in 32 bits
 */
export function registerProducts(wanted: Precision): void {
  precision = wanted;
  const original = getKernel(BatchMatMul, 'tensorflow');
  const kernelFunc: KernelFunc = (call) => {
    const { a, b } = call.inputs as unknown as { a: Tensor; b: Tensor };
    if (a.dtype !== 'float32' || b.dtype !== 'float32') return original.kernelFunc(call);
    const { transposeA, transposeB } = call.attrs as unknown as { transposeA: boolean; transposeB: boolean };
    const native = nativeOps();
    return native.toTensor(
      native.scope(() => batchProduct(native.from(a), native.from(b), transposeA, transposeB)),
    );
  };
  unregisterKernel(BatchMatMul, 'tensorflow');
  registerKernel({ ...original, kernelFunc });
}
