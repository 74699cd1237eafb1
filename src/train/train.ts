import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AnyConfigInput, resolveConfig } from '../config.js';
import { currentEngine, type EngineInfo, type EngineName, startEngine } from '../engine/engine.js';
import { MODEL_FILES } from '../model/folder-names.js';
import { SentencePieceTokenizer } from '../text/sentencepiece.js';
import type { Tokenizer } from '../text/tokenizer.js';
import type { Checkpoint } from './checkpoint.js';
import { claimFolder, clearFolder } from './claim-folder.js';
import type { TrainingEvents } from './events.js';
import { languageModelTask } from './language-model-task.js';
import { modelCard } from './model-card.js';
import { createOptimizer } from './optimizer.js';
import { fingerprint, requireSameConfig, requireSameData } from './resume.js';
import type { TaskModel, TrainingTask } from './task.js';
import { Trainer, type TrainOutcome } from './trainer.js';
import { requireNotAborted } from './training-data.js';
import { translationTask } from './translation-task.js';

/** How to train, beside what the configuration says. */
export interface TrainOptions extends TrainingEvents {
  /** The model folder to make. */
  readonly folder: string;
  /** What paths in the configuration are relative to; the working directory by default. */
  readonly configFolder?: string;
  /** Go on from the folder's checkpoint. */
  readonly resume?: boolean;
  /** Replace a model that is in the folder. */
  readonly overwrite?: boolean;
  /** Ends training after the running step; the result then says `interrupted`, and `resume` goes on. */
  readonly signal?: AbortSignal;
  /** What computes; by default the engine that runs, or else the best there is. */
  readonly engine?: EngineName;
  /** The command that a user typed, for the model card. */
  readonly command?: string;
}

/** What training came to. */
export interface TrainResult extends TrainOutcome {
  readonly folder: string;
  /** Numbers in all parameters together. */
  readonly parameters: number;
  /** Sentence pairs; sentences of a language model. */
  readonly trainingPairs: number;
  readonly validationPairs: number;
}

/**
 * Trains a translation model from a parallel corpus, or a language model from text, and leaves it in a model folder.
 *
 * @example
 * ```ts
 * const result = await train(await loadConfig('data/vscode-ui/train.yaml'), {
 *   folder: 'models/vscode-ui',
 *   configFolder: 'data/vscode-ui',
 *   onValidation: ({ perplexity, bleu }) => console.error(perplexity, bleu),
 * });
 * ```
 * @throws DragomanError `config`, `input` or `usage`, before anything is written, when configuration, corpus or folder
 *   are not as they should be; `training` when the loss is no number any more.
 */
export async function train(input: AnyConfigInput, options: TrainOptions): Promise<TrainResult> {
  const config = resolveConfig(input);
  const { configFolder = '.' } = options;
  return config.task === 'translation'
    ? await trainTask(translationTask(config, configFolder), options)
    : await trainTask(languageModelTask(config, configFolder), options);
}

async function trainTask<Texts, Model extends TaskModel>(
  task: TrainingTask<Texts, Model>,
  options: TrainOptions,
): Promise<TrainResult> {
  const { checkpoint, release } = await claimFolder(options.folder, options);
  try {
    return await trainInto(task, checkpoint, options);
  } finally {
    await release();
  }
}

async function trainInto<Texts, Model extends TaskModel>(
  task: TrainingTask<Texts, Model>,
  checkpoint: Checkpoint | null,
  options: TrainOptions,
): Promise<TrainResult> {
  const { config } = task;
  const { folder, signal, command } = options;
  const checkpointPath = join(folder, MODEL_FILES.checkpoints, MODEL_FILES.last);
  if (checkpoint) requireSameConfig(checkpoint.config, config, checkpointPath);
  const engine = await engineFor(options, checkpoint);

  // The vocabularies of a resumed run are those it began with, whatever the corpus would give now.
  const texts = checkpoint
    ? await task.reopenTexts(folder)
    : await task.buildTexts({ onMessage: options.onMessage, onPair: () => requireNotAborted(signal) });
  const corpora = await task.readData(texts, options);
  const { training, resegmentation, validation, sample } = corpora;
  const data = { training: fingerprint(training), validation: fingerprint(validation) };
  if (checkpoint) requireSameData(checkpoint.state.data, data, checkpointPath);
  requireNotAborted(signal);

  if (!checkpoint) await clearFolder(folder, filesOf(task.tokenizers(texts)));
  const written = await task.save(folder, texts, checkpoint === null);
  const model = task.createModel(texts);
  const optimizer = createOptimizer(config.train.optimizer, model.parameters, config.train.clip);
  try {
    const parameters = model.parameters.size;
    options.onMessage?.(`${parameters.toLocaleString('en')} parameters, on the engine ${engine.name}`);
    const translateSample = task.sampleTranslator(model, texts, sample);
    const work = { folder, config, model, optimizer, training, resegmentation, validation, data };
    const surroundings = { translateSample, signal, engine: engine.name, events: options };
    const trainer = await Trainer.open({ ...work, ...surroundings }, checkpoint);
    const outcome = await trainer.run();
    const description = task.describe(texts);
    const facts = { folder, description, training, validation, parameters, engine, outcome, command };
    await writeFile(join(folder, MODEL_FILES.card), modelCard({ ...facts, config: written }));
    const [trainingPairs, validationPairs] = [training.length, validation.length];
    return { ...outcome, folder, parameters, trainingPairs, validationPairs };
  } finally {
    optimizer.dispose();
    model.dispose();
    training.dispose();
    validation.dispose();
  }
}

async function engineFor(options: TrainOptions, checkpoint: Checkpoint | null): Promise<EngineInfo> {
  const running = options.engine === undefined ? currentEngine() : null;
  const engine = running ?? (await startEngine(options.engine));
  const before = checkpoint?.state.engine ?? engine.name;
  if (before !== engine.name) {
    options.onMessage?.(
      `the checkpoint was made on the engine ${before}: on ${engine.name} training goes on, but not bit for bit`,
    );
  }
  return engine;
}

/** What tokenizers were read from, which may be in the folder that the new model takes. */
function filesOf(tokenizers: readonly Tokenizer[]): string[] {
  return tokenizers.flatMap((tokenizer) =>
    tokenizer instanceof SentencePieceTokenizer ? [tokenizer.file] : [],
  );
}
