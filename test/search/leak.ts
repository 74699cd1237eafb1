import * as tf from '@tensorflow/tfjs-core';

/** Tensors that a call left behind. */
export function leaked(call: () => void): number {
  const before = tf.memory().numTensors;
  call();
  return tf.memory().numTensors - before;
}
