import {
  engine,
  mul,
  type Scalar,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tensor,
  tidy,
  transpose,
} from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { composedCrossEntropy, crossEntropy } from '../../src/kernel/cross-entropy.js';
import { Random } from '../../src/random.js';
import { describeOnEngines } from '../engines.js';
import { checkGradients, type Input } from '../finite-differences.js';

const ROWS = 3;
const SIZE = 4;
const VOCABULARY = 6;
const LABELS = [5, 0, 2];

function inputs(): Record<string, Input> {
  const random = new Random(2);
  const draw = (shape: number[]): Input => ({
    shape,
    values: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
  });
  return { o: draw([ROWS, SIZE]), matrix: draw([SIZE, VOCABULARY]), bias: draw([VOCABULARY]) };
}

/** The definition, in 64-bit arithmetic. */
function slow(smoothing: number): { loss: number[]; nll: number[] } {
  const { o, matrix, bias } = inputs();
  const rows = LABELS.map((label, r) => {
    const logits = Array.from({ length: VOCABULARY }, (_, v) => {
      let z = bias!.values[v]!;
      for (let k = 0; k < SIZE; k++) z += o!.values[r * SIZE + k]! * matrix!.values[k * VOCABULARY + v]!;
      return z;
    });
    const normalizer = Math.log(logits.reduce((s, z) => s + Math.exp(z), 0));
    const logP = logits.map((z) => z - normalizer);
    const target = logits.map((_, v) => (v === label ? 1 - smoothing : 0) + smoothing / VOCABULARY);
    return { loss: -target.reduce((s, t, v) => s + t * logP[v]!, 0), nll: -logP[label]! };
  });
  return { loss: rows.map((row) => row.loss), nll: rows.map((row) => row.nll) };
}

describeOnEngines('cross-entropy', () => {
  for (const smoothing of [0, 0.1]) {
    for (const [name, kernel] of [
      ['the engine’s own', crossEntropy],
      ['composed', composedCrossEntropy],
    ] as const) {
      it(`${name}: equals the definition, smoothing ${smoothing}`, () => {
        tidy(() => {
          const { o, matrix, bias } = Object.fromEntries(
            Object.entries(inputs()).map(([n, { values, shape }]) => [n, tensor(values, shape)]),
          );
          const labels = tensor(LABELS, [ROWS], 'int32') as Tensor1D;
          const result = kernel(o as Tensor2D, matrix as Tensor2D, bias as Tensor1D, labels, smoothing);
          const expected = slow(smoothing);
          // 32-bit rounding of numbers below 10.
          result.loss.arraySync().forEach((value, k) => {
            expect(value).toBeCloseTo(expected.loss[k]!, 5);
          });
          result.negativeLogLikelihood.arraySync().forEach((value, k) => {
            expect(value).toBeCloseTo(expected.nll[k]!, 5);
          });
        });
      });
    }

    it(`has the gradients that finite differences give, smoothing ${smoothing}`, () => {
      checkGradients(inputs(), ({ o, matrix, bias }) => {
        const labels = tensor(LABELS, [ROWS], 'int32') as Tensor1D;
        const { loss } = crossEntropy(o as Tensor2D, matrix as Tensor2D, bias as Tensor1D, labels, smoothing);
        return sum(mul(loss, tensor([0.5, -1, 2]))) as Scalar; // rows weigh differently
      });
    });

    it(`takes the matrix transposed, smoothing ${smoothing}`, () => {
      tidy(() => {
        const tensors = Object.values(inputs()).map(({ values, shape }) => tensor(values, shape));
        const [o, matrix, bias] = tensors as [Tensor2D, Tensor2D, Tensor1D];
        const labels = tensor(LABELS, [ROWS], 'int32') as Tensor1D;
        const table = transpose(matrix) as Tensor2D;
        const [plain, transposed] = [matrix, table].map((v) =>
          engine().gradients(
            () => sum(crossEntropy(o, v, bias, labels, smoothing, v === table).loss) as Scalar,
            [o, v, bias] as Tensor[],
          ),
        );
        // 32-bit rounding of numbers below 10.
        expect(transposed!.value.arraySync()).toBeCloseTo(plain!.value.arraySync() as number, 4);
        const [dO, dTable, dBias] = transposed!.grads;
        [dO!, transpose(dTable!), dBias!].forEach((gradient, k) => {
          const expected = plain!.grads[k]!.dataSync();
          gradient.dataSync().forEach((value, j) => {
            expect(value).toBeCloseTo(expected[j]!, 5);
          });
        });
      });
    });

    it(`is exact where the label is out of the question, smoothing ${smoothing}`, () => {
      tidy(() => {
        // Logits 300 and -300: exp(-600) is far below the smallest float.
        const o = tensor([[1]]) as Tensor2D;
        const result = crossEntropy(
          o,
          tensor([[300, -300]]) as Tensor2D,
          tensor([0, 0]) as Tensor1D,
          tensor([1], [1], 'int32') as Tensor1D,
          smoothing,
        );
        expect(result.negativeLogLikelihood.arraySync()[0]).toBeCloseTo(600, 3);
        expect(result.loss.arraySync()[0]).toBeCloseTo(600 * (1 - smoothing / 2), 3);
      });
    });

    it(`the engine’s own has the gradients of the composed one, smoothing ${smoothing}`, () => {
      const [own, composed] = [crossEntropy, composedCrossEntropy].map((kernel) =>
        tidy(() => {
          const tensors = Object.values(inputs()).map(({ values, shape }) => tensor(values, shape));
          const [o, matrix, bias] = tensors as [Tensor2D, Tensor2D, Tensor1D];
          const labels = tensor(LABELS, [ROWS], 'int32') as Tensor1D;
          const { grads } = engine().gradients(
            () => sum(kernel(o, matrix, bias, labels, smoothing).loss) as Scalar,
            tensors as Tensor[],
          );
          return grads.flatMap((g) => Array.from(g.dataSync()));
        }),
      );
      own!.forEach((value, k) => {
        expect(value).toBeCloseTo(composed![k]!, 5);
      });
    });
  }
});
