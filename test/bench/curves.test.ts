import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memory } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Curve, curveName, curves, curveWays, distance, finalLoss } from '../../src/bench/curves.js';
import { currentEngine, startEngine } from '../../src/engine/engine.js';
import { dragoman } from '../cli/terminal.js';

const folder = mkdtempSync(join(tmpdir(), 'dragoman-curves-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(async () => {
  await startEngine();
});

/** Engines beside one another: native and portable, or what there is. */
const ways = curveWays();

describe('the same training on every engine', () => {
  it('has the same losses, by kernels and by automatic differentiation', async () => {
    const engine = currentEngine()!.name;
    const tensors = memory().numTensors;
    const all: Curve[] = [];
    for await (const curve of curves({ steps: 8, seed: 3 })) all.push(curve);
    expect(all.map(curveName)).toEqual(ways.map(curveName));
    const [first] = all;
    // 30 symbols and the end are to be predicted by random weights: no better than a guess among all entries.
    expect(first!.losses[0]).toBeGreaterThan(Math.log(31));
    expect(finalLoss(first!)).toBeLessThan(first!.losses[0]!);
    for (const curve of all) {
      // float32 has 6e-8; a loss is a mean over some 200 tokens of sums of some hundred terms, after 8 updates.
      for (const [step, loss] of curve.losses.entries()) {
        expect(Math.abs(loss / first!.losses[step]! - 1), `${curveName(curve)} ${step}`).toBeLessThan(2e-5);
      }
    }
    expect(currentEngine()!.name).toBe(engine);
    expect(memory().numTensors).toBe(tensors);
  });

  it('is measured against the first', () => {
    const curve = (...losses: number[]): Curve => ({ engine: 'cpu', way: 'kernels', losses });
    const one = curve(2, ...Array.from({ length: 18 }, () => 1), 4);
    const other = curve(2.5, ...Array.from({ length: 18 }, () => 1), 8);
    expect(distance(one, other)).toEqual({ early: 0.25, final: 0.8 });
    expect(finalLoss(other)).toBe(4.5);
  });

  it('is a command', async () => {
    const svg = join(folder, 'curves.svg');
    const { code, out } = await dragoman('bench', 'curves', '--steps', '2', '--svg', svg, '--format', 'json');
    expect(code).toBe(0);
    const rows = JSON.parse(out) as { losses: number[]; early: number }[];
    expect(rows.map(({ losses }) => losses.length)).toEqual(ways.map(() => 2));
    expect(readFileSync(svg, 'utf8')).toMatch(/^<svg .*nats a token.*autodiff.*<\/svg>\n$/s);
    const again = await dragoman('bench', 'curves', '--steps', '2', '--svg', svg);
    expect(again.code).toBe(2);
    expect(again.err).toMatch(/the file exists/);
    const table = await dragoman('bench', 'curves', '--steps', '2');
    expect(table.out).toMatch(/training +│ first loss +│ last tenth/);
    expect((await dragoman('bench', 'curves', '--overwrite')).err).toBe(
      'dragoman: --overwrite needs --svg\n',
    );
  });
});
