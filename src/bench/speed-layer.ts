import { engine, randomNormal, type Tensor3D, tidy } from '@tensorflow/tfjs-core';
import { createCell } from '../cell/family.js';
import { fullMask } from '../kernel/mask.js';
import { runSequence } from '../kernel/sequence.js';
import { ParameterStore } from '../model/parameters.js';
import { Random } from '../random.js';
import { BACKWARD, layerFlops } from './flops.js';
import { peerEntry } from './peer.js';
import { type Contender, local, type SpeedCase, type SpeedSetting } from './speed-case.js';

type Shape = readonly [time: number, batch: number, input: number, hidden: number];

/** The shapes, and how many times PyTorch's speed is asked of us. */
const SHAPES: readonly (readonly [shape: Shape, asked: number])[] = [
  [[30, 64, 256, 256], 0.9],
  [[30, 64, 512, 512], 0.9],
  [[30, 32, 64, 128], 0.9],
  [[8, 64, 20, 20], 1.3],
];

/** One recurrent layer forward and backward, beside nn.LSTM and nn.GRU. */
export function layerCases({ seed, threads, peers }: SpeedSetting): SpeedCase[] {
  return (['lstm', 'gru'] as const).flatMap((cell) =>
    SHAPES.map(([shape, asked]) => {
      const [time, batch, input, hidden] = shape;
      const flops = (1 + BACKWARD) * layerFlops(cell, shape);
      const name = `nn.${cell.toUpperCase()}`;
      return {
        what: `${cell.toUpperCase()} layer (${time}, ${batch}, ${input} → ${hidden}), forward and backward`,
        unit: null,
        ours: { name: 'dragoman', open: async () => layerContender(cell, shape, flops, seed) },
        others: peerEntry(peers, 'layer', name, { threads, seed, shape, cell }, { asked, flops }),
      };
    }),
  );
}

/** A layer over a full batch; gradients of the input and of all weights, from one given for the outputs. */
export function layerContender(
  kind: 'lstm' | 'gru',
  [time, batch, input, hidden]: Shape,
  flops: number,
  seed: number,
): Contender {
  const cell = createCell(kind, input, hidden);
  const store = new ParameterStore(cell.parameters, new Random(seed));
  const x = randomNormal([time, batch, input]) as Tensor3D;
  const byOutput = randomNormal([time, batch, hidden]) as Tensor3D;
  const mask = fullMask(batch, time);
  const names = cell.parameters.map(({ name }) => name);
  const work = (): void =>
    tidy(() => {
      const w = store.weights();
      const initial = cell.initial(batch);
      engine().gradients(
        () => runSequence(cell, w, x, initial, mask, 'forward', 'outputs').outputs,
        [x, ...names.map((name) => w[name]!)],
        byOutput,
      );
    });
  return local('dragoman', 1, flops, work, () => {
    store.dispose();
    x.dispose();
    byOutput.dispose();
  });
}
