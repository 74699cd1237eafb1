import { memory, tensor1d, tidy } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { TensorMask } from '../../src/kernel/tensor-mask.js';
import { reversed, shifted, timeMajor } from '../../src/model/layout.js';
import { type Reading, Seq2Seq } from '../../src/model/seq2seq.js';
import { Random } from '../../src/random.js';
import { type Batch, type PaddedIds, padIds } from '../../src/text/batch.js';
import { BOS, EOS } from '../../src/text/vocabulary.js';
import { describeOnEngines } from '../engines.js';
import { batchOf, type ModelInput, modelConfig, modelOf, SIZES, stepScores, words } from './small-model.js';

const BATCH = batchOf([[4, 5, 6], [7], [8, 4, 4, 5]], [[5, 6], [7, 4, 4, 6], [4]]);

const AXES: ReadonlyArray<[name: string, changes: ModelInput]> = [
  ['lstm', {}],
  ['gru', { cell: 'gru' }],
  ['elman', { cell: 'elman' }],
  ['unidirectional', { encoder: { hidden: 6, bidirectional: false } }],
  ['two layers', { encoder: { hidden: 3, layers: 2 }, decoder: { hidden: 6, layers: 2 } }],
  ['reversed source', { reverseSource: true }],
  ['summary mean', { summary: 'mean' }],
  ['summary max', { summary: 'max' }],
  ['summary tanh', { summary: 'tanh' }],
  ['c at every step', { context: 'every-step' }],
  ['no attention', { attention: 'none' }],
  ['no attention, c at every step', { attention: 'none', context: 'every-step' }],
  ['dot attention', { attention: 'dot' }],
  ['additive attention', { attention: 'additive' }],
  ['input feeding', { inputFeeding: true }],
  [
    'input feeding, additive attention, c at every step',
    { inputFeeding: true, attention: 'additive', context: 'every-step', cell: 'gru' },
  ],
  ['own output size', { output: 5 }],
  ['tied target embedding', { output: 4, tieTargetEmbedding: true }],
  ['all embeddings tied', { output: 4, tieTargetEmbedding: true, tieSourceEmbedding: true }],
];

/** The batch with source ids inside the smaller vocabulary of tied models. */
function batchFor(model: Seq2Seq): Batch {
  return model.config.tieSourceEmbedding
    ? batchOf([[4, 5, 6], [7], [6, 4, 4, 5]], [[5, 6], [7, 4, 4, 6], [4]])
    : BATCH;
}

/** Each row's tokens without EOS. */
function rowsOf({ ids, lengths, time }: PaddedIds): Int32Array[] {
  return Array.from(lengths, (length, row) => ids.slice(row * time, row * time + length - 1));
}

