import { mkdir, writeFile } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import {
  type AnyConfig,
  type Config,
  type CorpusSpec,
  configToYaml,
  loadConfig,
  type TextCorpusSpec,
} from '../config.js';
import { DragomanError } from '../errors.js';
import { Random } from '../random.js';
import { type Codecs, loadCodec, saveCodec, type TextCodec } from '../text/codec.js';
import { STDIN } from '../text/input.js';
import { writeDurably } from './durable.js';
import { MODEL_FILES } from './folder-names.js';
import { Seq2Seq } from './seq2seq.js';
import { copyWeights, readTensors, storedValues, writeTensors } from './weights-file.js';

export { MODEL_FILES } from './folder-names.js';

/** A model with all that it needs to translate. */
export interface LoadedModel {
  readonly folder: string;
  /** Paths in it are relative to the folder. */
  readonly config: Config;
  readonly source: TextCodec;
  readonly target: TextCodec;
  readonly model: Seq2Seq;
}

/**
 * Reads a model folder. An engine must have been started. The caller disposes `model`.
 *
 * @throws DragomanError `input` or `config`, naming the file, when anything is missing, damaged or does not fit the rest.
 */
export async function loadModelFolder(folder: string): Promise<LoadedModel> {
  const config = await loadTranslationConfig(folder);
  const codecs = await loadCodecs(folder, config);
  const weights = join(folder, MODEL_FILES.weights);
  const { tensors } = await readTensors(weights);
  const model = new Seq2Seq(config.model, vocabularySizes(codecs), (specs) =>
    storedValues(specs, tensors, weights),
  );
  return { folder, config, ...codecs, model };
}

/** The configuration of a translation model's folder. Throws `usage` for a model of another task. */
export async function loadTranslationConfig(folder: string): Promise<Config> {
  const config = await loadConfig(join(folder, MODEL_FILES.config));
  if (config.task === 'translation') return config;
  throw new DragomanError(
    'usage',
    `${folder}: expected a translation model, got a language model, which scores text and helps a translation model (docs/language-models.md)`,
  );
}

/** Both sides of a model folder. */
export async function loadCodecs(folder: string, config: Config): Promise<Codecs> {
  const source = await loadCodec(folder, 'src', config.text.source);
  const target = await loadCodec(folder, 'tgt', config.text.target);
  if (config.text.joint && !source.vocabulary.equals(target.vocabulary)) {
    const { sourceVocabulary, targetVocabulary } = MODEL_FILES;
    throw new DragomanError(
      'input',
      `${folder}: expected ${sourceVocabulary} and ${targetVocabulary} to be equal, as text.joint says, got two`,
    );
  }
  return { source, target };
}

/** A model with fresh parameters for these vocabularies. */
export function createModel(config: Config, codecs: Codecs): Seq2Seq {
  return new Seq2Seq(config.model, vocabularySizes(codecs), new Random(config.seed).fork(0));
}

function vocabularySizes({ source, target }: Codecs): { source: number; target: number } {
  return { source: source.vocabulary.size, target: target.vocabulary.size };
}

/** Writes both vocabularies into a folder. Returns how its configuration has to describe them. */
export async function saveCodecs(folder: string, config: Config, codecs: Codecs): Promise<Config['text']> {
  const { text } = config;
  const source = await saveCodec(folder, 'src', codecs.source, text.source);
  // One description has to serve both sides of a joint vocabulary, so one copy of the model does too.
  const shared = text.joint && source.kind === 'sentencepiece';
  const target = shared ? source : await saveCodec(folder, 'tgt', codecs.target, text.target);
  return { ...text, source, target };
}

/**
 * Writes a folder's config.yaml.
 *
 * @param configFolder What the corpora's paths in `config` are relative to.
 * @param text What {@link saveCodecs} returned.
 * @returns The configuration as written, with paths relative to `folder`.
 */
export async function saveConfig(
  folder: string,
  config: Config,
  configFolder: string,
  text: Config['text'],
): Promise<Config> {
  const moved: Config = { ...config, data: movedData(config.data, configFolder, folder), text };
  await writeConfig(folder, moved);
  return moved;
}

/** Writes a folder's config.yaml as it is. */
export async function writeConfig(folder: string, config: AnyConfig): Promise<void> {
  await writeDurably(join(folder, MODEL_FILES.config), configToYaml(config));
}

/** The same corpora, named from another folder. */
export function movedData<Spec extends CorpusSpec | TextCorpusSpec, Data extends CorporaOf<Spec>>(
  data: Data,
  from: string,
  to: string,
): Data {
  const move = (path: string): string => movePath(path, from, to);
  const moved = (spec: Spec): Spec => {
    if ('file' in spec) return { ...spec, file: move(spec.file) };
    if ('text' in spec) return { ...spec, text: move(spec.text) };
    return { ...spec, source: move(spec.source), target: move(spec.target) };
  };
  return { ...data, train: moved(data.train), validation: moved(data.validation) };
}

interface CorporaOf<Spec> {
  readonly train: Spec;
  readonly validation: Spec;
}

/**
 * Writes a whole model folder.
 *
 * @param configFolder What the paths in `config` are relative to.
 * @param card Text of its README.md.
 */
export async function saveModelFolder(
  folder: string,
  { config, source, target, model }: Omit<LoadedModel, 'folder'>,
  configFolder: string,
  card?: string,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const text = await saveCodecs(folder, config, { source, target });
  await saveConfig(folder, config, configFolder, text);
  await writeTensors(join(folder, MODEL_FILES.weights), copyWeights(model.parameters), {});
  if (card !== undefined) await writeFile(join(folder, MODEL_FILES.card), card);
}

/** The same file, named from another folder; with slashes, so that the folder can move between systems. */
function movePath(path: string, from: string, to: string): string {
  if (path === STDIN || isAbsolute(path)) return path;
  return relative(to, resolve(from, path)).split(sep).join('/');
}
