import { engine, type Scalar, type Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import { expect } from 'vitest';

/** Values and shape of one input of a function under test. */
export interface Input {
  readonly shape: number[];
  readonly values: Float32Array;
}

/**
 * Compares the engine's gradients of a scalar function with central differences.
 *
 * In 32-bit floats a central difference with step e has an error of about 1e-7 |f| / e from rounding and e² f''' / 6
 * from curvature: with e = 1e-2 and f near 1, about 1e-5 and 1e-5. The tolerance is 2e-3 of the largest gradient, far
 * above both and far below what a wrong term gives.
 *
 * @param samples at most this many entries of each input are compared, evenly spread
 */
export function checkGradients(
  inputs: Readonly<Record<string, Input>>,
  f: (tensors: Readonly<Record<string, Tensor>>) => Scalar,
  samples = 12,
): void {
  const step = 1e-2;
  const names = Object.keys(inputs);
  const value = (name: string, index: number, shift: number): number =>
    tidy(() => {
      const tensors = Object.fromEntries(
        names.map((n) => {
          const values = Float32Array.from(inputs[n]!.values);
          if (n === name) values[index]! += shift;
          return [n, tensor(values, inputs[n]!.shape, 'float32')];
        }),
      );
      return f(tensors).dataSync()[0]!;
    });
  const gradients = tidy(() => {
    const tensors = Object.fromEntries(
      names.map((n) => [n, tensor(inputs[n]!.values, inputs[n]!.shape, 'float32')]),
    );
    const { grads } = engine().gradients(() => f(tensors), Object.values(tensors));
    return names.map((_, k) => Float32Array.from(grads[k]!.dataSync()));
  });
  names.forEach((name, k) => {
    const gradient = gradients[k]!;
    const scale = Math.max(1e-2, ...gradient.map(Math.abs));
    const stride = Math.max(1, Math.floor(gradient.length / samples));
    for (let i = 0; i < gradient.length; i += stride) {
      const difference = (value(name, i, step) - value(name, i, -step)) / (2 * step);
      expect(
        Math.abs(difference - gradient[i]!) / scale,
        `d/d${name}[${i}]: ${difference} by differences`,
      ).toBeLessThan(2e-3);
    }
  });
}
