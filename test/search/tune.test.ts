import { describe, expect, it } from 'vitest';
import { bleu, bleuMetric } from '../../src/metrics/bleu.js';
import { pairedBootstrap } from '../../src/metrics/bootstrap.js';
import { chrfMetric } from '../../src/metrics/chrf.js';
import { corpusStatistics, type Metric } from '../../src/metrics/metric.js';
import { terMetric } from '../../src/metrics/ter.js';
import { Random } from '../../src/random.js';
import { bestRows, CandidateCollector, choiceStatistics } from '../../src/search/candidates.js';
import type { SourcedList } from '../../src/search/nbest.js';
import { GreedyOracle, oracleRows } from '../../src/search/oracle.js';
import { type FeatureFunction, reorder, rerank, rerankStream } from '../../src/search/rerank.js';
import { RerankEvaluation } from '../../src/search/rerank-report.js';
import { type TuneOptions, tune } from '../../src/search/tune.js';

const WORDS = ['the', 'cat', 'sat', 'on', 'a', 'mat', 'dog', 'ran'];

/** Sentences with candidates of more and fewer wrong words; `quality` is how many are right, `noise` is not. */
function corpus(
  seed: number,
  sentences: number,
  candidates = 6,
): { lists: SourcedList[]; references: string[] } {
  const random = new Random(seed);
  const references: string[] = [];
  const lists = Array.from({ length: sentences }, (_, id): SourcedList => {
    const words = Array.from({ length: 5 + random.integer(6) }, () => WORDS[random.integer(WORDS.length)]!);
    references.push(words.join(' '));
    const entries = Array.from({ length: candidates }, () => {
      const rate = random.next();
      const text = words.map((word) => (random.next() < rate ? WORDS[random.integer(WORDS.length)]! : word));
      const features = new Map([
        ['quality', [-10 * rate + random.normal()]],
        ['noise', [100 * random.normal(), 3]],
      ]);
      return { text: text.join(' '), features, total: random.normal(), rest: {} };
    });
    return { id, source: '', entries, where: `list:${id * candidates + 1}` };
  });
  return { lists, references };
}

const one = (lines: readonly string[]): string[][] => lines.map((line) => [line]);
const options: TuneOptions = { metric: bleuMetric(), restarts: 3, bootstrap: { resamples: 50 } };
const characters: FeatureFunction = {
  name: 'characters',
  defaultWeight: 0,
  compute: (pairs) => pairs.map(({ target }) => target.length),
};

