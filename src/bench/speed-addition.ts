import { tensor3d } from '@tensorflow/tfjs-core';
import { messageOf } from '../errors.js';
import { Random } from '../random.js';
import { AdditionNetwork } from './addition.js';
import { ADDITION_DEFAULTS } from './addition-options.js';
import { peerEntry } from './peer.js';
import { type Contender, local, type SpeedCase, type SpeedSetting, Unavailable } from './speed-case.js';

/** Steps of a run: a training, since its first steps record the graph that runs the others. */
const STEPS = 500;

/** A training step of the binary addition (8 bits, two LSTM layers of 20, 64 sums), its batch made in it. */
export function additionCases({ seed, threads, peers }: SpeedSetting): SpeedCase[] {
  const { bits, batch, units, layers } = ADDITION_DEFAULTS;
  return [
    {
      what: 'training step, binary addition',
      unit: null,
      ours: { name: 'dragoman', open: async () => additionContender(seed) },
      others: [
        ...peerEntry(
          peers,
          'addition',
          'PyTorch, fused Adam',
          { threads, seed, bits, batch, units, layers },
          { asked: 1 },
        ),
        { name: 'TensorFlow.js layers', asked: 10, open: () => layersContender(seed) },
      ],
    },
  ];
}

function additionContender(seed: number): Contender {
  const network = new AdditionNetwork({ seed, steps: STEPS });
  return {
    // The network's own clock leaves out the making of the optimizer, once a run.
    ...local(
      'dragoman',
      1,
      null,
      () => {},
      () => network.dispose(),
    ),
    run: async (times) => {
      let total = 0;
      for (let done = 0; done < times; done += STEPS) total += STEPS * (await network.train());
      return (total * times) / (STEPS * Math.ceil(times / STEPS));
    },
  };
}

/** The same model as TensorFlow.js' own layers library has it, on the engine that runs. */
async function layersContender(seed: number): Promise<Contender> {
  const layers = await import('@tensorflow/tfjs-layers').catch((error: unknown) => {
    throw new Unavailable(`@tensorflow/tfjs-layers cannot be loaded: ${messageOf(error)}`);
  });
  const { bits, batch, units } = ADDITION_DEFAULTS;
  const initializer = () => layers.initializers.glorotUniform({ seed });
  const lstm = (inputShape?: [number, number]) =>
    layers.layers.lstm({
      units,
      returnSequences: true,
      kernelInitializer: initializer(),
      recurrentInitializer: initializer(),
      inputShape,
    });
  const model = layers.sequential({
    layers: [lstm([bits, 2]), lstm(), layers.layers.dense({ units: 1, activation: 'sigmoid' })],
  });
  model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
  const random = new Random(seed);
  const bit = (value: number, place: number): number => (value >> place) & 1;
  const work = async (): Promise<void> => {
    const x = new Float32Array(batch * bits * 2);
    const y = new Float32Array(batch * bits);
    for (let row = 0, k = 0; row < batch; row++) {
      const [a, b] = [random.integer(2 ** (bits - 1)), random.integer(2 ** (bits - 1))];
      for (let place = 0; place < bits; place++, k++) {
        x[2 * k] = bit(a, place);
        x[2 * k + 1] = bit(b, place);
        y[k] = bit(a + b, place);
      }
    }
    const [inputs, sums] = [tensor3d(x, [batch, bits, 2]), tensor3d(y, [batch, bits, 1])];
    await model.trainOnBatch(inputs, sums);
    inputs.dispose();
    sums.dispose();
  };
  return local('TensorFlow.js layers', 1, null, work, () => void model.dispose());
}
