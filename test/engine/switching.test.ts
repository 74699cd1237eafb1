import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { currentEngine, startEngine } from '../../src/engine/engine.js';
import { describeOnEngines, presentEngines } from '../engines.js';

describeOnEngines('arithmetic', (engine) => {
  it('computes a product and its gradient', () => {
    expect(currentEngine()?.name).toBe(engine);
    expect(tf.getBackend()).toBe(engine);
    const x = tf.tensor2d([1, 2, 3, 4], [2, 2]);
    const gradient = tf.grad((a: tf.Tensor) => tf.sum(tf.square(a)))(x);
    expect([...gradient.dataSync()]).toEqual([2, 4, 6, 8]);
  });
});

it('changes engines within a process, there and back', async () => {
  for (const engine of [...presentEngines(), ...presentEngines().reverse()]) {
    const info = await startEngine(engine);
    expect(info.name).toBe(engine);
    expect(tf.getBackend()).toBe(engine);
    expect([...tf.matMul([[1, 2]], [[3], [4]]).dataSync()]).toEqual([11]);
  }
});