describe('tuning', () => {
  it('finds weights that do on other lists what they did on these', async () => {
    const dev = corpus(1, 60);
    const { weights, report, sentences, candidates, constant } = await tune(
      dev.lists,
      [characters],
      one(dev.references),
      options,
    );
    expect([sentences, candidates]).toEqual([60, 360]);
    expect(Object.keys(weights)).toEqual(['quality', 'noise.0', 'noise.1', 'total', 'characters']);
    expect(constant).toEqual(['noise.1']);
    expect(weights['noise.1']).toBe(0);
    expect(weights.quality).toBeGreaterThan(0);
    expect(Object.values(weights).reduce((sum, w) => sum + Math.abs(w), 0)).toBeCloseTo(1, 3);
    expect(report.after.score).toBeGreaterThan(report.before.score + 10);
    expect(report.oracle.score).toBeGreaterThanOrEqual(report.after.score);

    const test = corpus(2, 60);
    const first = (lists: readonly SourcedList[]): string[] => lists.map(({ entries }) => entries[0]!.text);
    const reranked = await rerank(test.lists, [characters], weights);
    expect(bleu(first(reranked), test.references).score).toBeGreaterThan(
      bleu(first(test.lists), test.references).score + 10,
    );
  });

  it.each<[string, Metric]>([
    ['BLEU', bleuMetric()],
    ['chrF', chrfMetric()],
    ['TER, of which less is better', terMetric()],
  ])('%s: reports what reranking with its weights does', async (_, metric) => {
    const { lists, references } = corpus(3, 30);
    const { weights, report } = await tune(lists, [characters], one(references), { ...options, metric });
    const reranked = await rerank(lists, [characters], weights);
    const statistics = (all: readonly SourcedList[]) =>
      corpusStatistics(
        metric,
        all.map(({ entries }) => entries[0]!.text),
        references,
      ).statistics;
    const comparison = pairedBootstrap(statistics(lists), statistics(reranked), metric.scoreOf, {
      resamples: 50,
    });
    expect(report.comparison).toEqual(comparison);
    expect(report.before.score).toBe(comparison.a);
    expect(report.after.score).toBe(comparison.b);
    const better = metric.lowerIsBetter ? -1 : 1;
    expect(better * (report.after.score - report.before.score)).toBeGreaterThan(0);
    expect(better * (report.oracle.score - report.after.score)).toBeGreaterThanOrEqual(0);
  });

  it('gives weights only to chosen features, and 0 to the others', async () => {
    const { lists, references } = corpus(4, 20);
    const { weights } = await tune(lists, [], one(references), {
      ...options,
      features: ['noise.0', 'total'],
    });
    expect(Object.keys(weights)).toEqual(['quality', 'noise.0', 'noise.1', 'total']);
    expect([weights.quality, weights['noise.1']]).toEqual([0, 0]);
  });

  it('counts a sentence without candidates as the empty translation', async () => {
    const { lists, references } = corpus(5, 20);
    const gaps = lists.map((list, i) => (i % 5 === 0 ? { ...list, entries: [] } : list));
    const { report, candidates, empty } = await tune(gaps, [], one(references), options);
    expect([candidates, empty]).toEqual([16 * 6, 4]);
    const texts = gaps.map(({ entries }) => entries[0]?.text ?? '');
    expect(report.before).toEqual(bleu(texts, references));
  });

  it('takes several references', async () => {
    const { lists, references } = corpus(6, 10);
    const { report } = await tune(
      lists,
      [],
      references.map((line) => [line, 'a b c']),
      options,
    );
    expect(report.before).toEqual(
      bleu(
        lists.map(({ entries }) => entries[0]!.text),
        [references, references.map(() => 'a b c')],
      ),
    );
  });

  it.each<[string, (lists: SourcedList[]) => SourcedList[], Partial<TuneOptions>, RegExp]>([
    [
      'a feature that is missing',
      (lists) => {
        (lists[2]!.entries[1]!.features as Map<string, number[]>).delete('quality');
        return lists;
      },
      {},
      /^list:13: hypothesis 2 of sentence 2: expected the features quality, noise.0, noise.1, total, .* got no "quality"/,
    ],
    [
      'a feature that only some have',
      (lists) => {
        (lists[1]!.entries[0]!.features as Map<string, number[]>).set('sparse', [1]);
        return lists;
      },
      {},
      /^list:7: hypothesis 1 of sentence 1: expected the features .*, got "sparse" besides \(a choice/,
    ],
    ['no lists', () => [], {}, /expected references of as many sentences as there are lists, got more/],
    [
      'an unknown choice',
      (lists) => lists,
      { features: ['qualty'] },
      /expected features out of quality, .* got "qualty"/,
    ],
    [
      'unknown initial weights',
      (lists) => lists,
      { initial: { x: 1 } },
      /expected initial weights of features .* got "x"/,
    ],
  ])('%s is an error', async (_, change, more, message) => {
    const { lists, references } = corpus(7, 4);
    const given = change(lists);
    await expect(tune(given, [], one(references), { ...options, ...more })).rejects.toThrow(message);
  });
});

describe('memory', () => {
  const MEBIBYTE = 2 ** 20;
  /** 400 MiB of candidates, made when asked for; `peak` is the most memory that was seen in use meanwhile. */
  function large() {
    const before = process.memoryUsage().heapUsed;
    const seen = { peak: 0, lists: 0 };
    function* lists(): Generator<SourcedList> {
      for (let id = 0; id < 200; id++) {
        const entries = [1, 2].map((k) => ({
          text: Buffer.alloc(MEBIBYTE, 65 + k).toString('latin1'),
          features: new Map([['k', [k]]]),
          total: null,
          rest: {},
        }));
        seen.peak = Math.max(seen.peak, process.memoryUsage().heapUsed - before);
        seen.lists++;
        yield { id, source: '', entries, where: `list:${id}` };
      }
    }
    return { lists, seen };
  }
  /** Who keeps the texts holds 400 MiB at the end. */
  const LIMIT = 200 * MEBIBYTE;
  const cheap: Metric = {
    ...bleuMetric(),
    against: () => (text) => [text.length, 1, 1, 1, 1, 1, 1, 1, 1, 1],
  };

  it('tuning keeps no text', async () => {
    const { lists, seen } = large();
    const references = Array.from({ length: 200 }, () => ['']);
    await tune(lists(), [], references, { ...options, metric: cheap, restarts: 0 });
    expect(seen.lists).toBe(200);
    expect(seen.peak).toBeLessThan(LIMIT);
  });

  it('neither do reranking and its report', async () => {
    const { lists, seen } = large();
    const evaluation = new RerankEvaluation(cheap);
    for await (const list of rerankStream(lists(), [], { k: 1 })) evaluation.add(list, list, ['']);
    expect(evaluation.report({ resamples: 2 }).before.score).toBeGreaterThan(0);
    expect(seen.lists).toBe(200);
    expect(seen.peak).toBeLessThan(LIMIT);
  });
});

describe('the oracle', () => {
  const metric = bleuMetric();

  /** Statistics of few candidates, so that every combination can be tried. */
  function tiny(seed: number) {
    const { lists, references } = corpus(seed, 5, 3);
    const collector = new CandidateCollector(['f'], 10);
    const statistics = lists.map(({ entries }, s) => {
      const compare = metric.against([references[s]!]);
      return entries.map(({ text }) => compare(text));
    });
    for (const rows of statistics) {
      for (const row of rows) collector.add([0], row);
      collector.endSentence();
    }
    const table = collector.table();
    let best = 0;
    for (let code = 0; code < 3 ** 5; code++) {
      const rows = statistics.map((_, s) => 3 * s + (Math.floor(code / 3 ** s) % 3));
      best = Math.max(best, metric.scoreOf(choiceStatistics(table, rows)));
    }
    return { lists, references, table, best };
  }

  it('in memory is the best of all combinations in nearly every tiny corpus, and never above it', () => {
    let equal = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const { table, best } = tiny(seed);
      const start = bestRows(table, [1]);
      const score = metric.scoreOf(choiceStatistics(table, oracleRows(table, metric.scoreOf, start)));
      expect(score).toBeLessThanOrEqual(best + 1e-9);
      expect(score).toBeGreaterThanOrEqual(metric.scoreOf(choiceStatistics(table, start)));
      if (Math.abs(score - best) < 1e-9) equal++;
    }
    // A local search is not exact: it ends where no single exchange helps.
    expect(equal).toBeGreaterThanOrEqual(36);
  });

  it('in one pass is near it, and never above it', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { lists, references, best } = tiny(seed);
      const evaluation = new RerankEvaluation(metric);
      lists.forEach((list, i) => {
        evaluation.add(list, list, [references[i]!]);
      });
      const { oracle } = evaluation.report({ resamples: 2 });
      expect(oracle.score).toBeLessThanOrEqual(best + 1e-9);
      expect(oracle.score).toBeGreaterThan(0.85 * best);
    }
  });

  it('takes the candidate that helps the corpus, the first of equal ones', () => {
    // Share of right ones: sums [right, all].
    const oracle = new GreedyOracle(([right, all]) => right! / all!);
    expect(
      oracle.choose([
        [1, 4],
        [2, 4],
        [2, 4],
      ]),
    ).toBe(1);
    expect(
      oracle.choose([
        [0, 0],
        [3, 4],
      ]),
    ).toBe(1);
  });
});

describe('the report', () => {
  it('measures the first candidates before and after, and counts changes', () => {
    const { lists, references } = corpus(9, 12);
    const evaluation = new RerankEvaluation(bleuMetric());
    const after = lists.map((list) => reorder(list, { quality: 1 }));
    lists.forEach((list, i) => {
      evaluation.add(list, after[i]!, [references[i]!]);
    });
    const first = (all: readonly SourcedList[]): string[] => all.map(({ entries }) => entries[0]!.text);
    const report = evaluation.report({ resamples: 20 });
    expect(report.before).toEqual(bleu(first(lists), references));
    expect(report.after).toEqual(bleu(first(after), references));
    expect(evaluation.sentences).toBe(12);
    expect(evaluation.changed).toBe(first(lists).filter((text, i) => text !== first(after)[i]).length);
  });

  it('without a sentence is an error', () => {
    expect(() => new RerankEvaluation(bleuMetric()).report()).toThrow(/BLEU: expected at least one sentence/);
  });
});
