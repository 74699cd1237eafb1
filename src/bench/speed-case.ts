import type { Config } from '../config.js';
import type { Codecs } from '../text/codec.js';
import type { EncodedCorpus } from '../text/encoded.js';
import { peakMemory, resetPeakMemory } from './peak-memory.js';
import type { PeerPrograms } from './peer.js';

/** One program that does a case's work: ours, or one it is compared with. */
export interface Contender {
  readonly name: string;
  /** Units of work in a run: target tokens, sentences, lines; 1 where a run is the unit. */
  readonly amount: number;
  /** Floating-point operations of a run, by formula (flops.ts); null where they do not say anything. */
  readonly flops: number | null;
  /** Does the work `times` times. @returns the milliseconds it took, by its own clock */
  run(times: number): number | Promise<number>;
  /** Largest resident memory of its process in MiB since it was made. */
  memory(): number | Promise<number>;
  dispose(): void | Promise<void>;
}

/** A contender that is made when its turn comes. */
export interface Entry {
  readonly name: string;
  /** How many times our speed is to be a multiple of its; undefined where nothing is asked. */
  readonly asked?: number;
  /** @throws {@link Unavailable} where it cannot run here */
  open(): Promise<Contender>;
}

/** What a case is asked for beside ratios. */
export interface OwnTarget {
  /** Share of the measured rate of matrix products, at least. */
  readonly share?: number;
  /** Milliseconds, at most. */
  readonly milliseconds?: number;
}

/** One line of work of the benchmark: ours first, then what it is compared with. */
export interface SpeedCase {
  readonly what: string;
  /** What `amount` counts, e.g. `target tokens`; null where the time of a run is the figure. */
  readonly unit: string | null;
  readonly ours: Entry;
  readonly others: readonly Entry[];
  readonly asked?: OwnTarget;
  /** Whether peak memory is to be told too: ours is to be no more than theirs. */
  readonly memory?: boolean;
  /** The engine it is about; the one that runs by default. */
  readonly engine?: 'wasm';
}

/** What a benchmark runs with. */
export interface SpeedSetting {
  readonly quick: boolean;
  readonly seed: number;
  /** Threads of every contender. */
  readonly threads: number;
  /** PyTorch programs; null where none can run. */
  readonly peers: PeerPrograms | null;
  /** Sentences to train on and to decode: a corpus of the user's, or random ones of the same lengths as Multi30k's. */
  readonly data: SpeedData;
  /** A trained model that decodes and scores; null for one with random weights. */
  readonly trained: TrainedModel | null;
}

export interface TrainedModel {
  readonly folder: string;
  readonly config: Config;
}

export interface TwoFiles {
  readonly source: string;
  readonly target: string;
}

export interface SpeedData {
  /** Where it comes from, for the reader. */
  readonly name: string;
  /** The files that it was read from; null if it is random. */
  readonly files: TwoFiles | null;
  readonly codecs: Codecs;
  readonly corpus: EncodedCorpus;
}

/** This contender cannot run here; the message says why. */
export class Unavailable extends Error {}

/** A contender inside this process. */
export function local(
  name: string,
  amount: number,
  flops: number | null,
  work: () => void | Promise<void>,
  dispose: () => void | Promise<void>,
): Contender {
  resetPeakMemory();
  return {
    name,
    amount,
    flops,
    async run(times) {
      const begin = performance.now();
      for (let n = 0; n < times; n++) {
        const done = work();
        if (done !== undefined) await done;
      }
      return performance.now() - begin;
    },
    memory: peakMemory,
    dispose,
  };
}
