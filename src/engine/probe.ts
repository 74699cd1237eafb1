import * as tf from '@tensorflow/tfjs-core';
import { loadNative } from './tensorflow.js';

/**
 * A program: loads the native engine of the folder given, computes with it, and prints the version of its
 * TensorFlow. It is run in a process of its own, since a library for another processor ends it with a signal.
 */
const folder = process.argv[2];
if (!folder) throw new Error('expected the folder of a native engine');
const { version } = loadNative(folder);
await tf.setBackend('tensorflow');
await tf.ready();
const [product] = tf.matMul([[1, 2]], [[3], [4]]).dataSync();
if (product !== 11) throw new Error(`1·3 + 2·4 gave ${product}`);
process.stdout.write(`${version}\n`);
