import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from '../../src/engine/engine.js';
import { beamSearch } from '../../src/search/beam.js';
import { greedySearch } from '../../src/search/greedy.js';
import type { Hypothesis } from '../../src/search/hypothesis.js';
import { resolveSearchOptions, type SearchOptions } from '../../src/search/options.js';
import { search } from '../../src/search/search.js';
import { padIds } from '../../src/text/batch.js';
import { leaked } from './leak.js';
import { TableModel, type TableSpec } from './table-model.js';
import { exhaustive, type PlainHypothesis, slowBeam, slowGreedy } from './twins.js';

beforeAll(async () => {
  await startEngine();
});

function expectSame(got: readonly Hypothesis[], want: readonly PlainHypothesis[]): void {
  expect(got.map((h) => [...h.tokens])).toEqual(want.map((h) => h.tokens));
  got.forEach((h, i) => {
    expect(h.score).toBeCloseTo(want[i]!.score, 4);
    if (h.normalised !== null) expect(h.normalised).toBeCloseTo(want[i]!.rank, 4);
    expect(h.limited).toBe(want[i]!.limited);
    expect(h.tokenScores.reduce((a, b) => a + b, 0)).toBeCloseTo(h.score, 4);
    expect(h.tokenScores.length).toBe(h.tokens.length + 1);
  });
}

/** What batching must not change at all; scores may move by a rounding of float32. */
function exact(list: readonly Hypothesis[]) {
  return list.map((h) => ({
    tokens: [...h.tokens],
    alignment: h.alignment && [...h.alignment],
    limited: h.limited,
  }));
}

const sentence = fc.array(fc.integer({ min: 4, max: 12 }), { maxLength: 6 });
const sentences = fc.array(sentence, { minLength: 1, maxLength: 6 });
const spec: fc.Arbitrary<TableSpec> = fc.record({
  targetSize: fc.integer({ min: 6, max: 14 }),
  seed: fc.nat(1e6),
  scale: fc.constantFrom(1, 3, 6),
  endBias: fc.constantFrom(-2, 0, 2),
  endSlope: fc.constantFrom(0, 0.3),
});
const normal: fc.Arbitrary<SearchOptions> = fc
  .record({
    beam: fc.integer({ min: 1, max: 7 }),
    nbest: fc.integer({ min: 1, max: 7 }),
    lengthPenalty: fc.constantFrom(0, 0.6, 1, 2),
    coveragePenalty: fc.constantFrom(0, 0.2),
    minLength: fc.constantFrom(0, 2),
    maxLength: fc.constantFrom(3, 8, 40),
    maxRatio: fc.constantFrom(0.5, 2),
    forbidUnknown: fc.boolean(),
    stop: fc.constantFrom('count' as const, 'bound' as const),
  })
  .map((o) => ({ ...o, nbest: Math.min(o.nbest, o.beam) }));

