import { getBackend, type Tensor, tensor } from '@tensorflow/tfjs-core';
import { Random } from '../random.js';
import { nativeOps } from './native.js';

/**
 * Uniform numbers in [0, 1) that depend on the seed and the stream alone: the same call gives the same numbers on
 * the same engine, whatever was drawn before, so a resumed run needs no generator state here.
 *
 * @param seed for instance the training step
 * @param stream for instance the place in the model; different streams are independent
 */
export function uniform(shape: number[], seed: number, stream: number): Tensor {
  if (getBackend() === 'tensorflow') {
    const native = nativeOps();
    const attributes = native.attributes({
      dtype: { type: 'float32' },
      T: { type: 'int32' },
      Tseed: { type: 'int32' },
    });
    const [numbers] = native.scope(() => [
      native.one('StatelessRandomUniform', attributes, [
        native.constant([shape.length], 'int32', shape),
        native.constant([2], 'int32', [seed | 0, stream | 0]),
      ]),
    ]);
    return native.toTensor(numbers!);
  }
  const random = new Random((Math.imul(seed, 0x9e3779b1) ^ Math.imul(stream + 1, 0x85ebca6b)) | 0);
  const size = shape.reduce((a, b) => a * b, 1);
  const numbers = new Float32Array(size); // filled by a loop: Float32Array.from takes twice as long
  for (let k = 0; k < size; k++) numbers[k] = random.next();
  return tensor(numbers, shape, 'float32');
}
