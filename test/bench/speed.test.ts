import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { engine, memory, type Tensor } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { layerFlops, productFlops, sentenceFlops } from '../../src/bench/flops.js';
import { findPeers, PeerProcess, type PeerPrograms, peerEntry } from '../../src/bench/peer.js';
import { plainLoss } from '../../src/bench/plain-model.js';
import { type Measured, measureInTurn, median, ratio, speed } from '../../src/bench/rounds.js';
import { soak } from '../../src/bench/soak.js';
import type { SpeedResult } from '../../src/bench/speed.js';
import { type Contender, local, Unavailable } from '../../src/bench/speed-case.js';
import { benchmarkConfig, benchmarkModel, generatedText } from '../../src/bench/speed-model.js';
import { markdownTable, SPEED_HEAD, speedRows } from '../../src/bench/speed-table.js';
import { trainingCases } from '../../src/bench/speed-training.js';
import { sweep, sweepPlot } from '../../src/bench/sweep.js';
import { syntheticCodecs, syntheticCorpus } from '../../src/bench/synthetic-corpus.js';
import { resolveConfig } from '../../src/config.js';
import { startEngine } from '../../src/engine/engine.js';
import { hasBfloat16, vectorExtensions } from '../../src/engine/hardware.js';
import { Random } from '../../src/random.js';
import { collate } from '../../src/text/batch.js';
import { dragoman } from '../cli/terminal.js';
import { describeOnEngines, whySkipped } from '../engines.js';

beforeAll(async () => {
  await startEngine();
});

const folder = mkdtempSync(join(tmpdir(), 'dragoman-speed-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('operations by formula', () => {
  it('a product [2, 3] [3, 4] has 8 sums of 3 products', () => {
    expect(productFlops(2, 3, 4)).toBe(2 * 8 * 3);
  });

  it('a layer multiplies input and state with the matrix of every gate', () => {
    // Two steps of 3 rows: [3, 5] [5, 28] and [3, 7] [7, 28] each, for 4 gates of 7 units.
    expect(layerFlops('lstm', [2, 3, 5, 7])).toBe(2 * (2 * 3 * 5 * 28 + 2 * 3 * 7 * 28));
    // A GRU has 3 gates.
    expect(layerFlops('gru', [2, 3, 5, 7])).toBe((3 / 4) * layerFlops('lstm', [2, 3, 5, 7]));
  });

  it('a sentence of the benchmark model: 15 million a token forward, 45 in a training step', () => {
    const config = benchmarkConfig('whole-target');
    const sizes = {
      embedding: 256,
      hidden: 256,
      decoder: 512,
      output: 512,
      targetSize: 8000,
      attention: 'general',
      inputFeeding: false,
    } as const;
    expect(config.model).toMatchObject({
      embedding: 256,
      encoder: { hidden: 256 },
      decoder: { hidden: 512 },
    });
    // One source and one target token, by hand, in multiplications: the encoder's two directions (256 + 256) 1024 each,
    // two bridges 512 512, the keys 512 512; the decoder (256 + 512) 2048, one score 512, one context 512, the
    // readout 1024 512, the logits 512 8000.
    const encoder = 2 * 512 * 1024 + 2 * 512 * 512 + 512 * 512;
    const decoder = 768 * 2048 + 512 + 512 + 1024 * 512 + 512 * 8000;
    expect(sentenceFlops(sizes, 1, 1)).toBe(2 * (encoder + decoder));
    expect((3 * sentenceFlops(sizes, 14, 14)) / 14 / 1e6).toBeCloseTo(45, 0);
    // Input feeding widens the decoder's input by o, additive attention has a matrix for the query.
    const more = sentenceFlops({ ...sizes, attention: 'additive', inputFeeding: true }, 1, 1);
    expect(more - sentenceFlops(sizes, 1, 1)).toBe(2 * (512 * 2048 + 512 * 512));
  });
});

function measured(name: string, amount: number, milliseconds: readonly number[]): Measured {
  return { name, amount, flops: null, memory: 0, milliseconds };
}

