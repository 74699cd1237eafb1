import { describe, expect, it } from 'vitest';
import { lengthClasses } from '../../src/metrics/by-length.js';

describe('lengthClasses', () => {
  it('puts every line into one class', () => {
    const classes = lengthClasses(['a', 'a b c', '', ' a  b ', 'a b c d e'], [1, 3]);
    expect(classes).toEqual([
      { from: 0, to: 1, lines: [0, 2], meanLength: 0.5 },
      { from: 2, to: 3, lines: [1, 3], meanLength: 2.5 },
      { from: 4, to: Number.POSITIVE_INFINITY, lines: [4], meanLength: 5 },
    ]);
  });

  it('keeps classes without lines', () => {
    const [short, long] = lengthClasses(['a b'], [1]);
    expect(short).toMatchObject({ lines: [], meanLength: Number.NaN });
    expect(long?.lines).toEqual([0]);
  });

  it.each([[[3, 3]], [[3, 2]], [[0]], [[1.5]]])('refuses bounds that do not rise: %j', (bounds) => {
    expect(() => lengthClasses([], bounds)).toThrow(
      /^lengths: expected rising whole numbers from 1 on, got /,
    );
  });
});
