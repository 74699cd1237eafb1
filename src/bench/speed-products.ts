import { matMul, randomNormal, type Tensor2D } from '@tensorflow/tfjs-core';
import { productFlops } from './flops.js';
import { peerEntry } from './peer.js';
import { type Contender, local, type SpeedCase, type SpeedSetting } from './speed-case.js';

type Shape = readonly [rows: number, inner: number, columns: number];

/** A square product, and that of an output layer with 8000 entries. */
export const PRODUCT_SHAPES: readonly Shape[] = [
  [1024, 1024, 1024],
  [1000, 512, 8000],
];

/** Large matrix products: the rate that all other rows are held against. */
export function productCases({ seed, threads, peers }: SpeedSetting): SpeedCase[] {
  return PRODUCT_SHAPES.map((shape) => {
    const flops = productFlops(...shape);
    const job = { threads, seed, shape };
    return {
      what: `matrix product [${shape[0]}, ${shape[1]}] [${shape[1]}, ${shape[2]}]`,
      unit: null,
      ours: { name: 'dragoman', open: async () => productContender(shape) },
      others: [
        ...peerEntry(peers, 'product', 'torch.mm', { ...job, precision: 'highest' }, { flops }),
        ...peerEntry(peers, 'product', 'torch.mm, oneDNN', { ...job, precision: 'medium' }, { flops }),
      ],
    };
  });
}

export function productContender(shape: Shape): Contender {
  const [rows, inner, columns] = shape;
  const [a, b] = [randomNormal([rows, inner]) as Tensor2D, randomNormal([inner, columns]) as Tensor2D];
  const work = (): void => matMul(a, b).dispose();
  return local('dragoman', 1, productFlops(...shape), work, () => {
    a.dispose();
    b.dispose();
  });
}
