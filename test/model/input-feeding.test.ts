import {
  engine,
  keep,
  memory,
  mul,
  type Scalar,
  sum,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  tensor,
  tidy,
} from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { SequenceMask } from '../../src/kernel/mask.js';
import { Decoder } from '../../src/model/decoder.js';
import { Dropout } from '../../src/model/dropout.js';
import { Random } from '../../src/random.js';
import { describeOnEngines, presentEngines } from '../engines.js';
import { type ModelInput, modelConfig } from './small-model.js';

const MEMORY = 6; // both directions of 3

const MODELS: ReadonlyArray<[name: string, changes: ModelInput]> = [
  ['lstm, general', {}],
  ['lstm, additive, c at every step', { attention: 'additive', context: 'every-step' }],
  ['lstm, dot, own output size', { attention: 'dot', output: 5 }],
  ['gru, additive', { cell: 'gru', attention: 'additive' }],
  ['gru, retrieval in one step', { cell: 'gru', attention: { kind: 'hopfield', steps: 1 } }],
  ['elman, additive', { cell: 'elman', attention: 'additive' }],
  [
    'two layers with dropout between them, additive',
    {
      attention: 'additive',
      decoder: { hidden: 6, layers: 2 },
      dropout: { embedding: 0, layers: 0.4, output: 0 },
    },
  ],
  [
    'two layers of gru, c at every step',
    { cell: 'gru', context: 'every-step', decoder: { hidden: 6, layers: 2 } },
  ],
  ['jordan, which has no kernel', { cell: 'jordan' }],
  ['retrieval in two steps, which has no kernel', { attention: { kind: 'hopfield', steps: 2 } }],
];

const BATCHES: ReadonlyArray<{ name: string; source: number[]; target: number[] }> = [
  { name: 'rows of full length', source: [3, 3], target: [4, 4] },
  { name: 'padding on both sides, an empty target', source: [4, 1, 3], target: [3, 5, 0] },
  // More steps than are taken together in the gradient.
  { name: 'a batch of one, ten steps', source: [2], target: [10] },
  { name: 'a single step', source: [2, 1], target: [1, 1] },
];

describeOnEngines('decoder with input feeding', (engineName) => {
  // The loop is written once; the other engines bring other single operations, which these two models use.
  const models = engineName === presentEngines()[0] ? MODELS : [MODELS[1]!, MODELS[3]!];
  for (const [name, changes] of models) {
    for (const { name: shape, source, target } of BATCHES) {
      it(`equals automatic differentiation over its steps: ${name}; ${shape}`, () => {
        const config = modelConfig({ inputFeeding: true, ...changes });
        const decoder = new Decoder(config, MEMORY);
        const random = new Random(17);
        const draw = (size: readonly number[], scale: number): Tensor =>
          tensor(
            Float32Array.from({ length: size.reduce((a, b) => a * b, 1) }, () => random.normal() * scale),
            [...size],
          );
        const batch = source.length;
        const [sourceTime, time] = [Math.max(...source), Math.max(...target)];
        const mask = new SequenceMask(Int32Array.from(target), time);
        const before = memory().numTensors;
        tidy(() => {
          const bias = new SequenceMask(Int32Array.from(source), sourceTime).bias();
          const weights = Object.fromEntries(
            decoder.parameters.map((spec) => [spec.name, draw(spec.shape, 0.5)]),
          );
          const y = draw([time, batch, config.embedding], 1) as Tensor3D;
          const encoded = draw([batch, sourceTime, MEMORY], 1) as Tensor3D;
          const summary = draw([batch, MEMORY], 1) as Tensor2D;
          // Each output enters with a weight of its own; those at padding do not count.
          const probe = mask.apply(draw([time, batch, decoder.outputSize], 1) as Tensor3D);
          const kept: Tensor[] = [];
          const outcome = (stepwise: boolean): Tensor[] => {
            let outputs: Tensor | undefined;
            const { value, grads } = engine().gradients(() => {
              const prepared = decoder.prepare(weights, summary, encoded, bias);
              const run = stepwise ? decoder.runStepwise : decoder.run;
              const out = run.call(decoder, weights, y, prepared, mask, new Dropout(3));
              outputs = keep(mask.apply(out));
              return sum(mul(out, probe)) as Scalar;
            }, [...Object.values(weights), y, encoded, summary]);
            kept.push(outputs!);
            return [outputs!, value, ...grads];
          };
          const [fused, expected] = [outcome(false), outcome(true)];
          expect(fused.length).toBe(expected.length);
          const names = ['outputs', 'value', ...Object.keys(weights), 'y', 'memory', 'summary'];
          fused.forEach((values, k) => {
            const twin = expected[k]!.dataSync<'float32'>();
            const largest = twin.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
            values.dataSync<'float32'>().forEach((x, i) => {
              // 32-bit sums of some hundred terms in another order.
              expect(Math.abs(x - twin[i]!), `${names[k]}[${i}]`).toBeLessThan(1e-5 + 2e-5 * largest);
            });
          });
          for (const tensor of kept) tensor.dispose();
        });
        expect(memory().numTensors).toBe(before);
      });
    }
  }
});
