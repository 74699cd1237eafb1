import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Config, type ConfigInput, loadConfig, resolveConfig } from '../config.js';
import { currentEngine, type EngineInfo, type EngineName, startEngine } from '../engine/engine.js';
import { DragomanError, messageOf } from '../errors.js';
import { createModel, loadCodecs, MODEL_FILES, saveCodecs, saveConfig } from '../model/folder.js';
import { buildCodecs, type Codecs } from '../text/codec.js';
import { SentencePieceTokenizer } from '../text/sentencepiece.js';
import type { Checkpoint } from './checkpoint.js';
import { claimFolder, clearFolder } from './claim-folder.js';
import type { TrainingEvents } from './events.js';
import { modelCard } from './model-card.js';
import { createOptimizer } from './optimizer.js';
import { fingerprint, requireSameConfig, requireSameData } from './resume.js';
import { sampleTranslator } from './sample-translation.js';
import { Trainer, type TrainOutcome } from './trainer.js';
import { readTrainingData, requireNotAborted } from './training-data.js';

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
  readonly trainingPairs: number;
  readonly validationPairs: number;
}

/**
 * Trains a translation model from a parallel corpus and leaves it in a model folder.
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
export async function train(input: ConfigInput, options: TrainOptions): Promise<TrainResult> {
  const config = resolveConfig(input);
  const { folder, configFolder = '.', signal, command } = options;
  const checkpointPath = join(folder, MODEL_FILES.checkpoints, MODEL_FILES.last);
  const checkpoint = await claimFolder(folder, options);
  if (checkpoint) requireSameConfig(checkpoint.config, config, checkpointPath);
  const engine = await engineFor(options, checkpoint);

  // The vocabularies of a resumed run are those it began with, whatever the corpus would give now.
  const codecs = checkpoint
    ? await codecsOf(folder, config, configFolder)
    : await buildCodecs(config, configFolder, {
        onMessage: options.onMessage,
        onPair: () => requireNotAborted(signal),
      });
  const corpora = await readTrainingData(config, configFolder, codecs, options);
  const { training, resegmentation, validation, sample } = corpora;
  const data = { training: fingerprint(training), validation: fingerprint(validation) };
  if (checkpoint) requireSameData(checkpoint.state.data, data, checkpointPath);
  requireNotAborted(signal);

  const written = await prepareFolder(folder, config, configFolder, codecs, checkpoint);
  const model = createModel(config, codecs);
  const optimizer = createOptimizer(config.train.optimizer, model.parameters, config.train.clip);
  try {
    const parameters = model.parameters.size;
    options.onMessage?.(`${parameters.toLocaleString('en')} parameters, on the engine ${engine.name}`);
    const translateSample = sample.length > 0 ? sampleTranslator(model, codecs, sample) : undefined;
    const work = { folder, config, model, optimizer, training, resegmentation, validation, data };
    const surroundings = { translateSample, signal, engine: engine.name, events: options };
    const trainer = await Trainer.open({ ...work, ...surroundings }, checkpoint);
    const outcome = await trainer.run();
    const vocabularies = { source: codecs.source.vocabulary.size, target: codecs.target.vocabulary.size };
    const facts = { folder, training, validation, vocabularies, parameters, engine, outcome, command };
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

/** The folder's own vocabularies, after checking that its SentencePiece models are those the configuration names. */
async function codecsOf(folder: string, config: Config, configFolder: string): Promise<Codecs> {
  const codecs = await loadCodecs(folder, await loadConfig(join(folder, MODEL_FILES.config)));
  for (const side of ['source', 'target'] as const) {
    const spec = config.text[side];
    const { tokenizer } = codecs[side];
    if (spec.kind !== 'sentencepiece' || !(tokenizer instanceof SentencePieceTokenizer)) continue;
    if (spec.model === undefined) continue; // trained by the run itself, and saved
    const named = await SentencePieceTokenizer.load(spec.model, configFolder);
    if (Buffer.compare(named.bytes, tokenizer.bytes) === 0) continue;
    throw new DragomanError(
      'config',
      `${folder}: cannot go on with another vocabulary: text.${side}.model, ${spec.model}, is not the model it began with`,
    );
  }
  return codecs;
}

/** Everything of the model folder but the weights. Returns the configuration as the folder has it. */
async function prepareFolder(
  folder: string,
  config: Config,
  configFolder: string,
  codecs: Codecs,
  checkpoint: Checkpoint | null,
): Promise<Config> {
  if (checkpoint) {
    const { text } = await loadConfig(join(folder, MODEL_FILES.config));
    return await saveConfig(folder, config, configFolder, text);
  }
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw new DragomanError('usage', `${folder}: cannot make the folder: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const readFrom = [codecs.source.tokenizer, codecs.target.tokenizer].flatMap((tokenizer) =>
    tokenizer instanceof SentencePieceTokenizer ? [tokenizer.file] : [],
  );
  await clearFolder(folder, readFrom);
  return await saveConfig(folder, config, configFolder, await saveCodecs(folder, config, codecs));
}