describe('beam search', () => {
  it('equals the exhaustive twin when the beam holds the whole space', () => {
    const small = fc.record({
      lengthPenalty: fc.constantFrom(0, 0.6, 1),
      coveragePenalty: fc.constantFrom(0, 0.3),
      minLength: fc.constantFrom(0, 1),
      maxLength: fc.integer({ min: 1, max: 3 }),
      forbidUnknown: fc.boolean(),
      stop: fc.constantFrom('count' as const, 'bound' as const),
    });
    fc.assert(
      fc.property(small, fc.nat(1e6), fc.array(sentence, { minLength: 1, maxLength: 3 }), (o, seed, rows) => {
        const model = new TableModel({ targetSize: 7, seed });
        // UNK and three words, at most three long: 1 + 4 + 16 + 64 targets.
        const options = resolveSearchOptions({ ...o, beam: 100, nbest: 85 });
        const got = beamSearch(model, padIds(rows), options);
        rows.forEach((row, i) => {
          expectSame(got[i]!, exhaustive(model, row, options));
        });
      }),
      { numRuns: 30 },
    );
  });

  it('equals the slow single-sentence twin at every normal setting, and leaks no tensor', () => {
    fc.assert(
      fc.property(spec, normal, sentences, (table, o, rows) => {
        const model = new TableModel(table);
        const options = resolveSearchOptions(o);
        let got: Hypothesis[][] = [];
        expect(leaked(() => (got = beamSearch(model, padIds(rows), options)))).toBe(0);
        rows.forEach((row, i) => {
          expectSame(got[i]!, slowBeam(model, row, options));
        });
      }),
      { numRuns: 80 },
    );
  });

  it('with a beam of 1 is greedy search', () => {
    fc.assert(
      fc.property(spec, normal, sentences, (table, o, rows) => {
        const model = new TableModel(table);
        const options = resolveSearchOptions({ ...o, beam: 1, nbest: 1, stop: 'count' });
        const beam = beamSearch(model, padIds(rows), options).map(([best]) => best!);
        const greedy = greedySearch(model, padIds(rows), options);
        expect(beam.map((h) => [...h.tokens])).toEqual(greedy.map((h) => [...h.tokens]));
        expectSame(
          greedy,
          rows.map((row) => slowGreedy(model, row, options)),
        );
        expectSame(
          beam,
          rows.map((row) => slowGreedy(model, row, options)),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('gives each sentence what it gives it alone', () => {
    fc.assert(
      fc.property(spec, normal, sentences, (table, o, rows) => {
        const model = new TableModel(table);
        const options = resolveSearchOptions({ ...o, alignment: true });
        const together = search(model, padIds(rows), options);
        const alone = rows.map((row) => search(model, padIds([row]), options)[0]!);
        expect(together.map(exact)).toEqual(alone.map(exact));
        together.flat().forEach((h, i) => {
          expect(h.score).toBeCloseTo(alone.flat()[i]!.score, 4);
        });
      }),
      { numRuns: 60 },
    );
  });

  it('breaks ties by hypothesis order, then by token id', () => {
    fc.assert(
      fc.property(spec, normal, sentences, (table, o, rows) => {
        // A coarse grid of logits makes many equal candidates.
        const model = new TableModel({ ...table, grid: 1.5 });
        const options = resolveSearchOptions({ ...o, beam: 1, nbest: 1, stop: 'count' });
        const want = rows.map((row) => slowGreedy(model, row, options));
        expectSame(greedySearch(model, padIds(rows), options), want);
        expectSame(beamSearch(model, padIds(rows), options).flat(), want);
      }),
      { numRuns: 40 },
    );
    const flat = new TableModel({ targetSize: 8, seed: 1, scale: 0, endBias: -3 });
    const options = resolveSearchOptions({ beam: 3, nbest: 3, maxLength: 1, lengthPenalty: 0 });
    expect(beamSearch(flat, padIds([[5]]), options)[0]!.map((h) => [...h.tokens])).toEqual([[1], [4], [5]]);
  });

  it('sends finished sentences away: the batch shrinks', () => {
    const model = new TableModel({ targetSize: 20, seed: 3, endSlope: 0.8 });
    const rows = Array.from({ length: 16 }, (_, i) => [4 + i, 5]);
    search(model, padIds(rows), resolveSearchOptions({ beam: 4, stop: 'count' }));
    expect(model.rows).toBeLessThan(16 + (model.steps - 1) * 16 * 4);
  });

  it('never produces PAD or BOS, nor UNK when it is forbidden', () => {
    fc.assert(
      fc.property(spec, normal, sentences, (table, o, rows) => {
        const options = resolveSearchOptions({ ...o, forbidUnknown: true });
        for (const list of search(new TableModel(table), padIds(rows), options)) {
          for (const h of list) expect([...h.tokens].every((t) => t > 3)).toBe(true);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('aligns each token with the source token of most attention', () => {
    const model = new TableModel({ targetSize: 12, seed: 9 });
    const row = [4, 7, 9, 5];
    const options = resolveSearchOptions({ beam: 4, nbest: 4, alignment: true });
    for (const h of search(model, padIds([row, []]), options)[0]!) {
      [...h.tokens].forEach((_, j) => {
        const weights = model.attention([...row, 3], [2, ...h.tokens.slice(0, j)]).slice(0, row.length);
        expect(h.alignment![j]).toBe(weights.indexOf(Math.max(...weights)));
      });
    }
    expect([...(search(model, padIds([[]]), options)[0]![0]!.alignment ?? [])].every((i) => i === -1)).toBe(
      true,
    );
  });

  it('says what it needs attention for, and leaks nothing when it fails', () => {
    const model = new TableModel({ targetSize: 12, seed: 9, attention: false });
    for (const [o, what] of [
      [{ alignment: true }, /an alignment needs a model with attention/],
      [{ coveragePenalty: 0.2 }, /a coverage penalty needs a model with attention/],
      [{ beam: 1, alignment: true }, /an alignment needs/],
    ] as const) {
      const count = leaked(() => {
        expect(() => search(model, padIds([[4], [5, 6]]), resolveSearchOptions(o))).toThrow(what);
      });
      expect(count).toBe(0);
    }
  });

  it('stops with a clear error when the model gives NaN', () => {
    const model = new TableModel({ targetSize: 12, seed: 9, scale: Number.NaN });
    for (const beam of [1, 3]) {
      expect(
        leaked(() =>
          expect(() => search(model, padIds([[4]]), resolveSearchOptions({ beam }))).toThrow(/finite/),
        ),
      ).toBe(0);
    }
    expect(() => search(model, padIds([[4]]), resolveSearchOptions({ sample: {} }))).toThrow(/finite/);
  });

  it('takes an empty batch and an empty source', () => {
    const model = new TableModel({ targetSize: 12, seed: 9 });
    for (const o of [{}, { beam: 1 }, { sample: {} }]) {
      expect(search(model, padIds([]), resolveSearchOptions(o))).toEqual([]);
      expect(search(model, padIds([[]]), resolveSearchOptions(o))[0]!.length).toBe(1);
    }
  });
});
