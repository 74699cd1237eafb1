import { memory, ones, sum, tensor1d, tensor2d, topk } from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { startEngine } from '../../src/engine/engine.js';
import { number, ownOperations } from '../../src/engine/own-operations.js';
import { Random } from '../../src/random.js';

describe('our operations on the wasm engine', () => {
  beforeAll(async () => {
    const { kernels } = await startEngine('wasm');
    expect(kernels).toEqual({ processor: 'simd128', reason: null });
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('are none where they are switched off', async () => {
    vi.stubEnv('DRAGOMAN_KERNELS', 'operations');
    expect(ownOperations()).toBeNull();
    expect((await startEngine('wasm')).kernels).toEqual({
      processor: null,
      reason: 'switched off by DRAGOMAN_KERNELS',
    });
  });

  it('give whole numbers and others', () => {
    const random = new Random(3);
    const logits = tensor2d(
      Float32Array.from({ length: 5 * 70 }, () => random.normal()),
      [5, 70],
    );
    const [ids, values] = ownOperations()!.run('DragomanBestStep', [logits, number('int32', 4)], 3);
    const best = topk(logits, 4);
    expect(ids!.dtype).toBe('int32');
    expect(ids!.shape).toEqual([5, 4]);
    expect(ids!.dataSync()).toEqual(best.indices.dataSync());
    expect(values!.dataSync()).toEqual(best.values.dataSync());
  });

  it('say what is wrong, and leave no tensor behind', () => {
    const operations = ownOperations()!;
    const [o, matrix, bias] = [ones([2, 3]), ones([3, 4]), ones([4])];
    const before = memory().numTensors;
    const loss = (labels: number[], columns = bias) =>
      operations.run(
        'DragomanMeanLoss',
        [
          o,
          matrix,
          columns,
          { dtype: 'int32', shape: [labels.length], values: labels },
          number('float32', 0),
          number('int32', 0),
        ],
        4,
      );
    expect(() => loss([0, 4])).toThrow('DragomanMeanLoss: a label is none of the columns');
    expect(() => loss([0, 1, 2])).toThrow('input 3 has another shape than the others ask for');
    expect(() => loss([0, 1], tensor1d([1, 2]))).toThrow('input 1 has another shape');
    expect(memory().numTensors).toBe(before + 1); // the tensor of the last line
    const results = loss([0, 3]);
    // Four equal logits: ln 4.
    expect(results[0]!.dataSync()[0]).toBeCloseTo(Math.log(4), 6);
    expect(sum(results[3]!).dataSync()[0]).toBeCloseTo(0, 6);
  });

  it('take what has no numbers, and more than the memory begins with', () => {
    const operations = ownOperations()!;
    const squares = (size: number) =>
      operations.run('DragomanSumOfSquares', [ones([size])], 1)[0]!.dataSync()[0];
    expect(squares(0)).toBe(0);
    // 24 MB; the module begins with 16.
    expect(squares(6_000_000)).toBe(6_000_000);
    expect(squares(3)).toBe(3);
  });
});
