import { currentEngine, startEngine } from '../engine/engine.js';
import { type Measured, measureInTurn, median, type RoundsOptions, ratio } from './rounds.js';
import { adamCases } from './speed-adam.js';
import { additionCases } from './speed-addition.js';
import { type Contender, type Entry, type SpeedCase, type SpeedSetting, Unavailable } from './speed-case.js';
import { corpusCases } from './speed-corpus.js';
import { decodingCases, scoreCases } from './speed-decoding.js';
import { layerCases } from './speed-layer.js';
import type { SpeedRow } from './speed-names.js';
import { PRODUCT_SHAPES, productCases, productContender } from './speed-products.js';
import { startCases } from './speed-start.js';
import { perStepCases, trainingCases } from './speed-training.js';
import { wasmCases } from './speed-wasm.js';

/** Cases of every row. */
const ROWS: Readonly<Record<SpeedRow, (setting: SpeedSetting) => readonly SpeedCase[]>> = {
  product: productCases,
  layer: layerCases,
  'training-step': trainingCases,
  'per-step': perStepCases,
  addition: additionCases,
  adam: adamCases,
  decoding: decodingCases,
  score: scoreCases,
  wasm: wasmCases,
  corpus: corpusCases,
  start: startCases,
};

/** A program beside ours, measured. */
export interface Comparison extends Measured {
  /** How many times faster we are. */
  readonly ratio: number;
  /** How many times faster we are asked to be. */
  readonly asked: number | null;
}

/** What a case came to. */
export interface SpeedResult {
  readonly row: SpeedRow;
  readonly what: string;
  readonly unit: string | null;
  readonly ours: Measured;
  readonly others: readonly Comparison[];
  readonly asked: NonNullable<SpeedCase['asked']>;
  /** Whether memory is part of what is compared. */
  readonly memory: boolean;
  /** Our rate in GFLOP/s, by formula; null where there is none. */
  readonly rate: number | null;
  /** Contenders that could not run here, and why. */
  readonly leftOut: readonly string[];
}

export interface SpeedOptions extends RoundsOptions {
  /** Told what comes next. */
  readonly onWork?: (what: string) => void;
}

/** Runs rows of the benchmark one after the other; each case's contenders take turns. */
export async function* runSpeed(
  rows: readonly SpeedRow[],
  setting: SpeedSetting,
  options: SpeedOptions,
): AsyncGenerator<SpeedResult> {
  for (const row of rows) {
    for (const work of ROWS[row](setting)) {
      if (options.signal?.aborted) return;
      options.onWork?.(work.what);
      const result = await runCase(row, work, options);
      if (!options.signal?.aborted) yield result;
    }
  }
}

async function runCase(row: SpeedRow, work: SpeedCase, options: SpeedOptions): Promise<SpeedResult> {
  const opened: Contender[] = [];
  const entries: Entry[] = [];
  const leftOut: string[] = [];
  const engine = currentEngine()!.name;
  if (work.engine !== undefined) await startEngine(work.engine);
  try {
    opened.push(await work.ours.open());
    for (const entry of work.others) {
      try {
        opened.push(await entry.open());
        entries.push(entry);
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error;
        leftOut.push(`${entry.name}: ${error.message}`);
      }
    }
    const [ours, ...rest] = await measureInTurn(opened, options);
    const others = rest.map(
      (other, k): Comparison => ({ ...other, ratio: ratio(ours!, other), asked: entries[k]!.asked ?? null }),
    );
    const { what, unit, asked = {}, memory = false } = work;
    return { row, what, unit, ours: ours!, others, asked, memory, rate: rateOf(ours!), leftOut };
  } finally {
    for (const contender of opened) await contender.dispose();
    if (work.engine !== undefined) await startEngine(engine);
  }
}

/** GFLOP/s in the median round. */
export function rateOf({ flops, milliseconds }: Measured): number | null {
  return flops === null ? null : flops / median(milliseconds) / 1e6;
}

/** The best rate of large matrix products on the engine that runs, GFLOP/s: what the others are held against. */
export async function measurePeak(options: SpeedOptions): Promise<number> {
  const contenders = PRODUCT_SHAPES.map(productContender);
  try {
    const measured = await measureInTurn(contenders, options);
    return Math.max(...measured.map((product) => rateOf(product)!));
  } finally {
    for (const contender of contenders) await contender.dispose();
  }
}
