import type { Handle } from '../engine/native.js';
import type { StepOperations } from './step-operations.js';
import type { StepAttention, StepSource } from './step-parts.js';

export interface Attended {
  /** `[rows, memory]` */
  readonly context: Handle;
  /** `[rows, source]` */
  readonly weights: Handle;
}

/**
 * Attention of one step from single operations.
 * @param s `[rows, query]`, rows being `batch` groups of equally many hypotheses
 */
export function attend(
  ops: StepOperations,
  attention: StepAttention,
  source: StepSource,
  s: Handle,
  rows: number,
): Attended {
  const { memory, keys, bias } = source.attention!;
  const [batch, length, memorySize] = memory.shape;
  const width = rows / batch;
  const size = keys.shape[2];
  const from = ops.native;
  const keysHandle = from.from(keys);
  let scores: Handle; // [batch, width, source]
  if (attention.kind === 'product') {
    scores = ops.productsTransposed(ops.reshape(s, [batch, width, size]), keysHandle, rows);
  } else {
    const query = ops.biasAdd(ops.product(s, from.from(attention.kernel), rows), from.from(attention.bias));
    const both = ops.add(
      ops.reshape(query, [batch, width, 1, size]),
      ops.reshape(keysHandle, [batch, 1, length, size]),
    );
    const compared = ops.reshape(ops.tanh(both), [rows * length, size]);
    const vector = ops.reshape(from.from(attention.vector), [size, 1]);
    scores = ops.reshape(ops.product(compared, vector, 1), [batch, width, length]);
  }
  const weights = ops.softmax(ops.add(scores, from.from(bias)));
  const context = ops.products(weights, from.from(memory));
  return {
    context: ops.reshape(context, [rows, memorySize]),
    weights: ops.reshape(weights, [rows, length]),
  };
}
