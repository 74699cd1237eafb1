import { beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from '../../src/engine/engine.js';
import { resolveSearchOptions } from '../../src/search/options.js';
import { scoreBySteps, scorePairs } from '../../src/search/scorer.js';
import { search } from '../../src/search/search.js';
import { ShallowFusion } from '../../src/search/shallow-fusion.js';
import { padIds } from '../../src/text/batch.js';
import { batchOf } from '../model/small-model.js';
import { leaked } from './leak.js';
import { TableModel } from './table-model.js';
import { exhaustive, type PlainModel, slowBeam, slowGreedy } from './twins.js';

beforeAll(async () => {
  await startEngine();
});

const translation = new TableModel({ targetSize: 9, seed: 1 });
const language = new TableModel({ targetSize: 9, seed: 2, attention: false });
const rows = [[4, 5, 6], [], [7], [4, 4, 8, 8]];

/** ln P_TM + λ ln P_LM, from the definition; not a distribution. */
function plain(weight: number): PlainModel {
  return {
    targetSize: translation.targetSize,
    logProbabilities(source, prefix) {
      const spoken = language.logProbabilities(source, prefix);
      return translation.logProbabilities(source, prefix).map((value, v) => value + weight * spoken[v]!);
    },
    attention: (source, prefix) => translation.attention(source, prefix),
  };
}

describe.each([0, 0.3, 1.5])('shallow fusion with a weight of %d', (weight) => {
  const fusion = new ShallowFusion(translation, language, weight);

  it.each([
    ['beam', { beam: 4, nbest: 4 }],
    ['beam with a coverage penalty', { beam: 3, coveragePenalty: 0.3 }],
    ['beam to the bound', { beam: 3, stop: 'bound' as const, forbidUnknown: true }],
  ])('searches as the definition does, alone or in a batch: %s', (_, given) => {
    const options = resolveSearchOptions(given);
    const count = leaked(() => {
      const together = search(fusion, padIds(rows), options);
      rows.forEach((row, i) => {
        const want = slowBeam(plain(weight), row, options);
        for (const got of [together[i]!, search(fusion, padIds([row]), options)[0]!]) {
          expect(got.map((h) => [...h.tokens])).toEqual(want.map((h) => h.tokens));
          got.forEach((h, k) => {
            expect(h.score).toBeCloseTo(want[k]!.score, 4);
          });
        }
      });
    });
    expect(count).toBe(0);
  });

  it('takes the best token each time without a beam', () => {
    const options = resolveSearchOptions({ beam: 1 });
    const found = search(fusion, padIds(rows), options);
    rows.forEach((row, i) => {
      const want = slowGreedy(plain(weight), row, options);
      expect([...found[i]![0]!.tokens]).toEqual(want.tokens);
      expect(found[i]![0]!.score).toBeCloseTo(want.score, 4);
    });
  });

  it('finds the best of all targets with a beam that holds them', () => {
    // 7 tokens can be written (PAD and BOS cannot), 3 at most before the end: below 7^3 live hypotheses.
    const options = resolveSearchOptions({ beam: 350, maxLength: 3, lengthPenalty: 0, stop: 'bound' });
    for (const row of rows) {
      const [best] = exhaustive(plain(weight), row, options);
      const [found] = search(fusion, padIds([row]), options)[0]!;
      expect([...found!.tokens]).toEqual(best!.tokens);
      expect(found!.score).toBeCloseTo(best!.score, 4);
    }
  });

  it('scores, by steps or at once, what it finds and draws', () => {
    const sample = { temperature: 1.3, topP: 0.9, seed: 3 };
    for (const given of [{ beam: 3 }, { sample, nbest: 2 }]) {
      const found = search(fusion, padIds(rows), resolveSearchOptions(given)).map((list) => list.at(-1)!);
      const targets = found.map(({ tokens }) => [...tokens]);
      const all = [
        scoreBySteps(fusion, batchOf(rows, targets)),
        scorePairs(
          fusion,
          rows.map((row, i) => ({ source: Int32Array.from(row), target: found[i]!.tokens })),
        ),
      ];
      for (const [i, { tokenScores }] of found.entries()) {
        for (const scores of all) {
          expect(scores[i]!.length).toBe(tokenScores.length);
          scores[i]!.forEach((value, t) => {
            expect(value).toBeCloseTo(tokenScores[t]!, 4);
          });
        }
      }
    }
  });
});

describe('shallow fusion', () => {
  it('with a weight of 0 is the translation model', () => {
    const options = resolveSearchOptions({ beam: 4, nbest: 4 });
    const alone = search(translation, padIds(rows), options);
    const fused = search(new ShallowFusion(translation, language, 0), padIds(rows), options);
    fused.forEach((list, i) => {
      expect(list.map((h) => [...h.tokens])).toEqual(alone[i]!.map((h) => [...h.tokens]));
      list.forEach((h, k) => {
        expect(h.score).toBeCloseTo(alone[i]![k]!.score, 4);
      });
    });
  });

  it('draws each token as often as exp of its score says', () => {
    // The first token of 4000 samples; PAD, BOS cannot be drawn. A share's deviation is below 0.5 / sqrt(4000) = 0.008.
    const fusion = new ShallowFusion(translation, language, 0.7);
    const options = resolveSearchOptions({ sample: { seed: 5 }, nbest: 4000, maxLength: 1 });
    const [drawn] = search(fusion, padIds([[4, 5]]), options);
    const scores = plain(0.7).logProbabilities([4, 5, 3], [2]);
    const allowed = [1, 3, 4, 5, 6, 7, 8];
    const mass = allowed.reduce((sum, v) => sum + Math.exp(scores[v]!), 0);
    for (const v of allowed) {
      const share = drawn!.filter(({ tokens }) => (tokens[0] ?? 3) === v).length / drawn!.length;
      expect(Math.abs(share - Math.exp(scores[v]!) / mass)).toBeLessThan(4 * 0.008);
    }
  });

  it('refuses models of different vocabularies', () => {
    const other = new TableModel({ targetSize: 10, seed: 1 });
    expect(() => new ShallowFusion(translation, other, 0.1)).toThrow(
      /one target vocabulary, got sizes 9, 10/,
    );
  });
});
