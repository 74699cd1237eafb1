import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type LanguageModelConfig, loadConfig, type TokenizerSpec } from '../config.js';
import { DragomanError } from '../errors.js';
import { Random } from '../random.js';
import { loadCodec, saveCodec, type TextCodec } from '../text/codec.js';
import { loadCodecs, movedData, writeConfig } from './folder.js';
import { MODEL_FILES } from './folder-names.js';
import { LanguageModel } from './language-model.js';
import { copyWeights, readTensors, storedValues, writeTensors } from './weights-file.js';

/** A language model with all that it needs to score text. */
export interface LoadedLanguageModel {
  readonly folder: string;
  /** Paths in it are relative to the folder. */
  readonly config: LanguageModelConfig;
  readonly text: TextCodec;
  readonly model: LanguageModel;
}

/** One side of a model: how it cuts text, with the description that its own configuration gives. */
export interface DescribedCodec {
  readonly codec: TextCodec;
  readonly spec: TokenizerSpec;
}

/**
 * Reads a language model's folder. An engine must have been started. The caller disposes `model`.
 *
 * @throws DragomanError `usage` when it holds a translation model; `input` or `config`, naming the file, when
 *   anything is missing, damaged or does not fit the rest.
 */
export async function loadLanguageModelFolder(folder: string): Promise<LoadedLanguageModel> {
  const config = await loadConfig(join(folder, MODEL_FILES.config));
  if (config.task !== 'language-model') {
    throw new DragomanError('usage', `${folder}: expected a language model, got a translation model`);
  }
  const { codec: text } = await loadWrittenSide(folder);
  const weights = join(folder, MODEL_FILES.weights);
  const { tensors } = await readTensors(weights);
  const model = new LanguageModel(config.model, text.vocabulary.size, (specs) =>
    storedValues(specs, tensors, weights),
  );
  return { folder, config, text, model };
}

/** What a model writes: a translation model's target side, or the text of a language model. */
export async function loadWrittenSide(folder: string): Promise<DescribedCodec> {
  const config = await loadConfig(join(folder, MODEL_FILES.config));
  if (config.task === 'translation') {
    return { codec: (await loadCodecs(folder, config)).target, spec: config.text.target };
  }
  const spec = config.text.tokenizer;
  if (spec === undefined) {
    throw new DragomanError(
      'config',
      `${join(folder, MODEL_FILES.config)}: expected text.tokenizer in a model folder, got text.from`,
    );
  }
  return { codec: await loadCodec(folder, 'text', spec), spec };
}

/** A language model with fresh parameters for this vocabulary. */
export function createLanguageModel(config: LanguageModelConfig, text: TextCodec): LanguageModel {
  return new LanguageModel(config.model, text.vocabulary.size, new Random(config.seed).fork(0));
}

/**
 * Writes config.yaml and, unless `text` is null because they are there, the vocabulary or SentencePiece model.
 *
 * @param configFolder What the corpora's paths in `config` are relative to.
 * @returns The configuration as written, with paths relative to `folder`.
 */
export async function saveLanguageModelText(
  folder: string,
  config: LanguageModelConfig,
  configFolder: string,
  text: DescribedCodec | null,
): Promise<LanguageModelConfig> {
  const tokenizer =
    text === null
      ? (await loadWrittenSide(folder)).spec
      : await saveCodec(folder, 'text', text.codec, text.spec);
  const { vocabulary } = config.text;
  const data = movedData(config.data, configFolder, folder);
  const moved: LanguageModelConfig = { ...config, data, text: { tokenizer, vocabulary } };
  await writeConfig(folder, moved);
  return moved;
}

/**
 * Writes a whole folder of a language model.
 *
 * @param configFolder What the paths in `config` are relative to.
 */
export async function saveLanguageModelFolder(
  folder: string,
  { config, text, model }: Omit<LoadedLanguageModel, 'folder'>,
  configFolder: string,
): Promise<void> {
  const { tokenizer: spec } = config.text;
  if (spec === undefined) {
    throw new DragomanError('config', 'text: expected tokenizer, to be written with the model, got from');
  }
  await mkdir(folder, { recursive: true });
  await saveLanguageModelText(folder, config, configFolder, { codec: text, spec });
  await writeTensors(join(folder, MODEL_FILES.weights), copyWeights(model.parameters), {});
}
