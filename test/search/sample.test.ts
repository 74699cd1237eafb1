import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from '../../src/engine/engine.js';
import { resolveSearchOptions, type SearchOptions } from '../../src/search/options.js';
import { search } from '../../src/search/search.js';
import { padIds } from '../../src/text/batch.js';
import { leaked } from './leak.js';
import { TableModel } from './table-model.js';

beforeAll(async () => {
  await startEngine();
});

const EOS = 3;

/** P(next | prefix) after temperature, top-k and top-p, from the definition. */
function distribution(logP: number[], o: { temperature?: number; topK?: number; topP?: number }): number[] {
  const weights = logP.map((l, v) => (v === 0 || v === 2 ? 0 : Math.exp(l / (o.temperature ?? 1))));
  const order = [...weights.keys()].sort((a, b) => weights[b]! - weights[a]!);
  for (const v of order.slice(o.topK ?? order.length)) weights[v] = 0;
  const sum = weights.reduce((a, b) => a + b, 0);
  let before = 0;
  for (const v of order) {
    const p = weights[v]! / sum;
    if (before >= (o.topP ?? 1)) weights[v] = 0;
    before += p;
  }
  const kept = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => w / kept);
}

describe('sampling', () => {
  const model = new TableModel({ targetSize: 9, seed: 5, scale: 2 });
  const source = [5, 6];

  it.each<SearchOptions['sample'] & object>([
    {},
    { temperature: 0.5 },
    { temperature: 2 },
    { topK: 3 },
    { topP: 0.6 },
    { temperature: 1.5, topK: 5, topP: 0.8 },
    { topP: 1e-6 },
  ])('draws first tokens with the right frequencies: %o', (sample) => {
    const n = 4000;
    const counts = new Array(9).fill(0);
    // One sentence n times: each line has a generator of its own.
    const rows = Array.from({ length: 500 }, () => source);
    for (let line = 0; line < n; line += 500) {
      const lines = rows.map((_, i) => line + i);
      for (const [h] of search(model, padIds(rows), resolveSearchOptions({ sample, maxLength: 1 }), lines)) {
        counts[h!.tokens[0] ?? EOS]++;
      }
    }
    const want = distribution(model.logProbabilities([...source, EOS], [2]), sample);
    want.forEach((p, v) => {
      // Five standard deviations of a binomial.
      expect(Math.abs(counts[v] - n * p)).toBeLessThanOrEqual(5 * Math.sqrt(n * p * (1 - p)) + 1e-9);
    });
  });

  it('gives the model’s own log-probabilities, whatever the temperature', () => {
    const options = resolveSearchOptions({ nbest: 4, sample: { temperature: 0.3, topK: 4 }, maxLength: 6 });
    for (const h of search(model, padIds([source]), options)[0]!) {
      const prefix = [2];
      const want = [...h.tokens, EOS].map((token) => {
        const l = model.logProbabilities([...source, EOS], prefix)[token]!;
        prefix.push(token);
        return l;
      });
      expect(h.score).toBeCloseTo(
        want.reduce((a, b) => a + b, 0),
        4,
      );
      want.forEach((l, t) => {
        expect(h.tokenScores[t]).toBeCloseTo(l, 4);
      });
      expect(h.normalised).toBeNull();
    }
  });

  it('does not depend on batching, order or neighbours, and leaks nothing', () => {
    const row = fc.array(fc.integer({ min: 4, max: 8 }), { maxLength: 4 });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 6 }), fc.nat(1000), (rows, seed) => {
        const options = resolveSearchOptions({ nbest: 3, sample: { seed }, alignment: true });
        const tokens = (lists: ReturnType<typeof search>) => lists.map((l) => l.map((h) => [...h.tokens]));
        let together: number[][][] = [];
        expect(
          leaked(() => {
            together = tokens(search(model, padIds(rows), options));
          }),
        ).toBe(0);
        const alone = rows.map((r, line) => tokens(search(model, padIds([r]), options, [line]))[0]!);
        expect(together).toEqual(alone);
      }),
      { numRuns: 25 },
    );
  });

  it('changes with the seed, not without', () => {
    const draw = (seed: number) =>
      search(model, padIds([source]), resolveSearchOptions({ nbest: 20, sample: { seed } }))[0]!.map((h) => [
        ...h.tokens,
      ]);
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    expect(new Set(draw(1).map(String)).size).toBeGreaterThan(1);
  });

  it('keeps the length limits', () => {
    const options = resolveSearchOptions({
      nbest: 30,
      minLength: 2,
      maxLength: 3,
      forbidUnknown: true,
      sample: {},
    });
    for (const h of search(model, padIds([source]), options)[0]!) {
      expect(h.tokens.length === 2 || h.tokens.length === 3).toBe(true);
      expect(h.limited).toBe(h.tokens.length === 3);
      expect([...h.tokens].every((t) => t > 3)).toBe(true);
    }
  });
});

describe('search options', () => {
  it.each<[unknown, RegExp]>([
    [{ beam: 0 }, /beam: /],
    [{ bema: 5 }, /bema/],
    [{ beam: 2.5 }, /beam: /],
    [{ sample: {}, beam: 4 }, /beam: has no meaning for samples/],
    [{ sample: {}, lengthPenalty: 1 }, /lengthPenalty: has no meaning/],
    [{ sample: { temperature: 0 } }, /sample.temperature: /],
    [{ sample: { topP: 1.5 } }, /sample.topP: /],
    [{ sample: { top_p: 0.5 } }, /top_p/],
    [{ minLength: 5, maxLength: 3 }, /maxLength: expected at least minLength/],
    [{ lengthPenalty: -1 }, /lengthPenalty: /],
    [{ stop: 'never' }, /stop: /],
  ])('%o is refused', (options, message) => {
    expect(() => resolveSearchOptions(options as SearchOptions)).toThrow(message);
  });

  it('an n-best list widens the beam', () => {
    expect(resolveSearchOptions({ beam: 2, nbest: 10 }).beam).toBe(10);
  });
});
