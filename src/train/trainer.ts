import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { dispose } from '@tensorflow/tfjs-core';
import type { AnyConfig } from '../config.js';
import { DragomanError } from '../errors.js';
import { MODEL_FILES } from '../model/folder-names.js';
import { copyWeights, readTensors, restoreWeights, writeTensors } from '../model/weights-file.js';
import { Random } from '../random.js';
import { collate } from '../text/batch.js';
import type { EncodedCorpus } from '../text/encoded.js';
import type { Resegmentation } from '../text/resegmentation.js';
import { type Checkpoint, restoreCheckpoint, type TrainingState, writeCheckpoint } from './checkpoint.js';
import { Clock } from './clock.js';
import { DataOrder } from './data-order.js';
import { EarlyStopping } from './early-stopping.js';
import type { Progress, TrainingEvents, ValidationReport } from './events.js';
import { LateReading } from './late-reading.js';
import { fractionDone, limitReached, type Position, type StopReason, secondsLeft } from './limits.js';
import { Meter } from './meter.js';
import type { Optimizer } from './optimizer.js';
import { Reporter } from './reporter.js';
import { Schedule } from './schedule.js';
import type { TrainableModel } from './trainable.js';
import { type TranslateSample, teacherForcedScore } from './validation.js';
import { type Score, scoreMetadata, WeightKeeper } from './weight-keeper.js';

/** Steps between two lines of the history (and points in TensorBoard). */
const LOG_STEPS = 100;

/** What a training works with. */
export interface TrainerParts {
  /** The model folder; exists. The trainer writes its weights, history, checkpoints and event files. */
  readonly folder: string;
  readonly config: AnyConfig;
  readonly model: TrainableModel;
  readonly optimizer: Optimizer;
  readonly training: EncodedCorpus;
  /** Cuts the training text anew in every epoch. */
  readonly resegmentation?: Resegmentation | null;
  readonly validation: EncodedCorpus;
  /** Identifies the data, so that a resumed run notices when they have changed. */
  readonly data: TrainingState['data'];
  /** Name of the engine that computes. */
  readonly engine: string;
  /** BLEU at validation; without it none is measured. */
  readonly translateSample?: TranslateSample;
  readonly events?: TrainingEvents;
  /** Ends training after the running step, with a checkpoint. */
  readonly signal?: AbortSignal;
}

/** How a training ended. */
export interface TrainOutcome {
  readonly stopped: StopReason;
  readonly step: number;
  /** Epochs finished. */
  readonly epoch: number;
  /** Training time in seconds, earlier sessions included. */
  readonly seconds: number;
  readonly targetTokens: number;
  /** Scores of the weights that the model folder was left with; null if never validated. */
  readonly final: Score | null;
  /** Steps whose weights were averaged; empty when the best single weights were taken. */
  readonly averaged: readonly number[];
}

/** A training from its first step, or a checkpoint, to its last. */
export class Trainer {
  readonly #meter = new Meter();
  readonly #late = new LateReading();
  readonly #schedule: Schedule;
  readonly #stopping: EarlyStopping;
  readonly #order: DataOrder;
  readonly #dropout: Random;
  readonly #clock: Clock;
  #step = 0;
  #targetTokens = 0;
  /** The step of the last scheduled validation. */
  #validated = 0;
  /** The step of the last checkpoint; null when something has changed since. */
  #saved: number | null = null;
  readonly #sessionStart: number;
  /** Time of steps whose figures have not been read yet. */
  #unread = 0;

