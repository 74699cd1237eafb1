import { getBackend, type Tensor, type Tensor3D } from '@tensorflow/tfjs-core';
import type { Algebra } from './algebra.js';
import { nativeAlgebra } from './algebra-native.js';
import { portableAlgebra } from './algebra-portable.js';
import type { LoopCellKind } from './attentional-cell.js';
import { loopBackward, loopForward } from './attentional-loop.js';
import {
  fixedList,
  inputList,
  type LoopFixed,
  type LoopInput,
  type LoopOutput,
  mapFixed,
  mapInput,
  mapOutput,
  outputList,
  takeFrom,
} from './attentional-records.js';
import { customOperation } from './custom-operation.js';

/**
 * A decoder with attention and input feeding over the whole target, as one operation to automatic differentiation:
 *
 *     s_t = f([y_{t-1} ; c ; o_{t-1}], s_{t-1})
 *     a_t = softmax(score(s_t, keys)) memory
 *     o_t = tanh([s_t ; a_t] W_o + b_o)
 *
 * Products with what is known before the loop are one product over all steps, and so are the weights' gradients; inside
 * the loop only what truly waits for the step before. Padding needs no care: padded steps come last and nothing behind
 * them is used, so no gradient enters there.
 *
 * @param kinds the cell of each layer
 * @returns o_1..o_T, `[time, batch, output]`; at padded steps whatever comes out
 */
export function attentionalDecoder(
  kinds: readonly LoopCellKind[],
  input: LoopInput<Tensor>,
  fixed: LoopFixed<Tensor>,
): Tensor3D {
  return getBackend() === 'tensorflow'
    ? decode(nativeAlgebra, kinds, input, fixed)
    : decode(() => portableAlgebra, kinds, input, fixed);
}

function decode<H>(
  algebra: () => Algebra<H>,
  kinds: readonly LoopCellKind[],
  input: LoopInput<Tensor>,
  fixed: LoopFixed<Tensor>,
): Tensor3D {
  const inputs = inputList(input);
  const constants = fixedList(fixed);
  let output: LoopOutput<Tensor>;
  return customOperation(
    inputs,
    () => {
      const ops = algebra();
      const enter = (tensor: Tensor): H => ops.from(tensor);
      const made = ops.scope(() => {
        const result = loopForward(ops, kinds, mapInput(input, enter), mapFixed(fixed, enter));
        return { result, keep: outputList(result) };
      });
      output = mapOutput(made, (x) => ops.toTensor(x));
      return { value: output.output as Tensor3D, kept: [...constants, ...outputList(output)] };
    },
    (by, saved, others) => {
      const next = takeFrom([...saved, ...others]);
      const [given, same, kept] = [mapInput(input, next), mapFixed(fixed, next), mapOutput(output, next)];
      const ops = algebra();
      const enter = (tensor: Tensor): H => ops.from(tensor);
      const gradients = ops.scope(() => {
        const parts = [mapInput(given, enter), mapFixed(same, enter), mapOutput(kept, enter)] as const;
        const result = loopBackward(ops, kinds, ...parts, enter(by));
        return { result, keep: inputList(result) };
      });
      return inputList(gradients).map((x) => ops.toTensor(x));
    },
  );
}
