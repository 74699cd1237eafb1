import { setTimeout as pause } from 'node:timers/promises';
import type { Contender } from './speed-case.js';

export interface RoundsOptions {
  readonly rounds: number;
  /** A contender's turn in a round lasts about so many milliseconds. */
  readonly window: number;
  readonly signal?: AbortSignal;
}

/** What one contender did, round by round. */
export interface Measured {
  readonly name: string;
  /** Milliseconds of a run, in each round. */
  readonly milliseconds: readonly number[];
  readonly amount: number;
  readonly flops: number | null;
  /** Largest resident memory in MiB. */
  readonly memory: number;
}

/** Threads of one program look for work a while after it is done, and would take the next one's time. */
const REST = 120;

/** Runs contenders in turn, round by round, after each has warmed up and been sized. */
export async function measureInTurn(
  contenders: readonly Contender[],
  options: RoundsOptions,
): Promise<Measured[]> {
  const { rounds, window, signal } = options;
  const rest = contenders.length > 1 ? REST : 0;
  const times: number[] = [];
  for (const contender of contenders) {
    await contender.run(1); // memory, threads and caches are made now
    const once = await contender.run(1);
    times.push(Math.max(1, Math.round(window / once)));
    await pause(rest);
  }
  const milliseconds: number[][] = contenders.map(() => []);
  for (let round = 0; round < rounds && !signal?.aborted; round++) {
    for (const [k, contender] of contenders.entries()) {
      milliseconds[k]!.push((await contender.run(times[k]!)) / times[k]!);
      await pause(rest);
    }
  }
  return Promise.all(
    contenders.map(async (contender, k) => ({
      name: contender.name,
      milliseconds: milliseconds[k]!,
      amount: contender.amount,
      flops: contender.flops,
      memory: await contender.memory(),
    })),
  );
}

/** The middle value, or the mean of the two middle ones; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** Units of work a second, in the median round. */
export function speed({ amount, milliseconds }: Measured): number {
  return (1000 * amount) / median(milliseconds);
}

/**
 * How many times faster `ours` is: the median over the rounds of the ratio within a round, which a machine that is slower
 * for a while does not change.
 */
export function ratio(ours: Measured, other: Measured): number {
  const perRound = ours.milliseconds.map(
    (own, k) => ours.amount / own / (other.amount / other.milliseconds[k]!),
  );
  return median(perRound);
}