describeOnEngines('encoder-decoder', (engineName) => {
  for (const [name, changes] of AXES) {
    describe(name, () => {
      it('has the gradients that finite differences give, for every parameter', () => {
        const model = modelOf(changes);
        const batch = batchFor(model);
        // Smoothing is checked with the kernel itself; without it the loss is that of the cheaper forward pass.
        const { loss, logLikelihood, gradients } = model.gradients(batch, { labelSmoothing: 0, seed: 1 });
        const lossAt = (): number => -model.evaluate(batch).logLikelihood / batch.targetTokens;
        const step = 1e-2;
        for (const { name: parameter } of model.parameters.specs) {
          const gradient = gradients[parameter]!.dataSync();
          const values = model.parameters.read(parameter);
          const scale = Math.max(1e-2, ...gradient.map(Math.abs));
          const stride = Math.max(1, Math.floor(values.length / 3));
          for (let i = 0; i < values.length; i += stride) {
            const at = (shift: number): number => {
              const moved = Float32Array.from(values);
              moved[i]! += shift;
              model.parameters.write(parameter, moved);
              return lossAt();
            };
            const difference = (at(step) - at(-step)) / (2 * step);
            // See test/finite-differences.ts; a loss near 2 doubles the rounding.
            expect(Math.abs(difference - gradient[i]!) / scale, `${parameter}[${i}]`).toBeLessThan(5e-3);
          }
          model.parameters.write(parameter, values);
        }
        loss.dispose();
        logLikelihood.dispose();
        for (const gradient of Object.values(gradients)) gradient.dispose();
        model.dispose();
      });

      it('computes from tensors alone, under more padding, the losses that it scores', () => {
        const model = modelOf(changes);
        const batch = batchFor(model);
        const { reverseSource } = model.config;
        const source = padIds(rowsOf(batch.source), 8);
        const target = padIds(rowsOf(batch.target), 8);
        const reading = (padded: PaddedIds, ids: Int32Array): Reading => ({
          ids: timeMajor(ids, padded),
          mask: new TensorMask(tensor1d(padded.lengths, 'int32'), padded.time),
        });
        const losses = tidy(() =>
          model
            .losses(
              model.parameters.weights(),
              reading(source, reverseSource ? reversed(source) : source.ids),
              reading(target, shifted(target)),
              timeMajor(target.ids, target),
            )
            .dataSync(),
        );
        model.score(batch).forEach((scores, row) => {
          scores.forEach((score, t) => {
            // 32-bit sums of a few dozen terms.
            expect(losses[t * target.rows + row]! + score).toBeCloseTo(0, 5);
          });
        });
        model.dispose();
      });

      it('scores a target as the sum of its decoder steps, alone or in a batch', () => {
        const model = modelOf(changes);
        const batch = batchFor(model);
        const scores = model.score(batch);
        for (let row = 0; row < batch.source.rows; row++) {
          const source = words(batch.source, row);
          const target = words(batch.target, row);
          const stepwise = stepScores(model, source, target);
          expect(scores[row]!.length).toBe(target.length + 1);
          // Padding, batch and kernel must not matter; sums of some hundred 32-bit terms agree to about 1e-6.
          stepwise.forEach((value, t) => {
            expect(Math.abs(scores[row]![t]! - value)).toBeLessThan(1e-5);
          });
        }
        const { logLikelihood, tokens } = model.evaluate(batch);
        const total = scores.flatMap((s) => Array.from(s)).reduce((a, b) => a + b, 0);
        expect(logLikelihood).toBeCloseTo(total, 4);
        expect(tokens).toBe(batch.targetTokens);
        model.dispose();
      });
    });
  }

  it('gives attention weights in the order of the words, also for a reversed source', () => {
    const model = modelOf({ reverseSource: true });
    const plain = modelOf({ reverseSource: false });
    for (const { name } of model.parameters.specs) plain.parameters.write(name, model.parameters.read(name));
    const source = [4, 5, 6, 7];
    const weights = (m: Seq2Seq, ids: number[]): number[] => {
      const state = m.start(padIds([ids]));
      const step = m.step(state, Int32Array.of(BOS));
      const values = Array.from(step.attention!.dataSync());
      m.release(step.state);
      step.logits.dispose();
      step.attention!.dispose();
      return values;
    };
    const reversed = weights(model, source);
    const expected = weights(plain, source.toReversed());
    expect(reversed).toHaveLength(5);
    [...expected.slice(0, 4).reverse(), expected[4]!].forEach((value, k) => {
      expect(reversed[k]).toBeCloseTo(value, 6);
    });
    model.dispose();
    plain.dispose();
  });

  it('draws the same dropout for the same seed and another for another', () => {
    const model = new Seq2Seq(
      modelConfig({ dropout: { embedding: 0.5, layers: 0.5, output: 0.5 } }),
      SIZES,
      new Random(1),
    );
    const losses = [1, 1, 2].map((seed) =>
      tidy(() => model.gradients(BATCH, { labelSmoothing: 0, seed }).loss.dataSync()[0]!),
    );
    expect(losses[0]).toBe(losses[1]);
    expect(losses[0]).not.toBe(losses[2]);
    model.dispose();
  });

  it('keeps, reorders and expands decoder states without leaving tensors behind', () => {
    for (const [, changes] of AXES) {
      const without = memory().numTensors;
      const model = modelOf(changes);
      const { source } = batchFor(model);
      const search = (): void => {
        let state = model.expand(model.start(source), 2);
        for (let n = 0; n < 2; n++) {
          const step = model.step(state, new Int32Array(state.sentences * 2).fill(n === 0 ? BOS : EOS + 1));
          step.logits.dispose();
          step.attention?.dispose();
          state =
            n === 0
              ? model.keep(model.reorder(step.state, Int32Array.of(1, 0, 3, 3, 4, 5)), Int32Array.of(0, 2))
              : step.state;
        }
        model.release(state);
      };
      search(); // what is derived from the weights stays for the next one
      const before = memory().numTensors;
      search();
      expect(memory().numTensors, engineName).toBe(before);
      model.dispose();
      expect(memory().numTensors, engineName).toBe(without);
    }
  });

  it('leaves no tensor behind in a training step', () => {
    const model = modelOf({});
    model.parameters.weights();
    const before = memory().numTensors;
    for (let n = 0; n < 3; n++) {
      const { loss, logLikelihood, gradients } = model.gradients(BATCH, { labelSmoothing: 0.1, seed: n });
      for (const t of [loss, logLikelihood, ...Object.values(gradients)]) t.dispose();
      model.evaluate(BATCH);
      model.score(BATCH);
    }
    expect(memory().numTensors).toBe(before);
    model.dispose();
  });
});
