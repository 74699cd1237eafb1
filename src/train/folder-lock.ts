import { randomUUID } from 'node:crypto';
import {
  link,
  mkdir,
  readFile,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { DragomanError, messageOf } from '../errors.js';
import { MODEL_FILES } from '../model/folder-names.js';
import { isRunning, restartedSince, startOf } from '../processes.js';

/** Milliseconds after which a training shows again that it goes on. */
const BEAT = 30_000;
/**
 * A training on another machine, which cannot be asked, counts as ended when it has not shown itself for so long: a
 * step, or the reading of a corpus, that keeps it busy is much shorter.
 */
const SILENCE = 10 * 60_000;
/** A lock that holds no holder is one that is being written, or was when its writer crashed. */
const UNSIGNED = 10_000;

const holderSchema = z.object({
  pid: z.int().positive(),
  host: z.string(),
  /** See {@link startOf}. */
  start: z.string().nullable(),
  /** When the training began, in ISO 8601. */
  at: z.iso.datetime(),
  /** The folder that it trains into: a copy of the folder is not locked by the copied file. */
  folder: z.string(),
});
type Holder = z.output<typeof holderSchema>;

/** A model folder that only this training may write into. */
export interface FolderLock {
  /** Lets others have the folder; to be called once. Removes the folder again if it was made for this and is empty. */
  release(): Promise<void>;
}

/**
 * Takes a model folder for one training, and makes it if there is none. What a training has left behind that crashed,
 * or whose machine was restarted, is taken over.
 *
 * @throws DragomanError `usage` when another training is at work in the folder, or it cannot be written.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  let made: string | undefined;
  try {
    made = await mkdir(folder, { recursive: true });
  } catch (error) {
    throw new DragomanError('usage', `${folder}: cannot make the folder: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const path = join(folder, MODEL_FILES.lock);
  try {
    await sign(path, folder);
  } catch (error) {
    await removeMade(folder, made);
    if (error instanceof DragomanError) throw error;
    throw new DragomanError('usage', `${folder}: cannot write into the folder: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const beat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {}); // a sign of life that fails ends no training
  }, BEAT);
  beat.unref();
  return {
    async release() {
      clearInterval(beat);
      await rm(path, { force: true });
      await removeMade(folder, made);
    },
  };
}

/** @throws DragomanError `usage` when a training is at work in the folder; nothing is written. */
export async function requireNoTraining(folder: string): Promise<void> {
  const path = join(folder, MODEL_FILES.lock);
  const found = await look(path);
  const who = found === null ? null : inUse(found, await thisProcess(folder));
  if (who !== null) throw taken(folder, path, who);
}

/** What this process signs with. */
async function thisProcess(folder: string): Promise<Holder> {
  const { pid } = process;
  return {
    pid,
    host: hostname(),
    start: startOf(pid),
    at: new Date().toISOString(),
    folder: await realpath(folder),
  };
}

async function sign(path: string, folder: string): Promise<void> {
  const holder = await thisProcess(folder);
  for (;;) {
    try {
      return await writeFile(path, `${JSON.stringify(holder)}\n`, { flag: 'wx' });
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    const found = await look(path);
    if (found === null) continue; // it was released this moment
    const who = inUse(found, holder);
    if (who !== null) throw taken(folder, path, who);
    await putAside(path, found.text, folder);
  }
}

interface Found {
  readonly text: string;
  /** When it last was written or touched, in milliseconds. */
  readonly touched: number;
}

async function look(path: string): Promise<Found | null> {
  try {
    return { text: await readFile(path, 'utf8'), touched: (await stat(path)).mtimeMs };
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return null; // with the latter, `folder` is a file
    throw error;
  }
}

/** Who is at work according to a lock; null if nobody is. @param me as whom it is asked */
function inUse({ text, touched }: Found, me: Holder): string | null {
  const silent = Date.now() - touched;
  const holder = parseHolder(text);
  if (holder === null) return silent < UNSIGNED ? 'another process takes it this moment' : null;
  const { pid, host, start, at, folder } = holder;
  const who = `process ${pid} on ${host}, since ${at}`;
  if (host !== me.host) return silent < SILENCE ? who : null;
  const same = start === null ? !restartedSince(Date.parse(at)) : startOf(pid) === start;
  return isRunning(pid) && same && folder === me.folder ? who : null;
}

function parseHolder(text: string): Holder | null {
  try {
    return holderSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/**
 * Moves a lock whose holder is gone out of the way. Of several that find it at once, the first to move it wins; who
 * finds that it has moved the winner's new lock puts that back.
 */
async function putAside(path: string, judged: string, folder: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  try {
    if ((await readFile(aside, 'utf8')) === judged) return;
    await link(aside, path);
    throw taken(folder, path, 'another process took it this moment');
  } finally {
    await rm(aside, { force: true });
  }
}

function taken(folder: string, path: string, who: string): DragomanError {
  return new DragomanError(
    'usage',
    `${folder}: expected a folder that no training is at work in, got one that is in use (${who}); ` +
      `wait for it, name another folder, or remove ${path} if that training is gone`,
  );
}

/** Removes the folders that were made, from the innermost to the first, as far as they are empty. */
async function removeMade(folder: string, first: string | undefined): Promise<void> {
  if (first === undefined) return;
  const end = dirname(resolve(first));
  for (let path = resolve(folder); path !== end; path = dirname(path)) {
    try {
      await rmdir(path);
    } catch {
      return; // there is something in it
    }
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
