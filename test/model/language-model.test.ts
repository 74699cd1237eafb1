import { memory, tidy } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { CELL_KINDS, type LanguageModelConfigInput, languageModelSchema } from '../../src/config.js';
import { LanguageModel } from '../../src/model/language-model.js';
import { Random } from '../../src/random.js';
import { scoreBySteps, scorePairs } from '../../src/search/scorer.js';
import { padIds } from '../../src/text/batch.js';
import { BOS, EOS } from '../../src/text/vocabulary.js';
import { CELLS } from '../cells.js';
import { describeOnEngines } from '../engines.js';
import { batchOf } from './small-model.js';

type ModelInput = NonNullable<LanguageModelConfigInput['model']>;

const VOCABULARY = 8;
const TEXTS = [[5, 6], [7, 4, 4, 6], [], [4]];
/** Of a corpus without sources. */
const BATCH = batchOf([[], [], [], []], TEXTS);

function configOf(changes: ModelInput) {
  const corpus = { text: 'a' };
  return languageModelSchema.parse({
    task: 'language-model',
    data: { train: corpus, validation: corpus },
    text: { tokenizer: { kind: 'word' } },
    model: { embedding: 4, hidden: 6, dropout: { embedding: 0, layers: 0, output: 0 }, ...changes },
  }).model;
}

/** Weights larger than their start, so that no term of a gradient is too small to be seen. */
function modelOf(changes: ModelInput): LanguageModel {
  const model = new LanguageModel(configOf(changes), VOCABULARY, new Random(3));
  const random = new Random(5);
  for (const { name } of model.parameters.specs) {
    model.parameters.write(
      name,
      model.parameters.read(name).map(() => random.normal() * 0.4),
    );
  }
  return model;
}

/** The logits of every next token after these, one step at a time, for one sentence alone. */
function distributions(model: LanguageModel, text: readonly number[]): number[][] {
  let state = model.start(padIds([[]]));
  const all: number[][] = [];
  for (const previous of [BOS, ...text]) {
    const step = model.step(state, Int32Array.of(previous));
    const logits = Array.from(step.logits.dataSync());
    const most = Math.max(...logits);
    const normalizer = most + Math.log(logits.reduce((sum, z) => sum + Math.exp(z - most), 0));
    all.push(logits.map((z) => z - normalizer));
    step.logits.dispose();
    state = step.state;
  }
  model.release(state);
  return all;
}

const AXES: readonly (readonly [string, ModelInput])[] = [
  ['two layers', { layers: 2 }],
  ['own output size', { output: 5 }],
  ['tied embedding', { output: 4, tieEmbedding: true }],
];

