import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memory, type Tensor3D, tensor1d, tensor3d, tidy } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RISE_AND_FALL } from '../../src/bench/adam.js';
import { type FamilyResult, runFamilyTask, whyUnavailable } from '../../src/bench/family.js';
import { FAMILY_TASK_NAMES } from '../../src/bench/family-names.js';
import { familyReport } from '../../src/bench/family-report.js';
import { tableOf } from '../../src/bench/family-table.js';
import { labelInputs, labelLoss, NO_LABEL } from '../../src/bench/label-loss.js';
import { linePlot } from '../../src/bench/line-plot.js';
import { RecurrentNetwork } from '../../src/bench/network.js';
import { symbolBatch } from '../../src/bench/symbol-batch.js';
import type { CellKind } from '../../src/cell/options.js';
import { startEngine } from '../../src/engine/engine.js';
import { Random } from '../../src/random.js';
import { dragoman } from '../cli/terminal.js';

beforeAll(async () => {
  await startEngine();
});

const quick = (cells: readonly CellKind[] | null, seeds = [1]) => ({
  cells,
  quick: true,
  seeds,
});

describe('the tasks of the family', () => {
  it('a network learns to say what it read two steps before', async () => {
    const random = new Random(1);
    const network = new RecurrentNetwork(
      { cell: 'elman', layers: 1, units: 12, inputs: 2, outputs: 2 },
      random,
    );
    const batch = (rows: number) => {
      const symbols = Array.from({ length: rows }, () => Array.from({ length: 8 }, () => random.integer(2)));
      const labels = Int32Array.from({ length: 8 * rows }, (_, k) =>
        k < 2 * rows ? NO_LABEL : symbols[k % rows]![Math.floor(k / rows) - 2]!,
      );
      return { x: symbolBatch(symbols, 2), ...labelInputs(labels) };
    };
    await network.train(
      { steps: 200, learningRate: 1e-2, clip: 1, schedule: RISE_AND_FALL },
      {
        batch: () => batch(16),
        loss: (forward, { x, ...labels }) => labelLoss(forward(x as Tensor3D), labels),
      },
    );
    const loss = tidy(() => {
      const { x, labels, shares } = batch(200);
      const said = network.outputs(tensor3d(x.values, x.shape));
      const right = { labels: tensor1d(labels.values, 'int32'), shares: tensor1d(shares.values) };
      return labelLoss(said, right).dataSync()[0]!;
    });
    network.dispose();
    // Who does not look back has ln 2 = 0.69.
    expect(loss).toBeLessThan(0.1);
  });

  it('a reservoir of 200 units goes on with the Mackey-Glass series', async () => {
    const { rows } = await runFamilyTask('mackey-glass', quick(['echo-state']));
    // 0.004 and 0.009 were seen; one that only knows the mean has 1.
    expect(rows[0]!.measures['NRMSE 84']!.mean).toBeLessThan(0.1);
    // The error grows along the free run.
    expect(rows[0]!.curve[0]![1]).toBeLessThan(rows[0]!.curve.at(-1)![1]);
  });

  it('recalls patterns below the break and not above, by Hebb’s rule', async () => {
    const { rows } = await runFamilyTask('patterns', quick(null));
    const [hebbian] = rows.filter((row) => row.subject === 'memory, hebbian' && row.setting.includes('25 %'));
    expect(hebbian!.measures['at load 0.05, %']!.mean).toBeGreaterThan(90);
    expect(hebbian!.measures['at load 0.2, %']!.mean).toBeLessThan(30);
    // The modern network holds a hundred times as many.
    const modern = rows.filter((row) => row.subject === 'modern, beta = 1');
    expect(modern.map((row) => row.measures['at load 10, %']!.mean)).toEqual([100, 100]);
  });

  it('gives mean and deviation over the seeds, the same for the same seeds', async () => {
    const run = () => runFamilyTask('patterns', quick(['hopfield'], [4, 5]));
    const [first, again] = [await run(), await run()];
    expect(again).toEqual(first);
    const figure = first.rows[0]!.measures['at load 0.138, %']!;
    const [a, b] = figure.values as [number, number];
    expect(figure.mean).toBeCloseTo((a + b) / 2, 10);
    expect(figure.deviation).toBeCloseTo(Math.abs(a - b) / Math.SQRT2, 10);
  });

  it('stops after a step when told to, and leaves no tensors behind', async () => {
    const before = memory().numTensors;
    for (const task of ['addition', 'reber', 'tomita', 'adding', 'transduction'] as const) {
      const controller = new AbortController();
      const onProgress = (done: number): void => {
        if (done > 0) controller.abort();
      };
      const { rows } = await runFamilyTask(task, quick(['lstm']), { signal: controller.signal, onProgress });
      expect(rows).toEqual([]);
    }
    expect(memory().numTensors).toBe(before);
  });

  it('knows which tasks have nothing to do', async () => {
    expect(await whyUnavailable('patterns', quick(['lstm']))).toBe('none of its members is among lstm');
    for (const name of FAMILY_TASK_NAMES.filter((name) => name !== 'pronunciation')) {
      expect(await whyUnavailable(name, quick(null)), name).toBeNull();
    }
  });
});

it('labelled steps alone count in the loss', () => {
  // Step 1: logits (ln 3, 0) and label 0, P = 3/4. Step 2: no label.
  const { labels, shares } = labelInputs(Int32Array.of(0, NO_LABEL));
  const loss = labelLoss(tensor3d([Math.log(3), 0, 5, -5], [2, 1, 2]), {
    labels: tensor1d(labels.values, 'int32'),
    shares: tensor1d(shares.values),
  });
  expect(loss.dataSync()[0]).toBeCloseTo(-Math.log(0.75), 6);
  loss.dispose();
});

