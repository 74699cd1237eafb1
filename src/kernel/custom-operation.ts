import { customGrad, type Tensor } from '@tensorflow/tfjs-core';

/** What an operation gives. */
interface Made<V extends Tensor> {
  readonly value: V;
  /** What its gradient needs beside the inputs. */
  readonly kept: readonly Tensor[];
}

/**
 * One operation to automatic differentiation, with a derivative of its own.
 *
 * @param forward from the inputs to the value
 * @param backward the gradients of all inputs from that of the value, the inputs and what was kept
 */
export function customOperation<V extends Tensor>(
  inputs: readonly Tensor[],
  forward: (inputs: readonly Tensor[]) => Made<V>,
  backward: (by: V, inputs: readonly Tensor[], kept: readonly Tensor[]) => Tensor[],
): V {
  const count = inputs.length;
  return customGrad((...all) => {
    // tfjs hands the function that saves tensors behind the inputs, but types it as one of them.
    const save = all.pop() as unknown as (tensors: Tensor[]) => void;
    const given = all as Tensor[];
    const { value, kept } = forward(given);
    save([...given, ...kept]);
    return {
      value,
      gradFunc: (by: Tensor, saved: Tensor[]) => backward(by as V, saved.slice(0, count), saved.slice(count)),
    };
  })(...inputs) as V;
}
