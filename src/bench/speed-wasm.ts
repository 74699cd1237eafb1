import { type Tensor, tidy, train, type Variable, variable } from '@tensorflow/tfjs-core';
import { resolveConfig } from '../config.js';
import { Random } from '../random.js';
import { collate } from '../text/batch.js';
import { plainLoss } from './plain-model.js';
import { type Contender, local, type SpeedCase, type SpeedData, type SpeedSetting } from './speed-case.js';
import { benchmarkModel, generatedText } from './speed-model.js';
import { representative, trainingContender } from './speed-training.js';
import { syntheticCodecs, syntheticCorpus } from './synthetic-corpus.js';

/** As the quickstart has them on this engine: what it can train in minutes. */
const SIZES = { embedding: 64, hidden: 64, decoder: 128, vocabulary: 2000, batch: 16 };
const PAIRS = 320;

/** A training step in WebAssembly, beside the same model as single operations and automatic differentiation. */
export function wasmCases({ seed }: SpeedSetting): SpeedCase[] {
  const codecs = syntheticCodecs(SIZES.vocabulary);
  const corpus = syntheticCorpus(new Random(seed), PAIRS, codecs);
  const data: SpeedData = { name: 'random pairs', files: null, codecs, corpus };
  const config = resolveConfig({
    ...generatedText(),
    model: {
      embedding: SIZES.embedding,
      encoder: { hidden: SIZES.hidden },
      decoder: { hidden: SIZES.decoder },
      dropout: { embedding: 0, layers: 0, output: 0 },
    },
    train: { labelSmoothing: 0.1, clip: 0 },
  });
  const setting = { config, data, batch: SIZES.batch, batches: 1, seed };
  return [
    {
      what: 'training step, small model, WebAssembly',
      unit: 'target tokens',
      engine: 'wasm',
      ours: { name: 'dragoman', open: async () => ({ ...trainingContender(setting), flops: null }) },
      others: [{ name: 'plain TensorFlow.js', asked: 5, open: async () => plainContender(setting) }],
    },
  ];
}

/** The same step with TensorFlow.js' own automatic differentiation and Adam. */
function plainContender(setting: Parameters<typeof trainingContender>[0]): Contender {
  const { config, data, batch, batches, seed } = setting;
  const model = benchmarkModel(config, data.codecs, seed);
  const variables: Record<string, Variable> = {};
  for (const [name, value] of Object.entries(model.parameters.weights())) variables[name] = variable(value);
  model.dispose();
  const optimizer = train.adam(config.train.optimizer.learningRate);
  const chosen = representative(data.corpus, batch, batches, seed);
  const work = (): void => {
    for (const indices of chosen) {
      tidy(() => {
        const one = collate(data.corpus, indices);
        optimizer.minimize(
          () => plainLoss(variables, one, config.train.labelSmoothing),
          false,
          Object.values(variables),
        );
      });
    }
  };
  const tokens = chosen.flatMap((indices) => Array.from(indices));
  const amount = tokens.reduce((total, i) => total + data.corpus.targetLength(i) + 1, 0);
  return local('plain TensorFlow.js', amount, null, work, () => {
    optimizer.dispose();
    for (const value of Object.values<Tensor>(variables)) value.dispose();
  });
}