const RESULT: FamilyResult = {
  task: 'adding',
  title: 'a < b & c',
  source: 'nobody',
  axes: { x: 'step', y: 'error', logarithmic: true },
  seeds: [1, 2],
  quick: true,
  rows: [
    {
      subject: 'lstm',
      member: 'lstm',
      setting: 'T = 50',
      measures: { 'squared error': { mean: 0.0005, deviation: 0.0001, values: [0.0004, 0.0006] } },
      parameters: 12,
      millisecondsPerStep: 1.25,
      curve: [
        [1, 1],
        [2, 0.1],
        [3, 0.01],
      ],
    },
    {
      subject: 'gru',
      member: 'gru',
      setting: '',
      measures: {},
      parameters: 7,
      millisecondsPerStep: null,
      curve: [],
    },
  ],
};

describe('the report', () => {
  it('has a table with every figure', () => {
    expect(tableOf(RESULT)).toEqual({
      head: ['member', 'setting', 'squared error', 'parameters', 'ms a step'],
      rows: [
        ['lstm', 'T = 50', '5.0e-4 ± 1.0e-4 (4.0e-4 to 6.0e-4)', '12', '1.3'],
        ['gru', '', '', '7', ''],
      ],
    });
  });

  it('is one page that needs no other', () => {
    const page = familyReport([RESULT], 'cpu');
    expect(page).toContain('a &lt; b &amp; c');
    expect(page).toContain('5.0e-4 ± 1.0e-4');
    expect(page).toContain('A quick run');
    // The members that took part, as they are wired.
    expect(page).toContain('<title>LSTM: ');
    expect(page).toContain('<title>Gated recurrent unit: ');
    expect(page).not.toContain('<title>Elman network: ');
    expect(page).not.toMatch(/<script|<link|src=|href=/);
  });

  it('draws a line through its points: falling tenfold a step is straight on a logarithmic axis', () => {
    const svg = linePlot([{ label: 'lstm', points: RESULT.rows[0]!.curve }], RESULT.axes);
    const [, path = ''] = /<path d="M([\d. L]+)" fill="none" stroke="#0072b2"/.exec(svg)!;
    const [a, b, c] = path.split('L').map((point) => point.split(' ').map(Number)) as [
      number[],
      number[],
      number[],
    ];
    expect(b[0]! - a[0]!).toBeCloseTo(c[0]! - b[0]!, 0);
    expect(b[1]! - a[1]!).toBeCloseTo(c[1]! - b[1]!, 0);
    expect(b[1]!).toBeGreaterThan(a[1]!);
    expect(linePlot([{ label: 'none', points: [[1, 0]] }], RESULT.axes)).toBe('');
  });
});

describe('dragoman family', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dragoman-family-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('prints tables and writes a report, never over another', async () => {
    const report = join(folder, 'family.html');
    const words = ['family', 'delay-line', '--quick', '--seeds', '2', '--report', report];
    const { out } = await dragoman(...words);
    expect(out).toContain('memory capacity');
    expect(out).toContain('seeds 1 to 2');
    expect(readFileSync(report, 'utf8')).toContain('<svg');
    await expect(dragoman(...words)).resolves.toMatchObject({
      code: 2,
      err: expect.stringContaining('the file exists'),
    });
  });

  it('writes pictures of the wiring, never over others, and measures nothing', async () => {
    const pictures = join(folder, 'wiring');
    const { out, err } = await dragoman('family', '--wiring', pictures);
    expect(out).toBe('');
    expect(err).toContain('16 pictures');
    expect(readdirSync(pictures)).toHaveLength(16);
    expect(readFileSync(join(pictures, 'lstm.svg'), 'utf8')).toMatch(/^<svg .*<\/svg>\n$/s);
    await expect(dragoman('family', '--wiring', pictures)).resolves.toMatchObject({
      code: 2,
      err: expect.stringContaining('the file exists'),
    });
    for (const words of [
      ['reber'],
      ['--cells', 'lstm'],
      ['--seed', '2'],
      ['--format', 'json'],
      ['--quick'],
    ]) {
      expect(await dragoman('family', '--wiring', pictures, ...words)).toMatchObject({ code: 2, out: '' });
    }
  });

  it('prints JSON', async () => {
    const { out } = await dragoman('family', 'delay-line', '--quick', '--format', 'json', '--seed', '7');
    const [result] = JSON.parse(out) as [FamilyResult];
    expect(result.seeds).toEqual([7]);
    expect(result.rows[0]!.measures['memory capacity']!.mean).toBeLessThan(20.1);
  });

  it('leaves out, and says so, what its members have no part in; refuses what it does not know', async () => {
    const { out, err } = await dragoman('family', 'patterns', '--cells', 'lstm');
    expect(out).toBe('');
    expect(err).toContain('patterns: left out: none of its members is among lstm');
    expect(await dragoman('family', 'chess')).toMatchObject({
      code: 2,
      err: expect.stringContaining('chess'),
    });
    expect(await dragoman('family', '--cells', 'lstn')).toMatchObject({
      code: 2,
      err: expect.stringContaining('did you mean lstm'),
    });
    expect(await dragoman('family', '--overwrite')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--overwrite needs --report'),
    });
  });
});