describe('rounds', () => {
  it('medians of odd and even counts', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  it('a machine that is slower in one round changes no ratio', () => {
    const ours = measured('ours', 20, [10, 100, 10]);
    const theirs = measured('theirs', 10, [10, 100, 10]);
    expect(ratio(ours, theirs)).toBe(2);
    expect(speed(ours)).toBe(2000);
  });

  it('contenders take turns, after a warm-up', async () => {
    const turns: string[] = [];
    const contender = (name: string): Contender => ({
      ...local(
        name,
        1,
        null,
        () => {},
        () => {},
      ),
      run: (times) => {
        turns.push(`${name}${times}`);
        return 5 * times; // 5 ms a run
      },
    });
    const results = await measureInTurn([contender('a'), contender('b')], { rounds: 2, window: 20 });
    expect(turns).toEqual(['a1', 'a1', 'b1', 'b1', 'a4', 'b4', 'a4', 'b4']);
    expect(results.map(({ milliseconds }) => milliseconds)).toEqual([
      [5, 5],
      [5, 5],
    ]);
  });
});

/** A program in Node that speaks as src/peers/serve.py does: a run takes 7 ms by its clock. */
const FAKE = `
const lines = require('node:readline').createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const request = JSON.parse(line);
  if (request.prepare?.broken) return console.log(JSON.stringify({ error: 'no such layer' }));
  if (request.prepare?.garbage) return console.log('warming up');
  if (request.prepare?.dies) { console.error('out of memory'); process.exit(3); }
  if (request.prepare) console.log(JSON.stringify({ ready: { amount: request.prepare.amount } }));
  if (request.run) console.log(JSON.stringify({ ms: 7 * request.run }));
  if (request.memory) console.log(JSON.stringify({ mib: 42 }));
});`;

describe('programs beside us', () => {
  const script = join(folder, 'fake.cjs');
  writeFileSync(script, FAKE);
  const peers: PeerPrograms = { version: 'fake 1', command: () => [process.execPath, script] };
  const open = (job: object): Promise<Contender> =>
    peerEntry(peers, 'layer', 'fake', { threads: 1, seed: 1, ...job }, { asked: 2, flops: 9 })[0]!.open();

  it('are asked to prepare, to run and for their memory', async () => {
    const peer = await open({ amount: 12 });
    expect(peer).toMatchObject({ name: 'fake', amount: 12, flops: 9 });
    expect(await peer.run(3)).toBe(21);
    expect(await peer.memory()).toBe(42);
    await peer.dispose();
  });

  it('may say what they cannot do, or end: they are then left out, with the reason', async () => {
    await expect(open({ broken: true })).rejects.toThrow(new Unavailable('no such layer'));
    await expect(open({ dies: true })).rejects.toThrow(
      new Unavailable('the program ended without an answer; it said: out of memory'),
    );
    await expect(new PeerProcess([join(folder, 'nowhere')]).ask({ run: 1 })).rejects.toThrow(Unavailable);
  });

  it('that do not speak JSON are an error', async () => {
    await expect(open({ garbage: true })).rejects.toThrow('expected a JSON object a line, got "warming up"');
  });

  it('are not there without a Python that has PyTorch, and one line says so', () => {
    const nowhere = join(folder, 'python');
    expect(findPeers(nowhere)).toBe(`${nowhere}: not found`);
    // Node stands for a Python without PyTorch: it fails on the probe.
    expect(findPeers(process.execPath)).toMatch(/^\S+: ".+"$/);
    expect(peerEntry(null, 'layer', 'PyTorch', { threads: 1, seed: 1 })).toEqual([]);
  });
});

describe('random sentences', () => {
  it('have the lengths of Multi30k', () => {
    const codecs = syntheticCodecs(300);
    const corpus = syntheticCorpus(new Random(1), 4000, codecs);
    // Means of 13.80 and 14.27 tokens, deviations below 5.2: the mean of 4000 has an error of about 0.08.
    expect(Math.abs(corpus.sourceTokens / 4000 - 13.8)).toBeLessThan(0.4);
    expect(Math.abs(corpus.targetTokens / 4000 - 14.27)).toBeLessThan(0.5);
  });

  it('are texts that the codec reads back', () => {
    const { source } = syntheticCodecs(6000);
    expect(source.vocabulary.size).toBe(6000);
    const ids = Int32Array.of(4, 73, 74, 5000, 5999);
    expect(source.encode(source.decode(ids))).toEqual(ids);
  });
});

it('the plain model beside ours has the same loss and gradients', () => {
  const config = resolveConfig({
    ...generatedText(),
    model: {
      embedding: 6,
      encoder: { hidden: 5 },
      decoder: { hidden: 7 },
      dropout: { embedding: 0, layers: 0, output: 0 },
    },
  });
  const codecs = syntheticCodecs(20);
  const corpus = syntheticCorpus(new Random(3), 4, codecs);
  const model = benchmarkModel(config, codecs, 1);
  const batch = collate(corpus, Int32Array.of(0, 1, 2, 3));
  const ours = model.gradients(batch, { labelSmoothing: 0.1, seed: 1 });
  const w = model.parameters.weights();
  const names = Object.keys(ours.gradients);
  const { value, grads } = engine().gradients(
    () => plainLoss(w, batch, 0.1),
    names.map((name) => w[name]!),
  );
  // Both in 32-bit floats, summed in different orders.
  expect(value.dataSync()[0]).toBeCloseTo(ours.loss.dataSync()[0]!, 5);
  for (const [k, name] of names.entries()) {
    const [a, b] = [(grads[k] as Tensor).dataSync(), ours.gradients[name]!.dataSync()];
    for (const [n, x] of a.entries()) expect(Math.abs(x - b[n]!), name).toBeLessThan(1e-5);
  }
  model.dispose();
});

const RESULT: SpeedResult = {
  row: 'training-step',
  what: 'training step',
  unit: 'target tokens',
  ours: { ...measured('dragoman', 1000, [500, 400, 500]), flops: 25e9 },
  others: [
    { ...measured('PyTorch, stock', 1000, [600, 480, 600]), ratio: 1.2, asked: 1.2 },
    { ...measured('PyTorch, tuned', 900, [500, 400, 500]), ratio: 10 / 9, asked: null },
  ],
  asked: {},
  memory: true,
  rate: 50,
  leftOut: [],
};

describe('the table', () => {
  it('has a row for each program beside ours', () => {
    expect(speedRows(RESULT, 200)).toEqual([
      [
        'training step',
        '2000 target tokens/s',
        'PyTorch, stock',
        '1667 target tokens/s',
        '1.20',
        '≥ 1.2',
        '50.0',
        '25 %',
      ],
      ['', '', 'PyTorch, tuned', '1800 target tokens/s', '1.11', '', '', ''],
    ]);
    const alone = {
      ...RESULT,
      unit: null,
      others: [],
      asked: { share: 0.7, milliseconds: 1500 },
      rate: null,
    };
    expect(speedRows(alone, 200)).toEqual([
      ['training step', '500 ms', '', '', '', '≥ 70 % of the peak, ≤ 1500 ms', '', ''],
    ]);
  });

  it('in Markdown', () => {
    const [head, line, row] = markdownTable(SPEED_HEAD, speedRows(RESULT, 200)).split('\n');
    expect(head).toMatch(/^\| what {10}\| ours/);
    expect(line).toMatch(/^\| -{13} \| -{20} \|/);
    expect(row).toMatch(/^\| training step \| 2000 target tokens\/s \|/);
  });
});

it('fifty training steps and a hundred sentences leave as many tensors as one', async () => {
  const config = resolveConfig({
    ...generatedText(),
    model: { embedding: 8, encoder: { hidden: 8 }, decoder: { hidden: 16 } },
  });
  const codecs = syntheticCodecs(40);
  const corpus = syntheticCorpus(new Random(1), 192, codecs);
  const data = { name: 'random', files: null, codecs, corpus };
  const before = memory().numTensors;
  const readings = [];
  for await (const reading of soak(config, data, { steps: 50, sentences: 200, readings: 2, seed: 1 })) {
    readings.push(reading);
  }
  expect(readings.map(({ done, work }) => `${done} ${work}`)).toEqual([
    '1 training steps',
    '25 training steps',
    '50 training steps',
    '100 decoded sentences',
    '200 decoded sentences',
  ]);
  const [first, , last, decoded, again] = readings.map(({ tensors }) => tensors);
  expect(last).toBe(first);
  expect(again).toBe(decoded);
  expect(memory().numTensors).toBe(before);
});

it('the sweep grows every size and draws it', async () => {
  const points = [];
  for await (const point of sweep({ quick: true, seed: 1, rounds: 1, window: 1 })) points.push(point);
  expect(new Set(points.map(({ variable }) => variable))).toEqual(
    new Set(['length', 'hidden', 'vocabulary', 'batch', 'beam']),
  );
  for (const { milliseconds } of points) expect(milliseconds).toBeGreaterThan(0);
  expect(points.filter(({ relative }) => relative === 1).length).toBeGreaterThanOrEqual(5);
  expect(sweepPlot(points)).toMatch(/^<svg .*sentence length, training step \(1 = 4\)/);
});

describe('dragoman bench speed', () => {
  it('measures what is asked for and prints it', async () => {
    const { code, out, err } = await dragoman(
      ...[
        'bench',
        'speed',
        '--rows',
        'layer',
        '--quick',
        '--rounds',
        '1',
        '--python',
        'none',
        '--format',
        'json',
      ],
    );
    expect(code).toBe(0);
    const report = JSON.parse(out) as { machine: { cores: number }; peak: number; results: SpeedResult[] };
    expect(report.results.map(({ what }) => what)).toContain(
      'LSTM layer (30, 64, 256 → 256), forward and backward',
    );
    expect(report.results).toHaveLength(8);
    for (const { ours, rate } of report.results) {
      expect(ours.milliseconds).toHaveLength(1);
      expect(rate).toBeCloseTo(ours.flops! / ours.milliseconds[0]! / 1e6, 6);
    }
    expect(report.peak).toBeGreaterThan(0);
    expect(err).toContain('--quick: these figures show that all works');
  });

  it('runs alone, with one line why, where no Python has PyTorch', async () => {
    const path = process.env.PATH;
    process.env.PATH = folder;
    try {
      const { code, out, err } = await dragoman(
        'bench',
        'speed',
        '--rows',
        'adam',
        '--quick',
        '--rounds',
        '1',
      );
      expect(code).toBe(0);
      expect(err).toContain('nothing beside ours: no Python with PyTorch (python3: not found)');
      expect(out).toContain('Adam over 10 million parameters');
    } finally {
      process.env.PATH = path;
    }
  });

  it.each([
    ['--rows layers', 'Allowed choices are product, layer,'],
    ['--sweep --soak', 'two works'],
    ['--sweep --rows layer', '--rows has no meaning with --sweep'],
    ['--soak --rounds 3', '--rounds has no meaning with --soak'],
    ['--svg x.svg', '--svg needs --sweep'],
    ['--overwrite', '--overwrite needs --json or --svg'],
    ['--model m', '--model needs --corpus'],
    ['--corpus one', 'expected SOURCE TARGET, got 1 file names'],
    ['--python /nowhere/python', 'expected a Python with PyTorch, got /nowhere/python: not found'],
  ])('%s: one line, exit 2', async (words, message) => {
    const { code, out, err } = await dragoman('bench', 'speed', ...words.split(' '));
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(message);
    expect(err.trim().split('\n')).toHaveLength(1);
  });
});

describeOnEngines('the training row', (name) => {
  it('asks for products in bfloat16 only of the engine that has them', () => {
    const codecs = syntheticCodecs(60);
    const data = { name: 'random', files: null, codecs, corpus: syntheticCorpus(new Random(1), 64, codecs) };
    const setting = { quick: true, seed: 1, threads: 1, peers: null, data, trained: null };
    const rows = trainingCases(setting).map(({ what }) => what);
    const both = name === 'tensorflow' && hasBfloat16(vectorExtensions());
    expect(rows).toEqual([
      'training step, Multi30k model',
      ...(both ? ['training step, products in bfloat16'] : []),
    ]);
  });
});

const WORK_PROCESS = join(import.meta.dirname, '../../dist/bench/work-process.js');
const whyNoProcess =
  whySkipped('tensorflow') ?? (existsSync(WORK_PROCESS) ? null : 'the package has not been built');
if (whyNoProcess !== null) console.warn(`skipped: work in a process of its own: ${whyNoProcess}`);

describe.skipIf(whyNoProcess !== null)('work in a process of its own', () => {
  it('prepares, runs and tells its memory; what it cannot do it says', async () => {
    const trainer = new PeerProcess([process.execPath, WORK_PROCESS]);
    try {
      await expect(trainer.ask({ run: 1 })).rejects.toThrow('nothing is prepared');
      const ids = [4, 5, 6];
      const job = {
        kind: 'training',
        threads: 1,
        seed: 1,
        batch: 2,
        batches: 1,
        sizes: { source: 20, target: 20 },
        source: [ids, ids],
        target: [ids, ids],
      };
      // Two targets of three tokens and their ends.
      expect(await trainer.ask({ prepare: job })).toEqual({ ready: { amount: 8 } });
      expect((await trainer.ask({ run: 2 })).ms).toBeGreaterThan(0);
      expect((await trainer.ask({ memory: true })).mib).toBeGreaterThan(50);
      const few = { ...job, batch: 3 };
      await expect(trainer.ask({ prepare: few })).rejects.toThrow('expected a corpus of at least 3 pairs');
      const { sizes, seed } = job;
      const search = { beam: 2, batchSize: 2, maxRatio: 0.3 };
      const decoding = { kind: 'decoding', seed, sizes, folder: null, search, lines: ['a b', 'c'] };
      expect(await trainer.ask({ prepare: decoding })).toEqual({ ready: { amount: 2 } });
      expect((await trainer.ask({ run: 1 })).ms).toBeGreaterThan(0);
    } finally {
      trainer.close();
    }
  });
});
