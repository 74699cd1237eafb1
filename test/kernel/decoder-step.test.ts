import {
  add,
  gather,
  matMul,
  memory,
  mul,
  sub,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  tensor,
  tensor1d,
  tidy,
  transpose,
} from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { hasCompiledKernels } from '../../src/engine/compiled-kernels.js';
import { CompiledDecoder } from '../../src/kernel/compiled-decoder.js';
import { DecoderStepKernel } from '../../src/kernel/decoder-step.js';
import { PackedDecoder } from '../../src/kernel/packed-decoder.js';
import { Decoder } from '../../src/model/decoder.js';
import { Random } from '../../src/random.js';
import { difference } from '../difference.js';
import { describeOnKernels } from '../engines.js';
import { type ModelInput, modelConfig } from '../model/small-model.js';

const VOCABULARY = 40;
const MEMORY = 8;

const CASES: ReadonlyArray<[name: string, changes: ModelInput]> = [
  ['lstm, general attention', { attention: 'general' }],
  ['lstm, dot attention', { attention: 'dot', encoder: { hidden: MEMORY / 2 }, decoder: { hidden: MEMORY } }],
  ['lstm, additive attention, input feeding', { attention: 'additive', inputFeeding: true }],
  ['gru, general attention, c at every step', { cell: 'gru', attention: 'general', context: 'every-step' }],
  [
    'gru, additive attention, two layers',
    { cell: 'gru', attention: 'additive', decoder: { hidden: 6, layers: 2 } },
  ],
  ['lstm without attention, c at every step', { attention: 'none', context: 'every-step' }],
  [
    'lstm, two layers, input feeding, c at every step',
    { attention: 'general', inputFeeding: true, context: 'every-step', decoder: { hidden: 6, layers: 2 } },
  ],
  // 4 * 256 columns: the matrix is laid out with empty ones.
  ['lstm of 256', { attention: 'general', decoder: { hidden: 256 } }],
];

class Draw {
  readonly #random = new Random(7);

