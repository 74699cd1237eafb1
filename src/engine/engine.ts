import * as tf from '@tensorflow/tfjs-core';
import { createRequire } from 'node:module';
import { DragomanError } from '../errors.js';

export type EngineName = 'tensorflow' | 'wasm' | 'cpu';

export interface EngineInfo {
  readonly name: EngineName;
}

/** First version, replaced by the engine builder: native if it loads, else wasm. */
export async function startEngine(name?: EngineName): Promise<EngineInfo> {
  const wanted = name ?? (process.env.DRAGOMAN_ENGINE as EngineName | undefined);
  const require = createRequire(import.meta.url);
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  if (wanted === undefined || wanted === 'tensorflow') {
    try {
      require('@tensorflow/tfjs-node');
      await tf.setBackend('tensorflow');
      await tf.ready();
      return { name: 'tensorflow' };
    } catch (error) {
      if (wanted === 'tensorflow') throw new DragomanError('engine', String(error));
    }
  }
  if (wanted === 'cpu') {
    await import('@tensorflow/tfjs-backend-cpu');
    await tf.setBackend('cpu');
  } else {
    await import('@tensorflow/tfjs-backend-wasm');
    await tf.setBackend('wasm');
  }
  await tf.ready();
  return { name: wanted === 'cpu' ? 'cpu' : 'wasm' };
}
