import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ConfigInput, configSchema } from '../../src/config/translation.js';
import { MODEL_FILES } from '../../src/model/folder.js';
import { Seq2Seq } from '../../src/model/seq2seq.js';
import { Random } from '../../src/random.js';
import { Ensemble } from '../../src/search/ensemble.js';
import { lengthFeature, modelFeature } from '../../src/search/features.js';
import { resolveSearchOptions, type SearchOptions } from '../../src/search/options.js';
import { rerank } from '../../src/search/rerank.js';
import { type ScoringModel, scoreBySteps, scorePairs } from '../../src/search/scorer.js';
import { search } from '../../src/search/search.js';
import { Translator } from '../../src/search/translator.js';
import { type Batch, padIds } from '../../src/text/batch.js';
import { describeOnEngines } from '../engines.js';
import { type TinyTask, tinyModel, tinyTask } from '../tiny-model.js';
import { leaked } from './leak.js';
import { type PlainModel, slowBeam, slowGreedy } from './twins.js';

const SIZE = 11;

/** A real model with random weights, three times as large as training starts with, so that it has opinions. */
function realModel(changes: NonNullable<ConfigInput['model']>, seed: number): Seq2Seq {
  const corpus = { source: 'a', target: 'b' };
  const { model: config } = configSchema.parse({
    data: { train: corpus, validation: corpus },
    text: { source: { kind: 'word' }, target: { kind: 'word' } },
    model: { embedding: 6, encoder: { hidden: 5 }, decoder: { hidden: 10 }, ...changes },
  });
  const model = new Seq2Seq(config, { source: SIZE, target: SIZE }, new Random(seed));
  for (const { name } of model.parameters.specs) {
    model.parameters.write(
      name,
      model.parameters.read(name).map((w) => 3 * w),
    );
  }
  // A store may keep tensors of its weights from their first use on: that is no leak.
  model.parameters.weights();
  return model;
}

/** The model as the twins want it: one sentence, one prefix at a time, nothing kept between calls. */
function plain(model: ScoringModel): PlainModel {
  const known = new Map<string, { logP: number[]; attention: number[] }>();
  const run = (source: ArrayLike<number>, prefix: readonly number[]) => {
    const key = `${Array.from(source)}|${prefix}`;
    const result = known.get(key) ?? compute(source, prefix);
    known.set(key, result);
    return result;
  };
  const compute = (source: ArrayLike<number>, prefix: readonly number[]) => {
    let state = model.start(padIds([Array.from(source).slice(0, -1)]));
    let logP: number[] = [];
    let attention: number[] = [];
    for (const token of prefix) {
      const step = model.step(state, Int32Array.of(token));
      state = step.state;
      const logits = Array.from(step.logits.dataSync());
      const max = Math.max(...logits);
      const norm = max + Math.log(logits.reduce((sum, x) => sum + Math.exp(x - max), 0));
      logP = logits.map((x) => x - norm);
      attention = Array.from(step.attention?.dataSync() ?? []);
      tf.dispose(step.attention === null ? [step.logits] : [step.logits, step.attention]);
    }
    model.release(state);
    return { logP, attention };
  };
  return {
    targetSize: model.targetSize,
    logProbabilities: (source, prefix) => run(source, prefix).logP,
    attention: (source, prefix) => run(source, prefix).attention,
  };
}

const ROWS = [[4, 5, 6, 7], [9], [], [10, 4]];

const MODELS: ReadonlyArray<[name: string, changes: NonNullable<ConfigInput['model']>]> = [
  ['lstm, general attention', {}],
  ['gru, additive attention, input feeding', { cell: 'gru', attention: 'additive', inputFeeding: true }],
  [
    'two layers, reversed source, c at every step',
    {
      encoder: { hidden: 5, layers: 2 },
      decoder: { hidden: 10, layers: 2 },
      reverseSource: true,
      context: 'every-step',
    },
  ],
  ['elman, no attention', { cell: 'elman', attention: 'none', summary: 'tanh' }],
];

