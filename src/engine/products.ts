import {
  BatchMatMul,
  type KernelFunc,
  registerKernel,
  type Tensor,
  unregisterKernel,
} from '@tensorflow/tfjs-core';
import { type AttributeValue, type Handle, type NativeOps, nativeOps } from './native.js';

/** Rows of the result from which oneDNN is the faster one where the second factor is not transposed. */
const MANY_ROWS = 512;

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
 */
function run(
  native: NativeOps,
  kind: keyof typeof TRANSPOSITIONS,
  a: Handle,
  b: Handle,
  transposeA: boolean,
  transposeB: boolean,
): Handle {
  const rows = a.shape[a.shape.length - (transposeA ? 1 : 2)]!;
  const oneDnn = (transposeB || rows >= MANY_ROWS) && hasOneDnn(native);
  const key = `${kind}${transposeA}${transposeB}${oneDnn}`;
  let attributes = made.get(key);
  if (attributes === undefined) {
    const [first, second] = TRANSPOSITIONS[kind];
    const values: Record<string, AttributeValue> = {
      T: { type: 'float32' },
      [first]: { bool: transposeA },
      [second]: { bool: transposeB },
    };
    attributes = native.attributes(oneDnn ? { ...values, ...BY_ONEDNN } : values);
    made.set(key, attributes);
  }
  return native.one(oneDnn ? `_Mkl${kind}` : kind, attributes, [a, b]);
}

const made = new Map<string, ReturnType<NativeOps['attributes']>>();

let present: boolean | null = null;

/** Whether this build of TensorFlow has oneDNN's kernels: asked once, of TensorFlow itself. */
function hasOneDnn(native: NativeOps): boolean {
  if (present !== null) return present;
  present = true;
  try {
    native.scope(() => {
      const one = native.constant([1, 1], 'float32', [1]);
      return [run(native, 'MatMul', one, one, false, true)].slice(1);
    });
  } catch {
    present = false;
  }
  return present;
}

/**
 * The product of two float matrices, either of them transposed first.
 * @param a `[rows, inner]`, or transposed
 * @param b `[inner, columns]`, or transposed
 */
export function product(a: Handle, b: Handle, transposeA = false, transposeB = false): Handle {
  return run(nativeOps(), 'MatMul', a, b, transposeA, transposeB);
}

/** tfjs's own product, `matMul`, by the same choice. */
const kernelFunc: KernelFunc = ({ inputs, attrs }) => {
  const native = nativeOps();
  const { a, b } = inputs as unknown as { a: Tensor; b: Tensor };
  const { transposeA, transposeB } = attrs as unknown as { transposeA: boolean; transposeB: boolean };
  const handles = native.scope(() =>
    run(native, 'BatchMatMulV2', native.from(a), native.from(b), transposeA, transposeB),
  );
  return native.toTensor(handles);
};

/** Has the products of tfjs take the same way; to be called once, when the engine is loaded. */
export function registerProducts(): void {
  unregisterKernel(BatchMatMul, 'tensorflow');
  registerKernel({ kernelName: BatchMatMul, backendName: 'tensorflow', kernelFunc });
}
