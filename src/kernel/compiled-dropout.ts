import type { Tensor } from '@tensorflow/tfjs-core';
import { number, ownOperations } from '../engine/own-operations.js';
import { customOperation } from './custom-operation.js';

/**
 * Dropout by our own operation (src/kernel/compiled/training.h): what is dropped follows from seed, stream and place, so
 * the gradient draws the same again, and no mask is kept between the passes.
 */
export function compiledDropout<T extends Tensor>(x: T, rate: number, seed: number, stream: number): T {
  const operations = ownOperations()!;
  const seeds = { dtype: 'int32', shape: [2], values: [seed | 0, stream | 0] } as const;
  const dropped = (values: Tensor): Tensor =>
    operations.run('DragomanDropout', [values, seeds, number('float32', rate)], 1)[0]!;
  return customOperation<T>(
    [x],
    ([values]) => ({ value: dropped(values!) as T, kept: [] }),
    (by) => [dropped(by)],
  );
}
