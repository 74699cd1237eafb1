import { randomNormal, type Tensor } from '@tensorflow/tfjs-core';
import { ParameterStore } from '../model/parameters.js';
import { Random } from '../random.js';
import { createOptimizer } from '../train/optimizer.js';
import { adam } from './adam.js';
import { peerEntry } from './peer.js';
import { type Contender, local, type SpeedCase, type SpeedSetting } from './speed-case.js';

/** 10 million parameters in matrices as a model has them. */
const SHAPES: readonly (readonly [number, number])[] = [
  [8000, 512],
  [8000, 256],
  [8000, 256],
  [2048, 512],
  [1024, 512],
  [280, 1000],
];

/** One optimizer step, all gradients scaled to a global norm of 1. */
export function adamCases({ seed, threads, peers }: SpeedSetting): SpeedCase[] {
  return [
    {
      what: 'Adam over 10 million parameters, clipped by their global norm',
      unit: null,
      ours: { name: 'dragoman', open: async () => adamContender(seed) },
      others: peerEntry(peers, 'adam', 'PyTorch, fused', { threads, seed, shapes: SHAPES }, { asked: 1 }),
    },
  ];
}

function adamContender(seed: number): Contender {
  const specs = SHAPES.map((shape, k) => ({
    name: `parameter.${k}`,
    shape,
    initializer: { kind: 'zeros' } as const,
    trainable: true,
  }));
  const store = new ParameterStore(specs, new Random(seed));
  const optimizer = createOptimizer(adam(1e-3), store, 1);
  // A norm of about 3000: every step is clipped, as PyTorch multiplies by a factor in every step.
  const gradients: Record<string, Tensor> = Object.fromEntries(
    specs.map(({ name, shape }) => [name, randomNormal([...shape])]),
  );
  const work = (): void => optimizer.apply(gradients, 1e-3).dispose();
  return local('dragoman', 1, null, work, () => {
    optimizer.dispose();
    store.dispose();
    for (const gradient of Object.values(gradients)) gradient.dispose();
  });
}
