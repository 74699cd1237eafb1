import { packed } from './packed-matrix.js';
import type { StepLayer } from './step-parts.js';

/**
 * What a recurrent layer multiplies with in the compiled kernels, each matrix with its bias: W above U. The gates of a unit are
 * wanted together; but a GRU's candidate by itself, since it waits for r.
 */
export function packedGates({ kind, kernel, recurrent, bias }: StepLayer): readonly Float32Array[] {
  const columns = recurrent.shape[0];
  const depth = kernel.shape[0] + columns;
  const stride = kernel.shape[1];
  const joint = new Float32Array(depth * stride);
  joint.set(kernel.dataSync<'float32'>());
  joint.set(recurrent.dataSync<'float32'>(), kernel.size);
  const biases = bias.dataSync<'float32'>() as Float32Array;
  if (kind === 'lstm') return [packed(joint, { depth, groups: 4, columns }), biases];
  return [
    packed(joint, { depth, groups: 2, columns, stride }),
    biases.slice(0, 2 * columns),
    packed(joint, { depth, columns, from: 2 * columns, stride }),
    biases.slice(2 * columns),
  ];
}
