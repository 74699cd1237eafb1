import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  copyWeights,
  readTensors,
  type StoredTensors,
  type WeightStore,
  writeTensors,
} from '../model/weights-file.js';

/** What a validation found for some weights. */
export interface Score {
  readonly step: number;
  readonly epoch: number;
  readonly perplexity: number;
  readonly accuracy: number;
  readonly bleu: number | null;
}

const STEP_FILE = /^step-(\d+)\.safetensors$/;

/**
 * Keeps the weights of validations in the checkpoint folder: `best.safetensors`, with its scores as metadata, and
 * for averaging `step-N.safetensors` of the last validations. Each is a plain weights file.
 */
export class WeightKeeper {
  #best: Score | null = null;
  #kept: number[] = [];

  private constructor(
    private readonly folder: string,
    private readonly average: number,
  ) {}

  /**
   * @param folder The checkpoint folder; exists.
   * @param average How many weights to keep for an average; 1 keeps none.
   * @param kept Of an earlier session: the steps that it had kept at its checkpoint. Files of later steps go.
   */
  static async open(folder: string, average: number, kept: readonly number[]): Promise<WeightKeeper> {
    const keeper = new WeightKeeper(folder, average);
    for (const name of await readdir(folder)) {
      const step = Number(STEP_FILE.exec(name)?.[1] ?? Number.NaN);
      if (Number.isNaN(step)) continue;
      if (kept.includes(step) && average > 1) keeper.#kept.push(step);
      else await rm(join(folder, name));
    }
    keeper.#kept.sort((a, b) => a - b);
    return keeper;
  }

  get bestPath(): string {
    return join(this.folder, 'best.safetensors');
  }

  get best(): Score | null {
    return this.#best;
  }

  get kept(): readonly number[] {
    return this.#kept;
  }

  /** Takes over the best weights of an earlier session, if there are any. */
  async resumeBest(): Promise<void> {
    const content = await readTensors(this.bestPath).catch(() => null);
    if (content) this.#best = parseScore(content.metadata);
  }

  /** Whether these weights would be the best so far. */
  isBest(perplexity: number): boolean {
    return this.#best === null || perplexity < this.#best.perplexity;
  }

  /** Keeps the weights of a validation as far as they are wanted. */
  async keep(store: WeightStore, score: Score): Promise<void> {
    const isBest = this.isBest(score.perplexity);
    if (!isBest && this.average === 1) return;
    const weights = copyWeights(store);
    if (isBest) {
      await writeTensors(this.bestPath, weights, scoreMetadata(score));
      this.#best = score;
    }
    if (this.average === 1) return;
    await writeTensors(this.#stepPath(score.step), weights, scoreMetadata(score));
    this.#kept = [...this.#kept.filter((step) => step !== score.step), score.step];
    for (const step of this.#kept.splice(0, this.#kept.length - this.average)) {
      await rm(this.#stepPath(step), { force: true });
    }
  }

  /** The equal mean of the kept weights; null when there are not two of them. */
  async mean(): Promise<{ weights: StoredTensors; steps: readonly number[] } | null> {
    if (this.#kept.length < 2) return null;
    const sums = new Map<string, { shape: readonly number[]; sum: Float64Array }>();
    for (const step of this.#kept) {
      const { tensors } = await readTensors(this.#stepPath(step));
      for (const [name, { shape, data }] of Object.entries(tensors)) {
        const entry = sums.get(name) ?? { shape, sum: new Float64Array(data.length) };
        data.forEach((value, i) => {
          entry.sum[i]! += value;
        });
        sums.set(name, entry);
      }
    }
    const count = this.#kept.length;
    const weights = [...sums].map(([name, { shape, sum }]): [string, StoredTensors[string]] => [
      name,
      { shape, data: Float32Array.from(sum, (value) => value / count) },
    ]);
    return { weights: Object.fromEntries(weights), steps: this.#kept };
  }

  #stepPath(step: number): string {
    return join(this.folder, `step-${step}.safetensors`);
  }
}

/** A score as the metadata of a weights file. */
export function scoreMetadata({ step, epoch, perplexity, accuracy, bleu }: Score): Record<string, string> {
  return {
    format: 'dragoman-weights-1',
    step: `${step}`,
    epoch: `${epoch}`,
    perplexity: `${perplexity}`,
    accuracy: `${accuracy}`,
    ...(bleu === null ? {} : { bleu: `${bleu}` }),
  };
}

function parseScore(metadata: Readonly<Record<string, string>>): Score | null {
  const number = (key: string): number => Number(metadata[key] ?? Number.NaN);
  const [step, epoch, perplexity, accuracy] = ['step', 'epoch', 'perplexity', 'accuracy'].map(number) as [
    number,
    number,
    number,
    number,
  ];
  const bleu = metadata.bleu === undefined ? null : number('bleu');
  // A file without its scores cannot be compared with: the next validation replaces it.
  return Number.isFinite(perplexity) ? { step, epoch, perplexity, accuracy, bleu } : null;
}
