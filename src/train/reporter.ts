import { join } from 'node:path';
import { MODEL_FILES } from '../model/folder-names.js';
import type { Progress, TrainingEvents, ValidationReport } from './events.js';
import { History } from './history.js';
import type { MeterReading } from './meter.js';
import { TensorboardWriter } from './tensorboard.js';

/** What every report says of its place. */
type Place = Pick<Progress, 'step' | 'epoch' | 'seconds'>;

/** Tells the history, TensorBoard and the caller how training goes. */
export class Reporter {
  private constructor(
    private readonly history: History,
    private readonly board: TensorboardWriter | null,
    private readonly events: TrainingEvents,
  ) {}

  /**
   * @param folder The model folder.
   * @param from Where a resumed run goes on: its step, and the rows of the history up to there.
   */
  static async open(
    folder: string,
    tensorboard: boolean,
    from: { step: number; historyRows: number },
    events: TrainingEvents,
  ): Promise<Reporter> {
    const history = await History.open(join(folder, MODEL_FILES.history), from.historyRows);
    const board = tensorboard
      ? new TensorboardWriter(join(folder, MODEL_FILES.tensorboard), from.step + 1)
      : null;
    return new Reporter(history, board, events);
  }

  /** Rows of the history so far. */
  get historyRows(): number {
    return this.history.rows;
  }

  progress(progress: Progress): void {
    this.events.onProgress?.(progress);
  }

  message(text: string): void {
    this.events.onMessage?.(text);
  }

  /** What was trained since the last such report. */
  async training({ step, epoch, seconds }: Place, reading: MeterReading): Promise<void> {
    await this.history.add({ event: 'train', step, epoch, seconds, ...reading });
    this.board?.scalars(step, {
      'train/loss': reading.loss,
      'train/perplexity': reading.perplexity,
      'train/learning_rate': reading.learningRate,
      'train/gradient_norm': reading.gradientNorm,
      'train/tokens_per_second': reading.tokensPerSecond,
    });
  }

  /** What a validation found. */
  async validation(report: ValidationReport): Promise<void> {
    const { examples: _, ...row } = report;
    await this.history.add(row);
    const { event, step, perplexity, accuracy, bleu } = report;
    this.board?.scalars(step, {
      [`${event}/perplexity`]: perplexity,
      [`${event}/accuracy`]: accuracy,
      ...(bleu === null ? {} : { [`${event}/bleu`]: bleu }),
    });
    this.events.onValidation?.(report);
  }

  close(): void {
    this.board?.close();
  }
}
