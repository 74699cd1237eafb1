import { mean, type Scalar, squaredDifference, type Tensor3D } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { type NetworkTraining, RecurrentNetwork } from '../../src/bench/network.js';
import { CELL_KINDS, type CellKind } from '../../src/cell/options.js';
import { type EngineName, startEngine } from '../../src/engine/engine.js';
import { Random } from '../../src/random.js';
import { whySkipped } from '../engines.js';

const STEPS = 12;

/** The loss of each step while a network learns to say the running mean of what it has read. */
async function lossCurve(
  engine: EngineName,
  cell: CellKind,
  gradient: NetworkTraining['gradient'],
): Promise<number[]> {
  await startEngine(engine);
  const random = new Random(1);
  const network = new RecurrentNetwork({ cell, layers: 2, units: 5, inputs: 1, outputs: 1 }, random);
  const losses: number[] = [];
  await network.train(
    {
      steps: STEPS,
      learningRate: 1e-2,
      clip: 0.3,
      ...(gradient === undefined ? {} : { gradient }),
      watch: { onStep: (_, loss) => losses.push(loss()) },
    },
    {
      batch: () => {
        const values = Float32Array.from({ length: 4 * 3 }, () => random.next());
        const means = values.map((_, k) => {
          const read = Array.from({ length: Math.floor(k / 3) + 1 }, (_, t) => values[3 * t + (k % 3)]!);
          return read.reduce((a, b) => a + b, 0) / read.length;
        });
        return { x: { values, shape: [4, 3, 1] }, right: { values: means, shape: [4, 3, 1] } };
      },
      loss: (forward, { x, right }) => mean(squaredDifference(forward(x as Tensor3D), right)) as Scalar,
    },
  );
  network.dispose();
  return losses;
}

describe('training by a graph', () => {
  const reason = whySkipped('tensorflow');
  const sameLosses = async (...training: [CellKind, NetworkTraining['gradient']]): Promise<void> => {
    // From the third step on the tensorflow engine runs a graph; the cpu engine runs every step operation by operation.
    const expected = await lossCurve('cpu', ...training);
    const losses = await lossCurve('tensorflow', ...training);
    expect(losses).toHaveLength(STEPS);
    // Losses are of the order of 0.1; rounding differs, and Adam's first steps have the size of the rate whatever
    // the gradient, so that it is carried on.
    losses.forEach((loss, n) => {
      expect(loss).toBeCloseTo(expected[n]!, 4);
    });
  };
  for (const cell of CELL_KINDS) {
    it.skipIf(reason !== null)(`of ${cell} layers gives the losses that plain JavaScript gives`, () =>
      sameLosses(cell, 'through-time'),
    );
  }
  it.skipIf(reason !== null)('by the gradient of one step does too', () => sameLosses('elman', 'one-step'));
});
