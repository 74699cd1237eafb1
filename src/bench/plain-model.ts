import {
  add,
  concat,
  gather,
  matMul,
  mean,
  reshape,
  type Scalar,
  softmax,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  tanh,
  tensor1d,
  transpose,
} from '@tensorflow/tfjs-core';
import type { State, Weights } from '../cell/cell.js';
import { createCell } from '../cell/family.js';
import { composedCrossEntropy } from '../kernel/cross-entropy.js';
import { SequenceMask } from '../kernel/mask.js';
import { scanCell } from '../kernel/sequence.js';
import { dense } from '../model/dense.js';
import { embed } from '../model/embedding.js';
import { realPositions, shifted, timeMajor } from '../model/layout.js';
import { scoped } from '../model/parameters.js';
import type { Batch, PaddedIds } from '../text/batch.js';

/**
 * The loss of the encoder-decoder as a user of TensorFlow.js writes it: single operations, a loop over time, and
 * automatic differentiation through all of it. It takes the weights of a {@link Seq2Seq} with one bidirectional LSTM
 * layer, one LSTM decoder layer, general attention and neither dropout nor tied embeddings, and gives its loss.
 */
export function plainLoss(w: Weights, batch: Batch, labelSmoothing: number): Scalar {
  const { source, target } = batch;
  const mask = new SequenceMask(source.lengths, source.time);
  const x = embedded(w, 'embedding.source', timeMajor(source.ids, source), source);
  const forward = layer(w, 'encoder.0.forward', x, null, mask);
  const backward = mask.reverse(layer(w, 'encoder.0.backward', mask.reverse(x), null, mask));
  const summary = concat([mask.final(forward, 'forward'), mask.final(backward, 'backward')], 1);
  const memory = transpose(concat([forward, backward], 2), [1, 0, 2]) as Tensor3D; // [batch, source, memory]

  const initial = Object.fromEntries(
    ['h', 'c'].map((name) => [name, tanh(dense(part(w, `bridge.0.${name}`), summary))]),
  ) as State;
  const y = embedded(w, 'embedding.target', timeMajor(shifted(target), target), target);
  const targetMask = new SequenceMask(target.lengths, target.time);
  const states = layer(w, 'decoder.0', y, initial, targetMask);
  const queries = transpose(states, [1, 0, 2]) as Tensor3D; // [batch, target, decoder]
  const keys = dense(part(w, 'attention'), memory);
  const attention = softmax(add(matMul(queries, keys, false, true), mask.bias()));
  const context = matMul(attention, memory) as Tensor3D;
  const o = tanh(dense(part(w, 'readout'), concat([queries, context], 2)));
  const flat = reshape(transpose(o, [1, 0, 2]), [target.time * target.rows, o.shape[2]!]);
  const real = realPositions(target);
  const { loss } = composedCrossEntropy({
    o: gather(flat, tensor1d(real.rows, 'int32')) as Tensor2D,
    matrix: w['output.kernel'] as Tensor2D,
    bias: w['output.bias'] as Tensor1D,
    labels: tensor1d(real.labels, 'int32'),
    smoothing: labelSmoothing,
    transposed: false,
  });
  return mean(loss) as Scalar;
}

function embedded(w: Weights, table: string, ids: Tensor1D, { rows }: PaddedIds): Tensor3D {
  return embed(w[table] as Tensor2D, ids, rows);
}

/** States h `[time, batch, size]` of an LSTM layer. */
function layer(w: Weights, name: string, x: Tensor3D, initial: State | null, mask: SequenceMask): Tensor3D {
  const cell = createCell('lstm', x.shape[2], (w[`${name}.recurrent`] as Tensor).shape[0]!);
  const weights = scoped(w, name, cell.parameters);
  return scanCell(cell, weights, x, initial ?? cell.initial(mask.batch), mask).outputs;
}

function part(w: Weights, name: string): Weights {
  const kernel = w[`${name}.kernel`]!;
  const bias = w[`${name}.bias`];
  return bias === undefined ? { kernel } : { kernel, bias };
}
