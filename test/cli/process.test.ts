import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TinyTask, tinyCorpus, tinyTask } from '../tiny-model.js';

// What only a process of its own shows: pipes, signals, exit codes, standard input. Runs the built command line
// (`npm test` builds it first).

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

function start(...words: string[]): ChildProcess & { said: { out: string; err: string } } {
  const child = spawn(process.execPath, [MAIN, ...words]);
  const said = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.err += text;
  });
  return Object.assign(child, { said });
}

async function end(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
  return child.exitCode;
}

async function run(
  words: string[],
  input?: string,
): Promise<{ code: number | null; out: string; err: string }> {
  const child = start(...words);
  child.stdin?.end(input ?? '');
  const code = await end(child);
  return { code, ...child.said };
}

describe.skipIf(!existsSync(MAIN))('the dragoman command', () => {
  let task: TinyTask;
  let model: string;
  beforeAll(async () => {
    task = await tinyTask();
    model = join(task.folder, 'model');
  });
  afterAll(() => rm(task.folder, { recursive: true, force: true }));

  it('exits 0, 1 or 2', async () => {
    expect(await run(['--version'])).toMatchObject({ code: 0, err: '' });
    expect(await run(['translate'])).toEqual({
      code: 2,
      out: '',
      err: "dragoman: missing required argument 'model'\n",
    });
    const engine = await run(['translate', model, '--engine', 'gpu']);
    expect(engine.code).toBe(2);
  });

  it('Ctrl-C in training saves, says how to go on, and --resume does', async () => {
    const words = [
      'train',
      join(task.folder, 'train.yaml'),
      '--output',
      model,
      '--set',
      'train.earlyStopping=0',
    ];
    const child = start(...words, '--set', 'train.epochs=100000');
    while (!child.said.err.includes('validation perplexity') && child.exitCode === null) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    child.kill('SIGINT');
    expect(await end(child)).toBe(130);
    expect(child.said.out).toBe('');
    expect(child.said.err).toMatch(/stopping after this step and saving/);
    const step = Number(
      /interrupted at step (\d+), saved in .*\n.*this goes on: dragoman train .* --resume\n$/.exec(
        child.said.err,
      )?.[1],
    );
    expect(step).toBeGreaterThan(0);

    const resumed = await run([
      ...words,
      '--set',
      `train.steps=${step + 120}`,
      '--set',
      'train.epochs=100000',
      '--resume',
    ]);
    expect(resumed.err).toContain(`trained ${step + 120} steps`);
    expect(resumed).toMatchObject({ code: 0, out: `${model}\n` });
  });

  it('Ctrl-C ends a command with a report in order: whole rows are shown, and no file stays', async () => {
    const report = join(task.folder, 'family.html');
    const child = start('family', 'addition', '--cells', 'elman', '--report', report);
    while (!child.said.err.includes('addition ') && child.exitCode === null) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    child.kill('SIGINT');
    expect(await end(child)).toBe(130);
    expect(child.said.err).toMatch(
      /stopping after this step\ndragoman: interrupted; the rows above are whole\n$/,
    );
    expect(readdirSync(task.folder).filter((name) => name.startsWith('family'))).toEqual([]);
  });

  it('reads standard input, and answers before it ends', async () => {
    const child = start('translate', model);
    child.stdin?.write('window\n');
    while (child.said.out === '' && child.exitCode === null) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(child.said.out).toBe('Fenster\n');
    child.stdin?.end('\nfile');
    expect(await end(child)).toBe(0);
    expect(child.said.out).toBe('Fenster\n\nDatei\n');
    expect(child.said.err).toBe('');
  });

  it('takes a reader that has seen enough for no error', async () => {
    const child = start('translate', model, '--beam', '1');
    // The rest of the input may not be taken any more.
    child.stdin?.on('error', () => {});
    child.stdin?.end(`${tinyCorpus(3000, 5).source.join('\n')}\n`);
    child.stdout?.once('data', () => child.stdout?.destroy());
    expect(await end(child)).toBe(0);
    expect(child.said.err.replaceAll(/^translated \d+\n/gm, '')).toBe('');
  });

  it('says which engine is wanted but not there', async () => {
    const child = spawn(process.execPath, [MAIN, 'translate', model], {
      env: { ...process.env, DRAGOMAN_ENGINE: 'abacus' },
    });
    let err = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    child.stdin.end('file\n');
    expect(await end(child)).toBe(2);
    expect(err).toBe('dragoman: DRAGOMAN_ENGINE: expected tensorflow, wasm, cpu, got "abacus"\n');
  });
});
