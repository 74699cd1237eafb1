import { packed } from './packed-matrix.js';
import type { StepLayer, StepParts } from './step-parts.js';

/** The matrices of a decoder step in panels, each with its bias, in the order in which the step takes them. */
export function packedWeights({ layers, attention, readout, output }: StepParts): Float32Array[] {
  const width = readout.bias.shape[0];
  const vocabulary = output.bias.shape[0];
  const matrix = output.matrix.dataSync<'float32'>();
  return [
    ...layers.flatMap(layerWeights),
    ...(attention?.kind === 'additive'
      ? [
          packed(attention.kernel.dataSync<'float32'>(), {
            depth: attention.kernel.shape[0],
            columns: attention.kernel.shape[1],
          }),
          attention.bias.dataSync<'float32'>(),
          attention.vector.dataSync<'float32'>(),
        ]
      : []),
    packed(readout.kernel.dataSync<'float32'>(), { depth: readout.kernel.shape[0], columns: width }),
    readout.bias.dataSync<'float32'>(),
    output.transposed
      ? packed(matrix, { depth: width, columns: vocabulary, stride: width, transposed: true })
      : packed(matrix, { depth: width, columns: vocabulary }),
    output.bias.dataSync<'float32'>(),
  ];
}

/** W above U, and the bias: the gates of a unit are wanted together; but a GRU's candidate by itself, since it waits for r. */
function layerWeights({ kind, kernel, recurrent, bias }: StepLayer): Float32Array[] {
  const columns = recurrent.shape[0];
  const depth = kernel.shape[0] + columns;
  const stride = kernel.shape[1];
  const joint = new Float32Array(depth * stride);
  joint.set(kernel.dataSync<'float32'>());
  joint.set(recurrent.dataSync<'float32'>(), kernel.size);
  const biases = bias.dataSync<'float32'>();
  if (kind === 'lstm') return [packed(joint, { depth, groups: 4, columns }), biases];
  return [
    packed(joint, { depth, groups: 2, columns, stride }),
    biases.slice(0, 2 * columns),
    packed(joint, { depth, columns, from: 2 * columns, stride }),
    biases.slice(2 * columns),
  ];
}
