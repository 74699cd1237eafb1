import { gather, tensor2d, tensor3d, tidy } from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { describeOnEngines } from '../engines.js';

describeOnEngines('look-up of rows', (engine) => {
  it('gives the rows in the order of the indices, in their shape', () => {
    tidy(() => {
      const table = tensor2d([1, 2, 3, 4, 5, 6], [3, 2]);
      expect(gather(table, [2, 0, 2]).arraySync()).toEqual([
        [5, 6],
        [1, 2],
        [5, 6],
      ]);
      const ids = tensor2d([1, 1, 0, 2], [2, 2], 'int32');
      expect(gather(table, ids).arraySync()).toEqual([
        [
          [3, 4],
          [3, 4],
        ],
        [
          [1, 2],
          [5, 6],
        ],
      ]);
      expect(gather(table, [1]).arraySync()).toEqual([[3, 4]]);
    });
  });

  it('looks up whole numbers, and along other axes', () => {
    tidy(() => {
      const whole = tensor2d([1, 2, 3, 4], [2, 2], 'int32');
      expect(gather(whole, [1, 0]).arraySync()).toEqual([
        [3, 4],
        [1, 2],
      ]);
      expect(gather(tensor2d([1, 2, 3, 4], [2, 2]), [1, 1], 1).arraySync()).toEqual([
        [2, 2],
        [4, 4],
      ]);
      expect(gather(tensor3d([1, 2, 3, 4], [2, 1, 2]), [1]).arraySync()).toEqual([[[3, 4]]]);
    });
  });

  it.runIf(engine !== 'cpu')('refuses rows that are not there', () => {
    tidy(() => {
      const table = tensor2d([1, 2], [1, 2]);
      const [above, below] =
        engine === 'wasm'
          ? ['expected a row from 0 to 0, got 1', 'got -1']
          : ['= 1 is not in [0, 1)', '= -1 is not in [0, 1)'];
      expect(() => gather(table, [1])).toThrow(above);
      expect(() => gather(table, [-1])).toThrow(below);
    });
  });
});