  private constructor(
    private readonly parts: TrainerParts,
    private readonly reporter: Reporter,
    private readonly keeper: WeightKeeper,
    checkpoint: Checkpoint | null,
  ) {
    const { config, training } = parts;
    const { train } = config;
    const random = new Random(config.seed);
    const [order, dropout] = [random.fork(1), random.fork(2)];
    const state = checkpoint?.state;
    this.#schedule = new Schedule(train.schedule, train.optimizer.learningRate);
    this.#stopping = new EarlyStopping(train.earlyStopping);
    this.#order = new DataOrder(training, train.batch, state?.order ?? order);
    this.#dropout = state ? new Random(state.dropout) : dropout;
    this.#clock = new Clock(state?.seconds ?? 0);
    this.#sessionStart = state?.step ?? 0;
    if (!checkpoint || !state) return;
    restoreCheckpoint(checkpoint, parts.model.parameters, parts.optimizer, this.#lastPath);
    this.#step = state.step;
    this.#saved = state.step;
    this.#schedule.restore(state.schedule);
    this.#stopping.restore(state.stopping);
    this.#meter.restore(state.meter);
    this.#targetTokens = state.targetTokens;
    this.#validated = state.validated;
  }

  /** Gets ready to train, from `checkpoint` if there is one. */
  static async open(parts: TrainerParts, checkpoint: Checkpoint | null): Promise<Trainer> {
    const { folder, config, events = {} } = parts;
    const { train } = config;
    const checkpoints = join(folder, MODEL_FILES.checkpoints);
    await mkdir(checkpoints, { recursive: true });
    const { step = 0, historyRows = 0, kept = [] } = checkpoint?.state ?? {};
    const keeper = await WeightKeeper.open(checkpoints, train.average, kept);
    if (checkpoint) await keeper.resumeBest();
    const reporter = await Reporter.open(folder, train.tensorboard, { step, historyRows }, events);
    return new Trainer(parts, reporter, keeper, checkpoint);
  }

  /** Trains until a limit, early stopping or the signal ends it. To be called once. */
  async run(): Promise<TrainOutcome> {
    try {
      const stopped = await this.#loop();
      return stopped === 'interrupted' ? await this.#interrupt() : await this.#finish(stopped);
    } catch (error) {
      throw await this.#withAdvice(error);
    } finally {
      this.#late.dispose();
      this.reporter.close();
    }
  }

  async #loop(): Promise<StopReason> {
    const { train } = this.parts.config;
    for (;;) {
      if (this.#validationDue && !(await this.#scheduledValidation())) return 'interrupted';
      if (train.checkpointSteps !== undefined && this.#step % train.checkpointSteps === 0) await this.#save();
      if (this.parts.signal?.aborted) return 'interrupted';
      const reached = limitReached(train, this.#position);
      if (reached) return reached;
      if (this.#stopping.due) return 'early stopping';
      await this.#takeStep();
      const progress = this.#progress();
      if (progress) this.reporter.progress(progress);
      if (this.#step % LOG_STEPS === 0) await this.#log();
      await nextTurn(); // lets a Ctrl-C arrive
    }
  }

  async #takeStep(): Promise<void> {
    const { model, optimizer, training, resegmentation, config } = this.parts;
    const began = performance.now();
    const sentences = resegmentation?.epoch(training, this.#order.state.epoch) ?? training;
    const batch = collate(sentences, this.#order.next());
    const { loss, logLikelihood, gradients } = model.gradients(batch, {
      labelSmoothing: config.train.labelSmoothing,
      seed: this.#dropout.word(),
    });
    const step = this.#step + 1;
    const learningRate = this.#rate;
    const gradientNorm = optimizer.apply(gradients, learningRate);
    dispose(gradients);
    const { targetTokens } = batch;
    this.#step = step;
    this.#saved = null;
    this.#targetTokens += targetTokens;
    const held = { step, targetTokens, learningRate, loss, logLikelihood, gradientNorm };
    const figures = await this.#late.exchange(held);
    this.#unread += (performance.now() - began) / 1000;
    if (!figures) return;
    this.#meter.add(figures, this.#unread);
    this.#unread = 0;
  }

  /** Reads the figures of the last step. */
  async #settle(): Promise<void> {
    const figures = await this.#late.settle();
    if (!figures) return;
    this.#meter.add(figures, this.#unread);
    this.#unread = 0;
  }

  get #validationDue(): boolean {
    const every = this.parts.config.train.validation.everySteps;
    const due = every === undefined ? this.#order.state.epochStep === 0 : this.#step % every === 0;
    return due && this.#validated !== this.#step;
  }

  /** A validation that steers learning rate and stopping. False when the signal came in between. */
  async #scheduledValidation(): Promise<boolean> {
    await this.#log();
    const score = await this.#validate(this.parts.signal);
    if (!score) return false;
    const before = this.#rate;
    if (this.#schedule.validated(score.perplexity)) {
      this.reporter.message(`no better perplexity: the learning rate falls from ${before} to ${this.#rate}`);
    }
    this.#stopping.validated(score.perplexity);
    this.#validated = this.#step;
    this.#saved = null;
    await this.#save();
    return true;
  }

  /** Measures the weights as they are, keeps them as far as wanted, and tells. Null when the signal came. */
  async #validate(signal?: AbortSignal): Promise<Score | null> {
    const report = await this.#report('validation', signal);
    if (!report) return null;
    const { parameters } = this.parts.model;
    await this.keeper.keep(parameters, scoreOf(report));
    // From the first validation on the folder is a model that translates.
    if (report.best) await writeTensors(this.#weightsPath, copyWeights(parameters), scoreMetadata(report));
    await this.reporter.validation(report);
    return scoreOf(report);
  }

  async #report(event: ValidationReport['event'], signal?: AbortSignal): Promise<ValidationReport | null> {
    const { model, validation, config, translateSample } = this.parts;
    const forced = await teacherForcedScore(model, validation, config.train.batch, signal);
    const sample = forced && translateSample ? await translateSample(signal) : null;
    if (!forced || (translateSample && !sample)) return null;
    return {
      event,
      step: this.#step,
      epoch: this.#epoch,
      ...forced,
      bleu: sample?.bleu ?? null,
      best: this.keeper.isBest(forced.perplexity),
      learningRate: this.#rate,
      seconds: this.#clock.seconds,
      examples: sample?.examples ?? [],
    };
  }

  /** Reports what was trained since the last such report. */
  async #log(): Promise<void> {
    await this.#settle();
    const reading = this.#meter.take();
    if (!reading) return;
    await this.reporter.training(
      { step: this.#step, epoch: this.#epoch, seconds: this.#clock.seconds },
      reading,
    );
  }

  /** Writes the checkpoint from which a run can go on, unless it is there. */
  async #save(): Promise<void> {
    if (this.#step === 0 || this.#saved === this.#step) return;
    await this.#settle(); // a step that failed must not be saved
    const { model, optimizer, config } = this.parts;
    await writeCheckpoint(this.#lastPath, model.parameters, optimizer, this.#state, config);
    this.#saved = this.#step;
  }

  async #interrupt(): Promise<TrainOutcome> {
    await this.#save();
    const { model } = this.parts;
    const hasWeights = await access(this.#weightsPath).then(
      () => true,
      () => false,
    );
    if (!hasWeights)
      await writeTensors(this.#weightsPath, copyWeights(model.parameters), { step: `${this.#step}` });
    const saved =
      this.#step === 0 ? 'before the first step' : `at step ${this.#step}, saved in ${this.#lastPath}`;
    this.reporter.message(`interrupted ${saved}`);
    return this.#outcome('interrupted', this.keeper.best, []);
  }

  /** Leaves the folder, and the model, with the mean of the last weights or the best ones. */
  async #finish(stopped: StopReason): Promise<TrainOutcome> {
    await this.#log();
    await this.#save();
    const { parameters } = this.parts.model;
    // Not a scheduled validation: it steers nothing and is not in the checkpoint, so that a later run with
    // higher limits goes on as if this one had not ended here.
    if (this.#validated !== this.#step || this.keeper.best === null) await this.#validate();
    const mean = await this.keeper.mean();
    if (mean) {
      restoreWeights(parameters, mean.weights, this.#weightsPath);
      const report = (await this.#report('final'))!; // without a signal there always is one
      const metadata = { ...scoreMetadata(report), averaged: mean.steps.join(' ') };
      await writeTensors(this.#weightsPath, mean.weights, metadata);
      await this.reporter.validation(report);
      return this.#outcome(stopped, scoreOf(report), mean.steps);
    }
    const { tensors, metadata } = await readTensors(this.keeper.bestPath);
    restoreWeights(parameters, tensors, this.keeper.bestPath);
    await writeTensors(this.#weightsPath, tensors, metadata);
    return this.#outcome(stopped, this.keeper.best, []);
  }

  #outcome(stopped: StopReason, final: Score | null, averaged: readonly number[]): TrainOutcome {
    const { step, epoch, seconds } = this.#position;
    return { stopped, step, epoch, seconds, targetTokens: this.#targetTokens, final, averaged };
  }

  get #state(): TrainingState {
    return {
      step: this.#step,
      order: this.#order.state,
      dropout: this.#dropout.state,
      schedule: this.#schedule.state,
      stopping: this.#stopping.state,
      meter: this.#meter.state,
      seconds: this.#clock.seconds,
      targetTokens: this.#targetTokens,
      historyRows: this.reporter.historyRows,
      validated: this.#validated,
      kept: [...this.keeper.kept],
      data: this.parts.data,
      engine: this.parts.engine,
    };
  }

  /** The learning rate of the next step. */
  get #rate(): number {
    return this.#schedule.rate(this.#step + 1, fractionDone(this.parts.config.train, this.#position));
  }

  get #lastPath(): string {
    return join(this.parts.folder, MODEL_FILES.checkpoints, MODEL_FILES.last);
  }

  get #weightsPath(): string {
    return join(this.parts.folder, MODEL_FILES.weights);
  }

  get #position(): Position {
    const { epoch, epochStep } = this.#order.state;
    const { epochSteps } = this.#order;
    return { step: this.#step, epoch, epochStep, epochSteps, seconds: this.#clock.seconds };
  }

  /** The epoch of the last step, from 1. */
  get #epoch(): number {
    const { epoch, epochStep } = this.#order.state;
    return epochStep === 0 ? Math.max(1, epoch) : epoch + 1;
  }

  #progress(): Progress | null {
    const running = this.#meter.running();
    if (!running) return null;
    const at = this.#position;
    const { train } = this.parts.config;
    const perStep = this.#clock.sessionSeconds / (this.#step - this.#sessionStart);
    return {
      ...running,
      step: at.step,
      epoch: this.#epoch,
      epochStep: at.epochStep === 0 ? at.epochSteps : at.epochStep,
      epochSteps: at.epochSteps,
      seconds: at.seconds,
      secondsLeft: secondsLeft(train, at, perStep),
      fraction: fractionDone(train, at),
    };
  }

  /** A failed training says what is left of it and what to try. */
  async #withAdvice(error: unknown): Promise<unknown> {
    if (!(error instanceof DragomanError) || error.code !== 'training') return error;
    const kept = await access(this.#lastPath).then(
      () => `the last good checkpoint is kept in ${this.#lastPath}`,
      () => 'no checkpoint had been written',
    );
    const advice = 'a lower train.optimizer.learningRate or stricter clipping (train.clip) may help';
    return new DragomanError('training', `${error.message}; ${kept}; ${advice}`, { cause: error });
  }
}

function scoreOf({ step, epoch, perplexity, accuracy, bleu }: ValidationReport): Score {
  return { step, epoch, perplexity, accuracy, bleu };
}
