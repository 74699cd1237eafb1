import type { Tensor1D, Tensor3D } from '@tensorflow/tfjs-core';
import { weight } from '../cell/cell.js';
import type { Handle } from '../engine/native.js';
import { product } from '../engine/products.js';
import { byInput, layerOptions, rowsOf, sequenceOf, throughInput } from './compiled-layer.js';
import { customOperation } from './custom-operation.js';
import { operations } from './operations.js';
import type { DirectedKernel } from './sequence.js';

/** GRU over a padded sequence by our own operation (src/kernel/compiled/gru.h), as {@link compiledLstm} is made. */
export const compiledGru: DirectedKernel = (_cell, w, x, initial, mask, direction, wanted) => {
  const options = layerOptions(direction, wanted);
  const hidden = initial.h!.shape[1];
  const value = customOperation<Tensor3D>(
    [x, initial.h!, weight(w, 'kernel'), weight(w, 'recurrent'), weight<Tensor1D>(w, 'bias')],
    (inputs) => {
      const lengths = mask.steps();
      const { native } = operations();
      const made = native.scope((): Handle[] => {
        const [xs, h0, kernel, recurrent, bias] = inputs.map((t) => native.from(t)) as Handle[];
        const given = [byInput(xs!, kernel!), bias!, recurrent!, h0!, native.from(lengths)];
        return native.run('DragomanGru', options, given, 2);
      });
      const [states, gates] = made.map((handle) => native.toTensor<Tensor3D>(handle));
      return { value: states!, kept: [lengths, states!, gates!] };
    },
    (by, inputs, kept) => {
      const { native, splitter, joiner } = operations();
      const made = native.scope((): Handle[] => {
        const [xs, h0, kernel, recurrent] = inputs.map((t) => native.from(t)) as Handle[];
        const [lengths, states, gates] = kept.map((t) => native.from(t)) as Handle[];
        const given = [recurrent!, h0!, lengths!, gates!, states!, native.from(by)];
        const [dz, before, reset, dBias, dh0] = native.run('DragomanGruGradient', options, given, 5);
        const { dx, dKernel } = throughInput(xs!, kernel!, dz!);
        // The state meets U_r and U_z, the reset state U_n.
        const [dGates, dCandidate] = splitter([2 * hidden, hidden], 1)(rowsOf(dz!)) as [Handle, Handle];
        const parts = [product(rowsOf(before!), dGates, true), product(rowsOf(reset!), dCandidate, true)];
        return [dx, dh0!, dKernel, joiner(2, 1)(parts), dBias!];
      });
      return made.map((handle) => native.toTensor(handle));
    },
  );
  return sequenceOf(value, { h: initial.h! }, wanted);
};
