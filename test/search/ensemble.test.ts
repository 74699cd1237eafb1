import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from '../../src/engine/engine.js';
import { beamSearch } from '../../src/search/beam.js';
import { ENSEMBLE_MEANS, Ensemble, type EnsembleMean } from '../../src/search/ensemble.js';
import { resolveSearchOptions } from '../../src/search/options.js';
import { scoreBySteps, scorePairs } from '../../src/search/scorer.js';
import { search } from '../../src/search/search.js';
import { type Batch, padIds } from '../../src/text/batch.js';
import { leaked } from './leak.js';
import { TableModel } from './table-model.js';
import { type PlainModel, slowBeam } from './twins.js';

beforeAll(async () => {
  await startEngine();
});

/** The mean of several models' distributions, from the definition. */
function plainEnsemble(models: readonly TableModel[], mean: EnsembleMean): PlainModel {
  const average = (lists: number[][]) =>
    lists[0]!.map((_, v) => lists.reduce((sum, l) => sum + l[v]!, 0) / lists.length);
  return {
    targetSize: models[0]!.targetSize,
    logProbabilities(source, prefix) {
      const all = models.map((m) => m.logProbabilities(source, prefix));
      if (mean === 'probability') return average(all.map((l) => l.map(Math.exp))).map(Math.log);
      const mixed = average(all);
      const norm = Math.log(mixed.reduce((sum, l) => sum + Math.exp(l), 0));
      return mixed.map((l) => l - norm);
    },
    attention: (source, prefix) => average(models.map((m) => m.attention(source, prefix))),
  };
}

const models = [1, 2, 3].map((seed) => new TableModel({ targetSize: 10, seed }));
const rows = [[4, 5, 6], [], [7], [4, 4, 9, 8]];

function batchOf(sources: number[][], targets: number[][]): Batch {
  const target = padIds(targets);
  return {
    indices: Int32Array.from(sources.keys()),
    source: padIds(sources),
    target,
    targetTokens: target.lengths.reduce((a, b) => a + b, 0),
  };
}

describe.each(ENSEMBLE_MEANS)('an ensemble by mean %s', (mean) => {
  it('searches as its definition does, and leaks nothing', () => {
    const plain = plainEnsemble(models, mean);
    for (const o of [{ beam: 4, nbest: 4 }, { beam: 3, coveragePenalty: 0.3 }, { beam: 1 }]) {
      const options = resolveSearchOptions(o);
      const count = leaked(() => {
        const got = beamSearch(new Ensemble(models, mean), padIds(rows), options);
        rows.forEach((row, i) => {
          const want = slowBeam(plain, row, options);
          expect(got[i]!.map((h) => [...h.tokens])).toEqual(want.map((h) => h.tokens));
          expect(got[i]![0]!.score).toBeCloseTo(want[0]!.score, 4);
        });
      });
      expect(count).toBe(0);
    }
  });

  it('scores what it searches', () => {
    const ensemble = new Ensemble(models, mean);
    const found = search(ensemble, padIds(rows), resolveSearchOptions({ beam: 3 })).map(([best]) => best!);
    const scores = scorePairs(
      ensemble,
      found.map((h, i) => ({ source: Int32Array.from(rows[i]!), target: h.tokens })),
    );
    scores.forEach((tokenScores, i) => {
      expect(tokenScores.length).toBe(found[i]!.tokenScores.length);
      tokenScores.forEach((l, t) => {
        expect(l).toBeCloseTo(found[i]!.tokenScores[t]!, 4);
      });
    });
  });

  it('scores as its steps do', () => {
    const ensemble = new Ensemble(models, mean);
    const batch = batchOf(rows, [[5], [], [6, 7, 1], [4, 4]]);
    let whole: Float32Array[] = [];
    let steps: Float32Array[] = [];
    expect(
      leaked(() => {
        whole = ensemble.score(batch);
        steps = scoreBySteps(ensemble, batch);
      }),
    ).toBe(0);
    whole.forEach((row, r) => {
      expect(row.length).toBe(steps[r]!.length);
      row.forEach((l, t) => {
        expect(l).toBeCloseTo(steps[r]![t]!, 4);
      });
    });
  });
});

describe('an ensemble', () => {
  it('of one model is that model', () => {
    const options = resolveSearchOptions({ beam: 3, nbest: 3 });
    const alone = search(models[0]!, padIds(rows), options);
    const one = search(new Ensemble([models[0]!]), padIds(rows), options);
    expect(one.map((l) => l.map((h) => [...h.tokens]))).toEqual(
      alone.map((l) => l.map((h) => [...h.tokens])),
    );
  });

  it('refuses models of different vocabularies', () => {
    const other = new TableModel({ targetSize: 11, seed: 1 });
    expect(() => new Ensemble([models[0]!, other])).toThrow(/one target vocabulary, got sizes 10, 11/);
    expect(() => new Ensemble([])).toThrow(/at least one model/);
  });

  it('releases every state when one of its models fails', () => {
    class Failing extends TableModel {
      override step(): never {
        throw new Error('out of memory');
      }
    }
    for (const place of [0, 1]) {
      const members = [models[0]!, models[1]!];
      members.splice(place, 1, new Failing({ targetSize: 10, seed: 1 }));
      // The failing model itself consumed its own state without disposing it: that one is not the ensemble's.
      const count = leaked(() => {
        expect(() => search(new Ensemble(members), padIds(rows), resolveSearchOptions())).toThrow(
          /out of memory/,
        );
      });
      expect(count).toBe(1);
    }
  });
});

describe('scoring pairs', () => {
  const model = models[0]!;
  const row = fc.array(fc.integer({ min: 4, max: 9 }), { maxLength: 8 });

  it('equals the sum of step log-probabilities, in input order, empty sides included', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(row, row), { maxLength: 12 }), (pairs) => {
        const encoded = pairs.map(([s, t]) => ({ source: Int32Array.from(s), target: Int32Array.from(t) }));
        const got = scorePairs(model, encoded);
        expect(got.length).toBe(pairs.length);
        pairs.forEach(([s, t], i) => {
          const prefix = [2];
          const want = [...t, 3].map((token) => {
            const l = model.logProbabilities([...s, 3], prefix)[token]!;
            prefix.push(token);
            return l;
          });
          expect(got[i]!.length).toBe(want.length);
          want.forEach((l, k) => {
            expect(got[i]![k]).toBeCloseTo(l, 5);
          });
          const [bySteps] = scoreBySteps(model, batchOf([s], [t]));
          want.forEach((l, k) => {
            expect(bySteps![k]).toBeCloseTo(l, 4);
          });
        });
      }),
      { numRuns: 25 },
    );
  });

  it('cuts batches by memory and never a sentence', () => {
    const seen: { rows: number; time: number }[] = [];
    class Watching extends TableModel {
      override readonly targetSize = 1_000_000; // room for 16 positions
      override score(batch: Batch): Float32Array[] {
        seen.push({ rows: batch.target.rows, time: batch.target.time });
        return Array.from(batch.target.lengths, (length) => new Float32Array(length));
      }
    }
    const lengths = [40, 3, 3, 3, 0, 7, 7];
    const pairs = lengths.map((n) => ({
      source: new Int32Array(2).fill(4),
      target: new Int32Array(n).fill(4),
    }));
    const got = scorePairs(new Watching({ targetSize: 8, seed: 1 }), pairs);
    expect(got.map((s) => s.length)).toEqual(lengths.map((n) => n + 1));
    for (const { rows, time } of seen) expect(rows === 1 || rows * time <= 16).toBe(true);
  });
});