describeOnEngines('search with real models', () => {
  describe.each(MODELS)('%s', (_, changes) => {
    const attention = changes.attention !== 'none';

    it('equals the slow twins, alone and together, and leaks nothing', () => {
      const model = realModel(changes, 3);
      const twin = plain(model);
      const settings: SearchOptions[] = [
        { beam: 4, nbest: 4, maxLength: 5 },
        { beam: 1, maxLength: 7 },
      ];
      if (attention)
        settings.push({ beam: 3, coveragePenalty: 0.2, stop: 'bound', maxLength: 5, alignment: true });
      for (const o of settings) {
        const options = resolveSearchOptions(o);
        const batch = padIds(ROWS);
        const before = tf.memory().numTensors;
        const together = search(model, batch, options);
        expect(tf.memory().numTensors).toBe(before);
        ROWS.forEach((row, i) => {
          const want = o.beam === 1 ? [slowGreedy(twin, row, options)] : slowBeam(twin, row, options);
          expect(together[i]!.map((h) => [...h.tokens])).toEqual(want.map((h) => h.tokens));
          together[i]!.forEach((h, k) => {
            expect(h.score).toBeCloseTo(want[k]!.score, 3);
          });
          const [alone] = search(model, padIds([row]), options);
          expect(alone!.map((h) => [[...h.tokens], h.alignment])).toEqual(
            together[i]!.map((h) => [[...h.tokens], h.alignment]),
          );
        });
      }
      model.dispose();
    });

    it('scores what it finds, by teacher forcing and by steps', () => {
      const model = realModel(changes, 5);
      const members = [model, realModel(changes, 6)];
      for (const scorer of [model, new Ensemble(members), new Ensemble(members, 'log-probability')]) {
        const count = leaked(() => {
          const found = search(scorer, padIds(ROWS), resolveSearchOptions({ beam: 3 })).map(
            ([best]) => best!,
          );
          const pairs = found.map((h, i) => ({ source: Int32Array.from(ROWS[i]!), target: h.tokens }));
          const target = padIds(found.map((h) => h.tokens));
          const batch: Batch = {
            indices: Int32Array.from(ROWS.keys()),
            source: padIds(ROWS),
            target,
            targetTokens: target.lengths.reduce((a, b) => a + b, 0),
          };
          const steps = scoreBySteps(scorer, batch);
          scorePairs(scorer, pairs).forEach((scores, i) => {
            expect(scores.length).toBe(found[i]!.tokens.length + 1);
            scores.forEach((l, t) => {
              expect(l).toBeCloseTo(found[i]!.tokenScores[t]!, 3);
              expect(l).toBeCloseTo(steps[i]![t]!, 3);
            });
          });
        });
        expect(count).toBe(0);
      }
      for (const member of members) member.dispose();
    });
  });

  it('samples by the line, not by the batch', () => {
    const model = realModel({}, 8);
    const options = resolveSearchOptions({ nbest: 3, sample: { seed: 2, topP: 0.9 }, maxLength: 8 });
    const together = search(model, padIds(ROWS), options);
    ROWS.forEach((row, i) => {
      const [alone] = search(model, padIds([row]), options, [i]);
      expect(alone!.map((h) => [...h.tokens])).toEqual(together[i]!.map((h) => [...h.tokens]));
    });
    model.dispose();
  });
});

// Trained once, on the best engine there is, and used on every one.
let trained: Promise<TinyTask> | null = null;

async function trainOnce(): Promise<TinyTask> {
  const task = await tinyTask();
  await tinyModel(task);
  return task;
}

afterAll(async () => {
  if (trained !== null) await rm((await trained).folder, { recursive: true, force: true });
});

describeOnEngines('a trained model', (engine) => {
  let folder: string;
  let translator: Translator;

  beforeAll(async () => {
    trained ??= trainOnce();
    folder = join((await trained).folder, 'model');
    translator = await Translator.load(folder, { engine });
  });

  afterAll(() => {
    translator?.dispose();
  });

  it('translates, in line order, as the README says', async () => {
    const [first, second, third] = await translator.translate(['open new window', '', 'file'], { beam: 5 });
    expect([first!.text, second!.text, third!.text]).toEqual(['öffnen neu Fenster', '', 'Datei']);
    expect(first!.hypotheses[0]!.score).toBeGreaterThan(-1);
  });

  it('gives n-best lists, best first, and takes longer input than it ever saw', async () => {
    const long = Array.from({ length: 60 }, (_, i) => ['open', 'file', 'close'][i % 3]).join(' ');
    const [a, b] = await translator.translate(['close file', long], { nbest: 8 });
    expect(a!.hypotheses.length).toBe(8);
    const ranks = a!.hypotheses.map((h) => h.normalised!);
    expect(ranks).toEqual([...ranks].sort((x, y) => y - x));
    expect(b!.text.length).toBeGreaterThan(0);
  });

  it('reranks: the right candidate wins', async () => {
    const entries = ['Fenster öffnen', 'öffnen Datei', 'öffnen Fenster'].map((text) => ({
      text,
      features: new Map<string, readonly number[]>(),
      total: null,
      rest: {},
    }));
    const lists = [{ id: 0, source: 'open window', entries, where: 'list:1' }];
    const [best] = await rerank(lists, [modelFeature(translator), lengthFeature(translator)]);
    expect(best!.entries[0]!.text).toBe('öffnen Fenster');
  });

  it('decides together with another: an ensemble of one model twice is that model', async () => {
    const twice = await Translator.load([folder, folder], { engine });
    const lines = ['open new file', 'close'];
    const alone = await translator.translate(lines, { nbest: 3 });
    const both = await twice.translate(lines, { nbest: 3 });
    both.forEach((t, i) => {
      expect(t.hypotheses.map((h) => h.text)).toEqual(alone[i]!.hypotheses.map((h) => h.text));
      expect(t.hypotheses[0]!.score).toBeCloseTo(alone[i]!.hypotheses[0]!.score, 4);
    });
    twice.dispose();
    await expect(Translator.load(folder, { engine, mean: 'probability' })).rejects.toThrow(
      /no meaning for one model/,
    );
  });

  it('loads and frees without leaving a tensor, also when the second model does not fit', async () => {
    const other = join(await mkdtemp(join(tmpdir(), 'dragoman-other-')), 'model');
    await cp(folder, other, { recursive: true });
    const file = join(other, MODEL_FILES.targetVocabulary);
    await writeFile(file, (await readFile(file, 'utf8')).replace('Datei', 'Akte'));
    const before = tf.memory().numTensors;
    await expect(Translator.load([folder, other], { engine })).rejects.toThrow(
      /expected the target tokenizer and vocabulary of .* got others/,
    );
    await expect(Translator.load([], { engine })).rejects.toThrow(/at least one model folder/);
    expect(tf.memory().numTensors).toBe(before);
    const loaded = await Translator.load(folder, { engine });
    await loaded.translate(['open file'], { nbest: 2, alignment: true });
    loaded.dispose();
    expect(tf.memory().numTensors).toBe(before);
    await rm(join(other, '..'), { recursive: true, force: true });
  });
});
