import type { Tensor1D, Tensor3D } from '@tensorflow/tfjs-core';
import { weight } from '../cell/cell.js';
import type { Handle } from '../engine/native.js';
import { product } from '../engine/products.js';
import { byInput, layerOptions, rowsOf, sequenceOf, throughInput } from './compiled-layer.js';
import { customOperation } from './custom-operation.js';
import { operations } from './operations.js';
import type { DirectedKernel } from './sequence.js';

/**
 * LSTM over a padded sequence by our own operation (src/kernel/compiled/lstm.h), which reads rows in either direction
 * and skips their padding. Outside it are the input's product and, in the backward pass, the products that give the
 * gradients of input and matrices: each one for all steps.
 */
export const compiledLstm: DirectedKernel = (_cell, w, x, initial, mask, direction, wanted) => {
  const options = layerOptions(direction, wanted);
  const value = customOperation<Tensor3D>(
    [x, initial.h!, initial.c!, weight(w, 'kernel'), weight(w, 'recurrent'), weight<Tensor1D>(w, 'bias')],
    (inputs) => {
      const lengths = mask.steps();
      const { native } = operations();
      const made = native.scope((): Handle[] => {
        const [xs, h0, c0, kernel, recurrent, bias] = inputs.map((t) => native.from(t)) as Handle[];
        const given = [byInput(xs!, kernel!), bias!, recurrent!, h0!, c0!, native.from(lengths)];
        return native.run('DragomanLstm', options, given, 3);
      });
      const [states, gates, cells] = made.map((handle) => native.toTensor<Tensor3D>(handle));
      return { value: states!, kept: [lengths, states!, gates!, cells!] };
    },
    (by, inputs, kept) => {
      const { native } = operations();
      const made = native.scope((): Handle[] => {
        const [xs, h0, c0, kernel, recurrent] = inputs.map((t) => native.from(t)) as Handle[];
        const [lengths, states, gates, cells] = kept.map((t) => native.from(t)) as Handle[];
        const given = [recurrent!, h0!, c0!, lengths!, gates!, cells!, states!, native.from(by)];
        const [dz, before, dBias, dh0, dc0] = native.run('DragomanLstmGradient', options, given, 5);
        const { dx, dKernel } = throughInput(xs!, kernel!, dz!);
        return [dx, dh0!, dc0!, dKernel, product(rowsOf(before!), rowsOf(dz!), true), dBias!];
      });
      return made.map((handle) => native.toTensor(handle));
    },
  );
  return sequenceOf(value, { h: initial.h!, c: initial.c! }, wanted);
};
