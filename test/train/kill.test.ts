import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { configToYaml, resolveConfig } from '../../src/config.js';
import { decodeSafetensors } from '../../src/model/safetensors.js';
import { presentEngines } from '../engines.js';
import { compileSources } from './compile-sources.js';
import { toyConfig, writeToyCorpus } from './toy-corpus.js';

const CHILD = join('test', 'train', 'train-child.ts');
const engine = presentEngines()[0]!;

// Seven processes are started one after another: seconds on an idle machine, minutes on a busy one.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let folder: string;
let config: string;

/** Trains in a process of its own, which gets `signal` once it has done `at` steps. Returns its last line. */
async function trainInChild(
  model: string,
  options: { resume?: boolean; signal?: NodeJS.Signals; at?: number } = {},
): Promise<{ last: string; signal: NodeJS.Signals | null; said: string }> {
  const words = [
    join(folder, CHILD.replace(/ts$/, 'js')),
    config,
    model,
    engine,
    ...(options.resume ? ['resume'] : []),
  ];
  const child: ChildProcessByStdio<null, Readable, Readable> = spawn(process.execPath, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  let last = '';
  let sent = false; // a second Ctrl-C would end the process at once
  for await (const line of createInterface(child.stdout)) {
    last = line;
    const step = Number(/^step (\d+)$/.exec(line)?.[1] ?? 0);
    if (options.signal && !sent && step >= options.at!) {
      sent = child.kill(options.signal);
    }
  }
  const signal = await new Promise<NodeJS.Signals | null>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve(child.signalCode);
    else child.once('close', () => resolve(child.signalCode));
  });
  return { last, signal, said };
}

const checkpoint = (model: string) =>
  decodeSafetensors(readFileSync(join(model, 'checkpoint', 'last.safetensors')));

// 200 pairs in batches of 10: three epochs are 60 steps.
describe(`a training of 60 steps on ${engine}`, () => {
  let straight: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'dragoman-kill-'));
    compileSources(folder, [CHILD]);
    writeToyCorpus(folder);
    config = join(folder, 'train.yaml');
    const schedule = { kind: 'plateau', factor: 0.5, patience: 1 } as const;
    const validation = { everySteps: 20, bleuSentences: 5 };
    writeFileSync(
      config,
      configToYaml(resolveConfig(toyConfig({ checkpointSteps: 6, average: 2, schedule, validation }))),
    );
    straight = join(folder, 'straight');
    expect(await trainInChild(straight)).toMatchObject({ last: 'ended epochs 60' });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function expectSame(model: string): void {
    const [a, b] = [checkpoint(straight), checkpoint(model)];
    expect(Object.keys(a.tensors).length).toBeGreaterThan(20);
    expect(b.tensors).toEqual(a.tensors); // every weight and every moment, exactly
    for (const name of ['weights.safetensors', 'checkpoint/best.safetensors']) {
      const [one, two] = [straight, model].map((at) => decodeSafetensors(readFileSync(join(at, name))));
      expect(two).toEqual(one);
    }
  }

  it('that is killed half-way, twice, goes on bit for bit', async () => {
    const model = join(folder, 'killed');
    const first = await trainInChild(model, { signal: 'SIGKILL', at: 31 });
    expect(first.signal).toBe('SIGKILL');
    const step = JSON.parse(checkpoint(model).metadata.state!).step as number;
    expect(step).toBeGreaterThanOrEqual(30);
    expect(step).toBeLessThan(60);
    const second = await trainInChild(model, { resume: true, signal: 'SIGKILL', at: step + 7 });
    expect(second.signal).toBe('SIGKILL');
    expect(await trainInChild(model, { resume: true })).toMatchObject({ last: 'ended epochs 60' });
    expectSame(model);
  });

  it('that is ended by Ctrl-C saves, says so, and goes on bit for bit', async () => {
    const model = join(folder, 'interrupted');
    const first = await trainInChild(model, { signal: 'SIGINT', at: 26 });
    expect(first.last).toMatch(/^ended interrupted \d+$/);
    const step = Number(first.last.split(' ').at(-1));
    expect(first.said).toContain(
      `interrupted at step ${step}, saved in ${join(model, 'checkpoint', 'last.safetensors')}`,
    );
    expect(JSON.parse(checkpoint(model).metadata.state!).step).toBe(step);
    expect(step).toBeLessThan(60);
    // What was left can be used, and moved.
    expect(existsSync(join(model, 'README.md'))).toBe(true);
    const moved = join(folder, 'moved');
    cpSync(model, moved, { recursive: true });
    expect(await trainInChild(moved, { resume: true })).toMatchObject({ last: 'ended epochs 60' });
    expectSame(moved);
  });
});
