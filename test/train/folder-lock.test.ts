import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startOf } from '../../src/processes.js';
import { lockFolder } from '../../src/train/folder-lock.js';

let root: string;
let folder: string;
let path: string;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'dragoman-lock-')));
  folder = join(root, 'models', 'mine');
  path = join(folder, 'training.lock');
});
afterEach(() => rmSync(root, { recursive: true }));

/** The lock of a training in this very process, with changes. */
async function leave(changes: Record<string, unknown>, minutesAgo = 0): Promise<void> {
  const { release } = await lockFolder(folder);
  const held = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(join(folder, 'history.jsonl'), ''); // so that the folder stays
  await release();
  leaveText(JSON.stringify({ ...held, ...changes }), minutesAgo);
}

function leaveText(text: string, minutesAgo: number): void {
  writeFileSync(path, text);
  const then = Date.now() / 1000 - 60 * minutesAgo;
  utimesSync(path, then, then);
}

const taken = {
  code: 'usage',
  exitCode: 2,
  message: expect.stringContaining('a folder that no training is at work in'),
};

async function expectFree(): Promise<void> {
  const { release } = await lockFolder(folder);
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({
    pid: process.pid,
    host: hostname(),
    folder,
  });
  await release();
  expect(readdirSync(folder)).toEqual(['history.jsonl']);
}

describe('the lock of a model folder', () => {
  it('is held by one, who is named to others', async () => {
    const first = await lockFolder(folder);
    await expect(lockFolder(folder)).rejects.toMatchObject(taken);
    await expect(lockFolder(folder)).rejects.toThrow(
      `in use (process ${process.pid} on ${hostname()}, since `,
    );
    await expect(lockFolder(folder)).rejects.toThrow(/^[^\n]*$/);
    await first.release();
    expect(existsSync(join(root, 'models'))).toBe(false); // made for the lock, and still empty
    await (await lockFolder(folder)).release();
  });

  it('is taken over from a process that has ended', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    await leave({ pid });
    await expectFree();
  });

  it.skipIf(startOf(process.pid) === null)('is taken over where another process got the number', async () => {
    await leave({ start: `${startOf(process.pid)}0` });
    await expectFree();
  });

  it('is taken over from before a restart of the machine, where the system tells no start of processes', async () => {
    await leave({ start: null, at: '2001-01-01T00:00:00.000Z' });
    await expectFree();
    await leave({ start: null });
    await expect(lockFolder(folder)).rejects.toMatchObject(taken);
  });

  it('is taken over from another machine that has not shown itself for ten minutes', async () => {
    await leave({ host: 'elsewhere' }, 9);
    await expect(lockFolder(folder)).rejects.toMatchObject(taken);
    leaveText(readFileSync(path, 'utf8'), 11);
    await expectFree();
  });

  it('does not go with a copy of the folder', async () => {
    const first = await lockFolder(folder);
    const copy = join(root, 'copy');
    cpSync(folder, copy, { recursive: true });
    await (await lockFolder(copy)).release();
    await first.release();
  });

  it('that is not signed is being taken, or was when its writer crashed', async () => {
    await leave({});
    leaveText('', 0);
    await expect(lockFolder(folder)).rejects.toMatchObject(taken);
    leaveText('{"pid":', 1);
    await expectFree();
  });

  it('goes to one of many who find the lock of a process that has ended', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    await leave({ pid });
    const all = await Promise.allSettled(Array.from({ length: 16 }, () => lockFolder(folder)));
    const held = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(held).toHaveLength(1);
    for (const one of all) if (one.status === 'rejected') expect(one.reason).toMatchObject(taken);
    await held[0]!.release();
    expect(readdirSync(folder)).toEqual(['history.jsonl']);
  });

  it('says why it cannot be made', async () => {
    writeFileSync(join(root, 'file'), '');
    await expect(lockFolder(join(root, 'file', 'model'))).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('cannot make the folder'),
    });
  });
});
