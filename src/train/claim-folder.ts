import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DragomanError, messageOf } from '../errors.js';
import { MODEL_FILES } from '../model/folder-names.js';
import { type Checkpoint, readCheckpoint } from './checkpoint.js';
import { lockFolder, requireNoTraining } from './folder-lock.js';

/** Not of the model: inside another folder, or gone when training ends. */
const OTHER_NAMES: ReadonlySet<string> = new Set([MODEL_FILES.last, MODEL_FILES.lock]);
/** Everything of a model that training writes directly into its folder. */
const OWN_NAMES: ReadonlySet<string> = new Set(
  Object.values(MODEL_FILES).filter((name) => !OTHER_NAMES.has(name)),
);
/** Only Dragoman writes these: a folder with one of them is a model folder. */
const MARKS: readonly string[] = [MODEL_FILES.history, MODEL_FILES.weights, MODEL_FILES.checkpoints];

/** What training may do with a folder that holds a model: neither, unless it is told to. */
export interface ClaimOptions {
  readonly resume?: boolean;
  readonly overwrite?: boolean;
}

/** A folder that this training, and no other, writes into. */
export interface Claim {
  /** What to go on from, when resuming. */
  readonly checkpoint: Checkpoint | null;
  /** Lets others have the folder again; to be called once. */
  release(): Promise<void>;
}

/**
 * Takes a folder for training, before anything is read or written.
 *
 * @throws DragomanError `usage` when the folder is taken, `input` when there is nothing to resume.
 */
export async function claimFolder(folder: string, options: ClaimOptions): Promise<Claim> {
  // A folder that is refused is not written into.
  await requireNoTraining(folder);
  await requireUsable(folder, options);
  const lock = await lockFolder(folder);
  try {
    // Once more, now that no other training can change it.
    const last = await requireUsable(folder, options);
    const checkpoint = last === null ? null : await readCheckpoint(last);
    return { checkpoint, release: lock.release };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Whether training may use this folder as it is. Returns the checkpoint's path when resuming. */
async function requireUsable(
  folder: string,
  { resume = false, overwrite = false }: ClaimOptions,
): Promise<string | null> {
  if (resume && overwrite) {
    throw new DragomanError('usage', 'expected either resume or overwrite, got both');
  }
  const taken = await ownNames(folder);
  if (resume) {
    const last = join(folder, MODEL_FILES.checkpoints, MODEL_FILES.last);
    if (existsSync(last)) return last;
    // A run that was killed very early is a model folder, but there is nothing in it to go on from.
    const hint = taken.length > 0 ? '; overwrite the folder to start anew' : '';
    throw new DragomanError('input', `${folder}: expected a checkpoint to resume from, got none${hint}`);
  }
  if (taken.length === 0) return null;
  const found = `${folder}: expected no model here, got ${taken.join(', ')}`;
  if (!overwrite) {
    throw new DragomanError('usage', `${found}; resume it, overwrite it or name another folder`);
  }
  if (!MARKS.some((name) => taken.includes(name))) {
    throw new DragomanError(
      'usage',
      `${found}, but none of ${MARKS.join(', ')}: this is no model, so it is not overwritten; name another folder`,
    );
  }
  return null;
}

/**
 * Removes an earlier model from a folder; other files stay.
 *
 * @param keep Files that the new model was read from.
 */
export async function clearFolder(folder: string, keep: readonly string[]): Promise<void> {
  const kept = new Set(keep.map((path) => resolve(path)));
  for (const name of await ownNames(folder)) {
    const path = resolve(folder, name);
    if (!kept.has(path)) await rm(path, { recursive: true });
  }
}

async function ownNames(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => OWN_NAMES.has(name));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    const got = code === 'ENOTDIR' ? 'a file' : messageOf(error);
    throw new DragomanError('usage', `${folder}: expected a folder for the model, got ${got}`, {
      cause: error,
    });
  }
}
