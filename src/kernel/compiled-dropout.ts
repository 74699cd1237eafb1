import type { Tensor } from '@tensorflow/tfjs-core';
import { type Handle, nativeOps } from '../engine/native.js';
import { customOperation } from './custom-operation.js';

/**
 * Dropout by our own operation (src/kernel/compiled/training.h): what is dropped follows from seed, stream and place, so
 * the gradient draws the same again, and no mask is kept between the passes.
 */
export function compiledDropout<T extends Tensor>(x: T, rate: number, seed: number, stream: number): T {
  const dropped = (values: Tensor): Tensor => {
    const native = nativeOps();
    const [result] = native.scope((): Handle[] => {
      const seeds = native.constant([2], 'int32', [seed | 0, stream | 0]);
      const share = native.constant([], 'float32', [rate]);
      return [native.one('DragomanDropout', [], [native.from(values), seeds, share])];
    });
    return native.toTensor(result!);
  };
  return customOperation<T>(
    [x],
    ([values]) => ({ value: dropped(values!) as T, kept: [] }),
    (by) => [dropped(by)],
  );
}
