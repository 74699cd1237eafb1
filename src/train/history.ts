import { appendFile, readFile } from 'node:fs/promises';
import { writeDurably } from '../model/durable.js';

/** One line of `history.jsonl`. */
export type HistoryRow = {
  readonly step: number;
  readonly epoch: number;
  /** Training time so far. */
  readonly seconds: number;
} & (
  | {
      /** Means over the training steps since the last row of this kind. */
      readonly event: 'train';
      readonly loss: number;
      readonly perplexity: number;
      readonly learningRate: number;
      readonly gradientNorm: number;
      readonly tokensPerSecond: number;
    }
  | {
      /** `validation`: the weights of this step. `final`: the mean that the model folder was left with. */
      readonly event: 'validation' | 'final';
      readonly perplexity: number;
      readonly accuracy: number;
      readonly bleu: number | null;
      readonly learningRate: number;
      readonly best: boolean;
    }
);

/** The course of a training, one JSON object a line. */
export class History {
  #rows: number;

  private constructor(
    private readonly path: string,
    rows: number,
  ) {
    this.#rows = rows;
  }

  /**
   * Opens the file and drops all but its first `keep` rows: those that a killed run wrote after its last
   * checkpoint, which will be written again.
   */
  static async open(path: string, keep: number): Promise<History> {
    const lines = keep === 0 ? [] : (await readFile(path, 'utf8').catch(() => '')).split('\n');
    const kept = lines.filter((line) => line !== '').slice(0, keep);
    await writeDurably(path, kept.map((line) => `${line}\n`).join(''));
    return new History(path, kept.length);
  }

  get rows(): number {
    return this.#rows;
  }

  async add(row: HistoryRow): Promise<void> {
    await appendFile(this.path, `${JSON.stringify(row)}\n`);
    this.#rows++;
  }
}
