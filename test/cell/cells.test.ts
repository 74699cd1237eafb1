import { memory, tidy } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { createCell } from '../../src/cell/family.js';
import { CELL_KINDS, type CellInput } from '../../src/cell/options.js';
import { decodeSafetensors, encodeSafetensors } from '../../src/model/safetensors.js';
import { Seq2Seq } from '../../src/model/seq2seq.js';
import { copyWeights, restoreWeights } from '../../src/model/weights-file.js';
import { Random } from '../../src/random.js';
import { padIds } from '../../src/text/batch.js';
import { BOS } from '../../src/text/vocabulary.js';
import { createOptimizer } from '../../src/train/optimizer.js';
import { CELLS } from '../cells.js';
import { describeOnEngines, presentEngines } from '../engines.js';
import {
  batchOf,
  type ModelInput,
  modelConfig,
  modelOf,
  SIZES,
  stepScores,
  words,
} from '../model/small-model.js';

// Long enough that clocks of different periods tick, and of different lengths.
const BATCH = batchOf([[4, 5, 6, 7, 8, 4], [7], [8, 4, 4, 5]], [[5, 6, 7, 4, 5, 6], [7, 4, 4, 6], [4]]);

/** Of the target tokens in nats: 4 occurs 4 times, 6 and EOS 3 times, 5 and 7 twice. */
const ENTROPY = [4, 3, 3, 2, 2].reduce((sum, n) => sum - (n / 14) * Math.log(n / 14), 0);

const WIRINGS: ReadonlyArray<readonly [name: string, changes: ModelInput]> = [
  ['attention, both directions', {}],
  [
    'no attention, c at every step',
    { attention: 'none', context: 'every-step', encoder: { hidden: 4, bidirectional: false } },
  ],
  [
    'two layers, input feeding',
    { inputFeeding: true, encoder: { hidden: 4, layers: 2 }, decoder: { hidden: 6, layers: 2 } },
  ],
];

const withCell = (cell: CellInput, changes: ModelInput = {}): ModelInput => ({
  encoder: { hidden: 4 },
  ...changes,
  cell,
});

describeOnEngines(
  'every cell as encoder and decoder',
  () => {
    for (const [name, cell] of CELLS) {
      describe(name, () => {
        const isKind = CELL_KINDS.some((kind) => kind === name);
        // Wiring and training do not see a cell's options; the step, which does, is checked for all.
        for (const [wiring, changes] of isKind ? WIRINGS : WIRINGS.slice(0, 1)) {
          it(`gives a target step by step what teacher forcing gives it: ${wiring}`, () => {
            const model = modelOf(withCell(cell, changes));
            model.score(BATCH).forEach((score, row) => {
              const stepwise = stepScores(model, words(BATCH.source, row), words(BATCH.target, row));
              // As in test/model/seq2seq.test.ts: neither padding nor batch nor kernel must matter.
              stepwise.forEach((value, t) => {
                expect(Math.abs(score[t]! - value)).toBeLessThan(1e-5);
              });
            });
            model.dispose();
          });
        }

        it('takes its state along when a beam reorders hypotheses', () => {
          const model = modelOf(withCell(cell));
          const source = [4, 5, 6];
          const prefixes = [
            [5, 6, 7],
            [4, 4, 5],
          ];
          let state = model.expand(model.start(padIds([source])), 2);
          for (let t = 0; t <= 3; t++) {
            const previous = Int32Array.from(prefixes, (tokens) => (t === 0 ? BOS : tokens[t - 1]!));
            if (t === 3) previous.reverse(); // the rows have changed places
            const { state: next, logits, attention } = model.step(state, previous);
            attention?.dispose();
            state = t === 2 ? model.reorder(next, Int32Array.of(1, 0)) : next;
            if (t === 3) {
              const rows = logits.arraySync();
              [...prefixes].reverse().forEach((tokens, row) => {
                const alone = lastLogits(model, source, tokens);
                alone.forEach((value, k) => {
                  expect(Math.abs(rows[row]![k]! - value)).toBeLessThan(1e-5);
                });
              });
            }
            logits.dispose();
          }
          model.release(state);
          model.dispose();
        });

        it.runIf(isKind)('learns, keeps what is fixed, and is the same after saving and loading', () => {
          const model = new Seq2Seq(modelConfig(withCell(cell)), SIZES, new Random(1));
          const { specs } = model.parameters;
          const fixed = specs.filter((spec) => !spec.trainable).map((spec) => spec.name);
          const before = new Map(fixed.map((parameter) => [parameter, model.parameters.read(parameter)]));
          const spec = { kind: 'adam', learningRate: 0.03, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;
          const optimizer = createOptimizer(spec, model.parameters, 1);
          const losses: number[] = [];
          for (let step = 0; step < 25; step++) {
            tidy(() => {
              const { loss, gradients } = model.gradients(BATCH, { labelSmoothing: 0, seed: step });
              expect(Object.keys(gradients).filter((parameter) => fixed.includes(parameter))).toEqual([]);
              optimizer.apply(gradients, 0.03);
              losses.push(loss.dataSync()[0]!);
            });
          }
          // Who knows nothing but how often each token occurs gets the entropy of these frequencies.
          expect(losses.at(-1)).toBeLessThan(0.9 * ENTROPY);
          for (const [parameter, values] of before) expect(model.parameters.read(parameter)).toEqual(values);
          for (const key of Object.keys(optimizer.state()))
            expect(fixed.some((f) => key.endsWith(f))).toBe(false);

          const file = encodeSafetensors(copyWeights(model.parameters), {});
          const loaded = new Seq2Seq(model.config, SIZES, new Random(2));
          restoreWeights(loaded.parameters, decodeSafetensors(file, 'file').tensors, 'file');
          expect(loaded.score(BATCH)).toEqual(model.score(BATCH));
          optimizer.dispose();
          model.dispose();
          loaded.dispose();
        });
      });
    }

    it('may differ between encoder and decoder', () => {
      const before = memory().numTensors;
      CELL_KINDS.forEach((kind, k) => {
        const other = CELL_KINDS[(k + 5) % CELL_KINDS.length]!;
        const model = modelOf({
          encoder: { hidden: 4, cell: kind },
          decoder: { hidden: 6, cell: other },
          cell: 'gru',
        });
        const names = model.parameters.specs.map((spec) => spec.name);
        const local = (prefix: string) =>
          names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
        expect(local('encoder.0.forward.')).toEqual(createCell(kind, 4, 4).parameters.map((p) => p.name));
        expect(local('decoder.0.')).toEqual(createCell(other, 4, 6).parameters.map((p) => p.name));
        const stepwise = stepScores(model, words(BATCH.source, 0), words(BATCH.target, 0));
        stepwise.forEach((value, t) => {
          expect(Math.abs(model.score(BATCH)[0]![t]! - value)).toBeLessThan(1e-5);
        });
        model.dispose();
      });
      expect(memory().numTensors).toBe(before);
    });
  },
  // The sequences themselves are compared on every engine in test/kernel/sequence.test.ts.
  presentEngines().slice(0, 1),
);

/** What the model says after BOS and these tokens, one sentence alone. */
function lastLogits(model: Seq2Seq, source: number[], tokens: number[]): number[] {
  let state = model.start(padIds([source]));
  let said: number[] = [];
  for (const previous of [BOS, ...tokens]) {
    const { state: next, logits, attention } = model.step(state, Int32Array.of(previous));
    said = Array.from(logits.dataSync());
    logits.dispose();
    attention?.dispose();
    state = next;
  }
  model.release(state);
  return said;
}
