import * as tf from '@tensorflow/tfjs-core';
import { elementwiseGradients } from './gradients-elementwise.js';
import { structuralGradients } from './gradients-structural.js';

/**
 * Gradients of TensorFlow.js operations. The build of `@tensorflow/tfjs-core` for Node comes without any; its
 * own are registered by the package `@tensorflow/tfjs`, which brings 220 MB of WebGL, layers and model converters
 * and takes three times as long to load as all the rest. What recurrent networks differentiate is little, so it
 * is here, each checked against finite differences on every engine.
 *
 * Where somebody else has registered a gradient already, that one stays.
 */
export function registerGradients(): void {
  for (const config of [...elementwiseGradients, ...structuralGradients]) {
    if (tf.getGradient(config.kernelName) === undefined) tf.registerGradient(config);
  }
}
