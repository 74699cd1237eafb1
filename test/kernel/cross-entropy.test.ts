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
import type { Prediction } from '../../src/kernel/cross-entropy-kernel.js';
import { composedMeanLoss, meanLoss } from '../../src/kernel/mean-loss.js';
import { Random } from '../../src/random.js';
import { difference } from '../difference.js';
import { describeOnEngines, describeOnKernels } from '../engines.js';
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

/** The definition, in 64-bit arithmetic; the gradients are those of the losses' sum with these weights. */
function definition(
  { o, matrix, bias }: Record<string, Input>,
  labels: ArrayLike<number>,
  smoothing: number,
  weights: ArrayLike<number>,
): Record<'loss' | 'nll' | 'dO' | 'dMatrix' | 'dBias', number[]> {
  const size = o!.shape[1]!;
  const vocabulary = bias!.values.length;
  const zeros = (like: Input) => new Array<number>(like.values.length).fill(0);
  const all = { dO: zeros(o!), dMatrix: zeros(matrix!), dBias: zeros(bias!) };
  const rows = Array.from(labels, (label, r) => {
    const logits = Array.from({ length: vocabulary }, (_, v) => {
      let z = bias!.values[v]!;
      for (let k = 0; k < size; k++) z += o!.values[r * size + k]! * matrix!.values[k * vocabulary + v]!;
      return z;
    });
    const normalizer = Math.log(logits.reduce((s, z) => s + Math.exp(z), 0));
    const logP = logits.map((z) => z - normalizer);
    const target = logits.map((_, v) => (v === label ? 1 - smoothing : 0) + smoothing / vocabulary);
    logP.forEach((value, v) => {
      const by = weights[r]! * (Math.exp(value) - target[v]!);
      all.dBias[v]! += by;
      for (let k = 0; k < size; k++) {
        all.dO[r * size + k]! += by * matrix!.values[k * vocabulary + v]!;
        all.dMatrix[k * vocabulary + v]! += by * o!.values[r * size + k]!;
      }
    });
    return { loss: -target.reduce((s, t, v) => s + t * logP[v]!, 0), nll: -logP[label]! };
  });
  return { loss: rows.map((row) => row.loss), nll: rows.map((row) => row.nll), ...all };
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
          const given = { o, matrix, bias } as { o: Tensor2D; matrix: Tensor2D; bias: Tensor1D };
          const result = kernel({ ...given, labels, smoothing, transposed: false });
          const expected = definition(inputs(), LABELS, smoothing, [1, 1, 1]);
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
        const given = { o, matrix, bias } as { o: Tensor2D; matrix: Tensor2D; bias: Tensor1D };
        const { loss } = crossEntropy({ ...given, labels, smoothing, transposed: false });
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
            () =>
              sum(
                crossEntropy({ o, matrix: v, bias, labels, smoothing, transposed: v === table }).loss,
              ) as Scalar,
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
        const result = crossEntropy({
          o: tensor([[1]]) as Tensor2D,
          matrix: tensor([[300, -300]]) as Tensor2D,
          bias: tensor([0, 0]) as Tensor1D,
          labels: tensor([1], [1], 'int32') as Tensor1D,
          smoothing,
          transposed: false,
        });
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
            () => sum(kernel({ o, matrix, bias, labels, smoothing, transposed: false }).loss) as Scalar,
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

  it.each([
    [1, 1000],
    [37, 1003],
    [300, 40],
  ])('%i rows of %i tokens: values and gradients by the definition', (rows, vocabulary) => {
    const random = new Random(5);
    const draw = (shape: number[]): Input => {
      const length = shape.reduce((a, b) => a * b, 1);
      return { shape, values: Float32Array.from({ length }, () => random.normal()) };
    };
    const given = { o: draw([rows, 9]), matrix: draw([9, vocabulary]), bias: draw([vocabulary]) };
    const ids = Int32Array.from({ length: rows }, () => random.integer(vocabulary));
    const weights = draw([rows]).values;
    tidy(() => {
      const tensors = Object.values(given).map(({ values, shape }) => tensor(values, shape));
      const [o, matrix, bias] = tensors as [Tensor2D, Tensor2D, Tensor1D];
      const labels = tensor(ids, [rows], 'int32') as Tensor1D;
      const run = () => crossEntropy({ o, matrix, bias, labels, smoothing: 0.1, transposed: false });
      const { loss, negativeLogLikelihood: nll } = run();
      const scale = tensor(weights, [rows]);
      const { grads } = engine().gradients(() => sum(mul(run().loss, scale)) as Scalar, tensors);
      const [dO, dMatrix, dBias] = grads as Tensor[];
      const expected = definition(given, ids, 0.1, weights);
      for (const [name, found] of Object.entries({ loss, nll, dO: dO!, dMatrix: dMatrix!, dBias: dBias! })) {
        const wanted = tensor(expected[name as keyof typeof expected], found.shape);
        // Sums of up to a thousand numbers in 32 bits.
        expect(difference(found, wanted), name).toBeLessThan(5e-6);
      }
    });
  });
});

describeOnKernels('mean loss', () => {
  function drawn(rows: number, size: number, vocabulary: number, transposed: boolean): Prediction {
    const random = new Random(rows);
    const draw = (shape: number[]): Tensor => {
      const length = shape.reduce((a, b) => a * b, 1);
      return tensor(
        Float32Array.from({ length }, () => random.normal()),
        shape,
      );
    };
    const ids = Int32Array.from({ length: rows }, () => random.integer(vocabulary));
    return {
      o: draw([rows, size]) as Tensor2D,
      matrix: draw(transposed ? [vocabulary, size] : [size, vocabulary]) as Tensor2D,
      bias: draw([vocabulary]) as Tensor1D,
      labels: tensor(ids, [rows], 'int32') as Tensor1D,
      smoothing: 0.1,
      transposed,
    };
  }

  it.each([
    [1, 5, 40, 1],
    [37, 20, 1003, 1],
    [37, 20, 1003, -3],
    [700, 17, 8000, 1], // more logits than exist at a time
  ])(
    'over %i rows (%i -> %i), times %d: that of all losses, with their gradients',
    (rows, size, vocabulary, times) => {
      for (const transposed of [false, true]) {
        tidy(() => {
          const given = drawn(rows, size, vocabulary, transposed);
          const [own, composed] = [meanLoss, composedMeanLoss].map((kernel) => {
            const { loss, logLikelihood } = kernel(given);
            const { grads } = engine().gradients(
              () => mul(kernel(given).loss, times) as Scalar,
              [given.o, given.matrix, given.bias],
            );
            return [loss, logLikelihood, ...(grads as Tensor[])];
          });
          // Sums of up to a thousand numbers in 32 bits, in another order.
          own!.forEach((value, k) => {
            expect(difference(value, composed![k]!), `${transposed} ${k}`).toBeLessThan(5e-6);
          });
        });
      }
    },
  );

  it('is the same bits when it is made again', () => {
    tidy(() => {
      const given = drawn(100, 64, 900, false);
      const run = () =>
        engine().gradients(() => meanLoss(given).loss, [given.o, given.matrix, given.bias] as Tensor[]);
      const [first, second] = [run(), run()].map(({ value, grads }) => [value, ...grads]);
      first!.forEach((value, k) => {
        expect(value.dataSync()).toEqual(second![k]!.dataSync());
      });
    });
  });
});
