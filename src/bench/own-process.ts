import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Precision } from '../engine/products.js';
import { PeerProcess, processContender } from './peer.js';
import { type Contender, type Entry, Unavailable } from './speed-case.js';

/** Training steps. */
export interface TrainingJob {
  readonly kind: 'training';
  readonly threads: number;
  readonly seed: number;
  readonly batch: number;
  readonly batches: number;
  /** Entries of the vocabularies. */
  readonly sizes: { readonly source: number; readonly target: number };
  /** Ids of every pair. */
  readonly source: readonly number[][];
  readonly target: readonly number[][];
}

/** How it is searched. */
export interface SearchWork {
  readonly beam: number;
  readonly batchSize: number;
  readonly maxRatio: number;
}

/** Translations. */
export interface DecodingJob {
  readonly kind: 'decoding';
  readonly seed: number;
  /** Entries of the vocabularies of a model with random weights. */
  readonly sizes: { readonly source: number; readonly target: number };
  /** A trained model; null for one with random weights. */
  readonly folder: string | null;
  readonly search: SearchWork;
  readonly lines: readonly string[];
}

export type WorkJob = TrainingJob | DecodingJob;

const PROCESS = fileURLToPath(new URL('work-process.js', import.meta.url));

/** Our work with these products: an engine has one kind, so it has a process of its own. */
export function inOwnProcess(products: Precision, job: WorkJob): Entry {
  const open = async (): Promise<Contender> => {
    if (!existsSync(PROCESS)) throw new Unavailable('the package has not been built');
    return processContender(
      'dragoman',
      new PeerProcess([process.execPath, PROCESS], { DRAGOMAN_PRODUCTS: products }),
      job,
    );
  };
  return { name: 'dragoman', open };
}