describeOnEngines('language model', () => {
  // Options of cells are checked with the cells; here every kind stands where a model uses it.
  describe.each([
    ...CELLS.slice(0, CELL_KINDS.length).map(([name, cell]) => [name, { cell }] as const),
    ...AXES,
  ])('%s', (_, changes) => {
    it('scores a text as the product of its steps, whatever stands beside it', () => {
      const model = modelOf(changes);
      const scores = model.score(BATCH);
      const plain = scorePairs(
        model,
        TEXTS.map((text) => ({ source: new Int32Array(0), target: Int32Array.from(text) })),
      );
      const steps = scoreBySteps(model, BATCH);
      for (const [row, text] of TEXTS.entries()) {
        const expected = distributions(model, text).map((p, t) => p[[...text, EOS][t]!]!);
        expect(scores[row]!.length).toBe(text.length + 1);
        expected.forEach((value, t) => {
          // Sums of some ten 32-bit terms: see test/model/seq2seq.test.ts.
          for (const found of [scores, plain, steps])
            expect(Math.abs(found[row]![t]! - value)).toBeLessThan(1e-5);
        });
      }
      const { logLikelihood, tokens } = model.evaluate(BATCH);
      expect(tokens).toBe(11); // 7 words and 4 ends
      expect(logLikelihood).toBeCloseTo(
        scores.flatMap((s) => Array.from(s)).reduce((a, b) => a + b, 0),
        4,
      );
      model.dispose();
    });

    it('has the gradients that finite differences give', () => {
      const model = modelOf(changes);
      const { loss, logLikelihood, gradients } = model.gradients(BATCH, { labelSmoothing: 0, seed: 1 });
      const lossAt = (): number => -model.evaluate(BATCH).logLikelihood / BATCH.targetTokens;
      const step = 1e-2;
      for (const { name, trainable } of model.parameters.specs) {
        if (!trainable) continue;
        const gradient = gradients[name]!.dataSync();
        const values = model.parameters.read(name);
        const scale = Math.max(1e-2, ...gradient.map(Math.abs));
        const stride = Math.max(1, Math.floor(values.length / 2));
        for (let i = 0; i < values.length; i += stride) {
          const at = (shift: number): number => {
            const moved = Float32Array.from(values);
            moved[i]! += shift;
            model.parameters.write(name, moved);
            return lossAt();
          };
          const difference = (at(step) - at(-step)) / (2 * step);
          // As for the translation model: rounding and curvature, see test/finite-differences.ts.
          expect(Math.abs(difference - gradient[i]!) / scale, `${name}[${i}]`).toBeLessThan(5e-3);
        }
        model.parameters.write(name, values);
      }
      for (const tensor of [loss, logLikelihood, ...Object.values(gradients)]) tensor.dispose();
      model.dispose();
    });
  });

  it('gives a distribution at each step', () => {
    const model = modelOf({});
    for (const row of distributions(model, [4, 7, 5])) {
      expect(row.reduce((sum, p) => sum + Math.exp(p), 0)).toBeCloseTo(1, 5);
    }
    model.dispose();
  });

  it('does not look ahead: what comes later changes no score before it', () => {
    const model = modelOf({ layers: 2 });
    const [long, other] = model.score(
      batchOf(
        [[], []],
        [
          [4, 5, 6, 7],
          [4, 5, 7, 7, 7],
        ],
      ),
    ) as [Float32Array, Float32Array];
    expect(long[0]).toBeCloseTo(other[0]!, 6);
    expect(long[1]).toBeCloseTo(other[1]!, 6);
    expect(long[3]).not.toBeCloseTo(other[3]!, 3);
    model.dispose();
  });

  it('draws the same dropout for the same seed and another for another', () => {
    const rates = { embedding: 0.5, layers: 0.5, output: 0.5 };
    const model = new LanguageModel(configOf({ dropout: rates, layers: 2 }), VOCABULARY, new Random(1));
    const losses = [1, 1, 2].map((seed) =>
      tidy(() => model.gradients(BATCH, { labelSmoothing: 0.1, seed }).loss.dataSync()[0]!),
    );
    expect(losses[0]).toBe(losses[1]);
    expect(losses[0]).not.toBe(losses[2]);
    model.dispose();
  });

  it('leaves no tensor behind, in training, scoring or search', () => {
    const without = memory().numTensors;
    const model = modelOf({ output: 4, tieEmbedding: true });
    const work = (): void => {
      const { loss, logLikelihood, gradients } = model.gradients(BATCH, { labelSmoothing: 0.1, seed: 1 });
      for (const tensor of [loss, logLikelihood, ...Object.values(gradients)]) tensor.dispose();
      model.score(BATCH);
      model.evaluate(BATCH);
      let state = model.expand(model.start(BATCH.source), 2);
      for (const token of [BOS, 5]) {
        const step = model.step(state, new Int32Array(state.sentences * 2).fill(token));
        step.logits.dispose();
        state = step.state;
        if (token === BOS)
          state = model.keep(
            model.reorder(state, Int32Array.of(1, 0, 3, 3, 4, 5, 6, 7)),
            Int32Array.of(0, 2),
          );
      }
      model.release(state);
    };
    work();
    const before = memory().numTensors;
    work();
    expect(memory().numTensors).toBe(before);
    model.dispose();
    expect(memory().numTensors).toBe(without);
  });
});
