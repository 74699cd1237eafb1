import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DoubleArray, isSound } from '../../src/subword/double-array.js';
import { type Branch, buildDoubleArray } from '../../src/subword/double-array-builder.js';

const key = fc.uint8Array({ min: 1, max: 255, minLength: 1, maxLength: 6 });
const few = fc
  .array(fc.constantFrom(1, 2, 97, 255), { minLength: 1, maxLength: 5 })
  .map((a) => Uint8Array.from(a));
const entries = fc.uniqueArray(fc.tuple(fc.oneof(key, few), fc.nat({ max: 2 ** 31 - 1 })), {
  maxLength: 200,
  selector: ([bytes]) => bytes.join(),
});

test('finds the longest string at each place, as a search through a list does', () => {
  fc.assert(
    fc.property(entries, fc.uint8Array({ maxLength: 40 }), (list, noise) => {
      const array = new DoubleArray(buildDoubleArray(list));
      expect(isSound(array.units)).toBe(true);
      const text = Uint8Array.from([...noise, ...list.flatMap(([bytes]) => [...bytes])]);
      for (let start = 0; start < text.length; start++) {
        const matching = list.filter(([bytes]) => bytes.every((byte, i) => text[start + i] === byte));
        const longest = matching.toSorted(([a], [b]) => b.length - a.length)[0];
        const found = { end: 0, value: 0 };
        expect(array.longest(text, start, text.length, found)).toBe(longest !== undefined);
        if (longest) expect(found).toEqual({ end: start + longest[0].length, value: longest[1] });
      }
    }),
    { numRuns: 60 },
  );
});

test('steps through the strings and no others', () => {
  const list = ['he', 'her', 'here', 'she', 'hers'].map(
    (word, value) => [new TextEncoder().encode(word), value] as const,
  );
  const array = new DoubleArray(buildDoubleArray(list));
  const valueAt = (word: string): number => {
    let unit = 0;
    for (const byte of new TextEncoder().encode(word)) {
      unit = array.step(unit, byte);
      if (unit === 0) return -2;
    }
    return array.value(unit);
  };
  expect(['he', 'her', 'here', 'she', 'hers', 'h', 'sh', 'hi', 'heres'].map(valueAt)).toEqual([
    0, 1, 2, 3, 4, -1, -1, -2, -2,
  ]);
});

/** Ways that do not begin one another: a length and a letter tell them apart. */
const way = (length: number, letter: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i === 0 ? 16 * length + letter : letter + 1));
const { branch } = fc.letrec<{ branch: Branch }>((tie) => ({
  branch: fc.record({
    ways: fc.uniqueArray(
      fc.tuple(fc.integer({ min: 1, max: 3 }), fc.nat({ max: 15 })).map((w) => way(...w)),
      {
        minLength: 1,
        maxLength: 3,
        selector: (bytes) => bytes[0],
      },
    ),
    value: fc.integer({ min: -1, max: 20 }),
    next: fc.oneof({ maxDepth: 3, withCrossShrink: true }, fc.constant([]), siblings(tie('branch'))),
  }),
}));

/** Branches none of whose ways is one of another's. */
function siblings(one: fc.Arbitrary<Branch>): fc.Arbitrary<Branch[]> {
  return fc.array(one, { maxLength: 4 }).map((branches) => {
    const taken = new Set<number>();
    return branches.flatMap((next) => {
      const ways = next.ways.filter((bytes) => !taken.has(bytes[0]!));
      for (const bytes of ways) taken.add(bytes[0]!);
      return ways.length === 0 ? [] : [{ ...next, ways }];
    });
  });
}

/** One string, after which ways of two steps come to no value. */
const comingToNothing: Branch[] = [-1, -1, 0].reduce<Branch[]>(
  (next, value) => [{ ways: [way(1, 0)], value, next }],
  [],
);
/** Two ways of different lengths with one value after both, so that no value is given twice. */
const goingOnAlike: Branch[] = [
  { ways: [way(1, 0), way(2, 0)], value: -1, next: [{ ways: [way(1, 0)], value: 1, next: [] }] },
];

test('branches are all their paths', () => {
  const paths = (branches: readonly Branch[], before: number[] = []): [Uint8Array, number][] =>
    branches.flatMap(({ ways, value, next }) =>
      ways.flatMap((bytes) => {
        const path = [...before, ...bytes];
        return [
          ...(value < 0 ? [] : [[Uint8Array.from(path), value] as [Uint8Array, number]]),
          ...paths(next, path),
        ];
      }),
    );
  fc.assert(
    fc.property(siblings(branch), fc.nat({ max: 9 }), (branches, value) => {
      // With a string beside them that no way begins.
      const beside: [Uint8Array, number] = [Uint8Array.of(250, 1), value];
      expect(buildDoubleArray([beside], branches)).toEqual(buildDoubleArray([beside, ...paths(branches)]));
    }),
    {
      numRuns: 300,
      examples: [
        [comingToNothing, 0],
        [goingOnAlike, 0],
      ],
    },
  );
  const begun = Uint8Array.of(1, 2);
  expect(() =>
    buildDoubleArray(
      [[begun, 1]],
      [{ ways: [Uint8Array.of(1)], value: 0, next: [{ ways: [begun], value: 0, next: [] }] }],
    ),
  ).toThrow('[1] begins a string and is a way of a branch');
});

test('many strings', () => {
  // 150,000 units: many blocks beyond what one look at the free ones covers.
  const list = Array.from({ length: 20_000 }, (_, i) => {
    return [new TextEncoder().encode(`${i.toString(36)}.${i}`), i] as const;
  });
  const array = new DoubleArray(buildDoubleArray(list));
  const found = { end: 0, value: 0 };
  for (const [bytes, value] of list) {
    if (
      !array.longest(bytes, 0, bytes.length, found) ||
      found.end !== bytes.length ||
      found.value !== value
    ) {
      expect([...bytes]).toBe(value);
    }
  }
  expect(isSound(array.units)).toBe(true);
});

test('refuses what it cannot hold, and tells a damaged array', () => {
  expect(() => buildDoubleArray([[Uint8Array.of(), 1]])).toThrow('expected bytes other than 0 with a value');
  expect(() => buildDoubleArray([[Uint8Array.of(1, 0), 1]])).toThrow('got [1,0] with 1');
  expect(() => buildDoubleArray([[Uint8Array.of(1), -1]])).toThrow('got [1] with -1');
  expect(isSound(new Uint32Array())).toBe(false);
  expect(isSound(new Uint32Array(256))).toBe(false);
  const units = buildDoubleArray([[Uint8Array.of(1, 2), 1]]);
  expect(isSound(units.subarray(0, 255))).toBe(false);
});