  tensor<T extends Tensor = Tensor2D>(shape: readonly number[], scale = 0.7): T {
    const size = shape.reduce((a, b) => a * b, 1);
    const values = Float32Array.from({ length: size }, () => this.#random.normal() * scale);
    return tensor(values, [...shape]) as T;
  }
}

// 24-bit mantissas, sums of up to 264 products, four layers of them: 1e-5 leaves room for their order.
const TOLERANCE = 1e-5;

describeOnKernels('the decoder step as one kernel', () => {
  // Few rows and many take different products; the widths are hypotheses of a sentence.
  describe.each([
    [1, 1],
    [1, 5],
    [4, 1],
    [4, 5],
  ])('%i sentences, %i hypotheses each', (sentences, width) => {
    it.each(CASES)('%s: equals the composed step', (_, changes) => {
      const draw = new Draw();
      const config = modelConfig(changes);
      const decoder = new Decoder(config, MEMORY);
      const w: Record<string, Tensor> = Object.fromEntries(
        decoder.parameters.map(({ name, shape }) => [name, draw.tensor<Tensor>(shape, 0.4)]),
      );
      const rows = sentences * width;
      const before = rows + 3; // the rows that go on are some of these
      const parents = Int32Array.from({ length: rows }, (_, row) => (row * 5 + 2) % before);
      const table = draw.tensor([VOCABULARY, config.embedding]);
      const previous = Int32Array.from({ length: rows }, (_, row) => (row * 7 + 4) % VOCABULARY);
      const output = {
        matrix: draw.tensor([decoder.outputSize, VOCABULARY]),
        transposed: false,
        bias: draw.tensor<Tensor1D>([VOCABULARY]),
      };
      const { attention } = decoder.prepare(
        w,
        draw.tensor([rows, MEMORY]),
        draw.tensor<Tensor3D>([sentences, 6, MEMORY]),
        tensor(
          Float32Array.from({ length: sentences * 6 }, (_, i) => (i % 6 > 3 && i % 4 !== 0 ? -1e9 : 0)),
          [sentences, 1, 6],
        ) as Tensor3D,
      );
      const summaries = draw.tensor([sentences, MEMORY]);
      const sources = Int32Array.from({ length: rows }, (_, row) => Math.floor(row / width));
      const source = { summary: gather(summaries, tensor1d(sources, 'int32')) as Tensor2D, attention };
      const begin = decoder.initialState(w, draw.tensor([before, MEMORY]));
      const names = decoder.stateNames;
      const state = names.map((name) => add(begin[name]!, draw.tensor(begin[name]!.shape, 0.3)) as Tensor2D);

      const composed = tidy(() => {
        const index = tensor1d(parents, 'int32');
        const moved = Object.fromEntries(
          names.map((name, k) => [name, gather(state[k]!, index) as Tensor2D]),
        );
        const y = gather(table, tensor1d(previous, 'int32')) as Tensor2D;
        const next = decoder.step(w, y, moved, source);
        const logits = add(matMul(next.output, output.matrix), output.bias) as Tensor2D;
        const weights = next.weights === null ? [] : [next.weights];
        return [...names.map((name) => next.state[name]!), logits, ...weights];
      });

      const kernel = new DecoderStepKernel();
      const parts = { ...decoder.stepParts(w)!, table, output };
      const count = memory().numTensors;
      const fused = kernel.step(parts, state, parents, previous, source);
      const all = [...fused.state, fused.logits, ...(fused.weights === null ? [] : [fused.weights])];
      expect(memory().numTensors).toBe(count + all.length);
      expect(all.length).toBe(composed.length);
      all.forEach((value, k) => {
        expect(difference(value, composed[k]!)).toBeLessThan(TOLERANCE);
      });

      if (hasCompiledKernels()) {
        const packed = new PackedDecoder(parts);
        const decoding = new CompiledDecoder(packed);
        const arrays = decoding.step(
          state.map((tensor) => tensor.dataSync<'float32'>() as Float32Array),
          { previous, parents, sources },
          {
            batch: sentences,
            summary: config.context === 'every-step' ? (summaries.dataSync() as Float32Array) : null,
            attention: attention && {
              length: 6,
              size: MEMORY,
              query: attention.keys.shape[2],
              keys: attention.keys.dataSync() as Float32Array,
              memory: attention.memory.dataSync() as Float32Array,
              bias: attention.bias.dataSync() as Float32Array,
            },
          },
        );
        const given = [...arrays.state, arrays.logits, ...(arrays.weights === null ? [] : [arrays.weights])];
        expect(given.length).toBe(composed.length);
        given.forEach((values, k) => {
          expect(difference(tensor(values, composed[k]!.shape), composed[k]!)).toBeLessThan(TOLERANCE);
        });
        expect(packed.isOf(parts)).toBe(true);
        expect(packed.isOf({ ...parts, table: mul(table, 2) as Tensor2D })).toBe(false);
      }

      // Another output matrix: what was derived from the old one is made again.
      const doubled = { ...parts, output: { ...output, matrix: mul(output.matrix, 2) as Tensor2D } };
      const again = kernel.step(doubled, state, parents, previous, source);
      const logits = tidy(() => add(mul(sub(fused.logits, output.bias), 2), output.bias));
      expect(difference(again.logits, logits)).toBeLessThan(TOLERANCE);
      kernel.forget();
    });
  });

  it('takes a table that is the output matrix transposed', () => {
    const draw = new Draw();
    const config = modelConfig({ attention: 'none' });
    const decoder = new Decoder(config, MEMORY);
    const w = Object.fromEntries(
      decoder.parameters.map(({ name, shape }) => [name, draw.tensor<Tensor>(shape)]),
    );
    const state = decoder.initialState(w, draw.tensor([3, MEMORY]));
    const before = decoder.stateNames.map((name) => state[name]!);
    const matrix = draw.tensor([decoder.outputSize, VOCABULARY]);
    const bias = draw.tensor<Tensor1D>([VOCABULARY]);
    const parts = { ...decoder.stepParts(w)!, table: draw.tensor([VOCABULARY, config.embedding]) };
    const source = { summary: null, attention: null };
    const [plain, transposed] = [false, true].map((flip) => {
      const kernel = new DecoderStepKernel();
      const output = { matrix: flip ? (transpose(matrix) as Tensor2D) : matrix, transposed: flip, bias };
      const { logits } = kernel.step({ ...parts, output }, before, null, Int32Array.of(4, 5, 6), source);
      kernel.forget();
      return Array.from(logits.dataSync());
    });
    expect(transposed).toEqual(plain);
  });

  it('is not there for a cell or an attention that it does not know', () => {
    const draw = new Draw();
    for (const changes of [{ cell: 'elman' }, { attention: 'hopfield' }] as const) {
      const decoder = new Decoder(modelConfig(changes), MEMORY);
      const w = Object.fromEntries(
        decoder.parameters.map(({ name, shape }) => [name, draw.tensor<Tensor>(shape)]),
      );
      expect(decoder.stepParts(w)).toBeNull();
    }
  });
}, ['tensorflow']);
