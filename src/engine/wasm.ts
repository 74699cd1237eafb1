import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { registerGather } from './gather.js';
import { registerSegmentSum } from './segment-sum.js';

/** Loads the WebAssembly backend; TensorFlow.js then knows it as `wasm`. */
export async function loadWasm(): Promise<void> {
  // By default the backend looks beside the script that runs; name the folder, whatever bundled us.
  const module = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
  setWasmPaths(dirname(module) + sep);
  registerSegmentSum('wasm');
  registerGather();
}
