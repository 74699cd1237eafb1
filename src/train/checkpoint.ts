import { z } from 'zod';
import type { AnyConfig, AnyConfigInput } from '../config.js';
import { DragomanError, messageOf } from '../errors.js';
import {
  copyWeights,
  firstNotFinite,
  readTensors,
  restoreWeights,
  type StoredTensors,
  type WeightStore,
  writeTensors,
} from '../model/weights-file.js';
import type { RandomState } from '../random.js';
import type { Optimizer, OptimizerState } from './optimizer.js';

const FORMAT = 'dragoman-checkpoint-1';
/** Tensors of the optimizer begin with this; all others are weights. */
const OPTIMIZER_PREFIX = 'optimizer.';

const word = z.int().min(0).max(0xffffffff);
const randomState = z.tuple([word, word, word, word]).transform((state): RandomState => state);
const whole = z.int().min(0);
const best = z.number().nullable();

const stateSchema = z.strictObject({
  /** Steps taken. */
  step: whole,
  /** The position in the data. */
  order: z.strictObject({ epoch: whole, epochStep: whole, random: randomState }),
  /** The generator that seeds each step's dropout. */
  dropout: randomState,
  schedule: z.strictObject({ scale: z.number(), best, waited: whole }),
  stopping: z.strictObject({ best, waited: whole }),
  meter: z.strictObject({
    steps: whole,
    targetTokens: z.number(),
    loss: z.number(),
    logLikelihood: z.number(),
    gradientNorm: z.number(),
    learningRate: z.number(),
    seconds: z.number(),
  }),
  /** Training time so far. */
  seconds: z.number().min(0),
  /** Target tokens trained on so far. */
  targetTokens: whole,
  /** Rows of the history that belong to this run. */
  historyRows: whole,
  /** The step of the last validation; 0 before the first. */
  validated: whole,
  /** Steps whose weights are kept for the average, oldest first. */
  kept: z.array(whole),
  /** What the data were; see `fingerprint`. */
  data: z.strictObject({ training: z.string(), validation: z.string() }),
  /** The engine that computed: only the same one goes on bit for bit. */
  engine: z.string(),
});

/** Everything but weights and moments that a run needs to go on as if nothing had happened. */
export type TrainingState = z.output<typeof stateSchema>;

/** A training, stopped between two steps. */
export interface Checkpoint {
  readonly state: TrainingState;
  /** The configuration it was made with, as the version of then resolved it. */
  readonly config: AnyConfigInput;
  readonly weights: StoredTensors;
  readonly optimizer: OptimizerState;
}

/**
 * Writes weights, moments and state into one safetensors file, replacing the old one only when it is whole.
 *
 * @throws DragomanError `training` when a weight or moment is not finite; the old file then stays.
 */
export async function writeCheckpoint(
  path: string,
  store: WeightStore,
  optimizer: Optimizer,
  state: TrainingState,
  config: AnyConfig,
): Promise<void> {
  const tensors = { ...copyWeights(store), ...optimizer.state() };
  await writeTensors(path, tensors, {
    format: FORMAT,
    state: JSON.stringify(state),
    config: JSON.stringify(config),
  });
}

/** @throws DragomanError `input` naming the file when it is not a whole checkpoint. */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const { tensors, metadata } = await readTensors(path);
  if (metadata.format !== FORMAT) {
    throw new DragomanError(
      'input',
      `${path}: expected a ${FORMAT} file, got ${metadata.format ?? 'other tensors'}`,
    );
  }
  let state: TrainingState;
  let config: AnyConfigInput;
  try {
    state = stateSchema.parse(JSON.parse(metadata.state ?? ''));
    // Only ever compared with the configuration of the resuming run, which has been checked.
    config = JSON.parse(metadata.config ?? '') as AnyConfigInput;
  } catch (error) {
    throw new DragomanError('input', `${path}: the training state is damaged: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const weights: Record<string, StoredTensors[string]> = {};
  const optimizer: OptimizerState = {};
  for (const [name, tensor] of Object.entries(tensors)) {
    const { data, shape } = tensor;
    if (!name.startsWith(OPTIMIZER_PREFIX)) weights[name] = tensor;
    else if (data instanceof Float32Array) optimizer[name] = { shape: [...shape], data };
  }
  return { state, config, weights, optimizer };
}

/** Puts the weights and moments of a checkpoint back. `path` is for messages. */
export function restoreCheckpoint(
  checkpoint: Checkpoint,
  store: WeightStore,
  optimizer: Optimizer,
  path: string,
): void {
  restoreWeights(store, checkpoint.weights, path);
  const broken = firstNotFinite(checkpoint.optimizer);
  if (broken !== null) throw new DragomanError('input', `${path}: ${broken}: expected finite numbers`);
  optimizer.restore(checkpoint.optimizer);
}
