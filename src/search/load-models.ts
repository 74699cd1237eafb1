import type { TokenizerSpec } from '../config.js';
import { type EngineName, startEngine } from '../engine/engine.js';
import { DragomanError } from '../errors.js';
import { type LoadedModel, loadModelFolder } from '../model/folder.js';
import { type LoadedLanguageModel, loadLanguageModelFolder } from '../model/language-model-folder.js';
import type { TextCodec } from '../text/codec.js';
import { Ensemble, type EnsembleMean } from './ensemble.js';
import type { ScoringModel } from './scorer.js';
import { DEFAULT_FUSION_WEIGHT, ShallowFusion } from './shallow-fusion.js';

export interface LoadOptions {
  /** The engine that computes; the best one there is if absent. */
  readonly engine?: EngineName;
  /** How several models agree: the mean of their probabilities (default) or of their log-probabilities. */
  readonly mean?: EnsembleMean;
  /** A language model of the same target vocabulary that has a say in every step (shallow fusion). */
  readonly languageModel?: FusionOptions;
}

export interface FusionOptions {
  /** The language model's folder. */
  readonly folder: string;
  /** λ in ln P_TM + λ ln P_LM, 0 or more (default: 0.1). Scores of translations are then this sum. */
  readonly weight?: number;
}

/** Model and codecs of a translator. */
export interface TranslatorParts {
  readonly source: TextCodec;
  readonly target: TextCodec;
  readonly model: ScoringModel;
  /** Frees the model. */
  dispose(): void;
}

/**
 * Loads a model folder, or several of the same tokenizers and vocabularies as an ensemble, with a language model if one
 * has a say.
 * @throws DragomanError `usage` when their vocabularies differ, `engine` when the engine is not there
 */
export async function loadModels(
  folders: string | readonly string[],
  options: LoadOptions,
): Promise<TranslatorParts> {
  const all = typeof folders === 'string' ? [folders] : folders;
  if (all.length === 0) throw new DragomanError('usage', 'expected at least one model folder, got none');
  if (options.mean !== undefined && all.length === 1) {
    throw new DragomanError('usage', 'mean: has no meaning for one model; expected several');
  }
  const { folder: fused, weight = DEFAULT_FUSION_WEIGHT } = options.languageModel ?? {};
  if (!(Number.isFinite(weight) && weight >= 0)) {
    throw new DragomanError('usage', `languageModel.weight: expected a number, 0 or more, got ${weight}`);
  }
  await startEngine(options.engine);
  const loaded: LoadedModel[] = [];
  let language: LoadedLanguageModel | null = null;
  const dispose = () => {
    for (const { model } of loaded) model.dispose();
    language?.model.dispose();
  };
  try {
    for (const folder of all) {
      loaded.push(await loadModelFolder(folder));
      requireSameText(loaded[0]!, loaded.at(-1)!);
    }
    if (fused !== undefined) {
      language = await loadLanguageModelFolder(fused);
      requireTargetText(loaded[0]!, language);
    }
  } catch (error) {
    dispose();
    throw error;
  }
  const [first] = loaded;
  const models = loaded.map(({ model }) => model);
  const alone = models.length === 1 ? models[0]! : new Ensemble(models, options.mean);
  const model = language === null ? alone : new ShallowFusion(alone, language.model, weight);
  return { source: first!.source, target: first!.target, model, dispose };
}

/** Models that decide together must read and write the same tokens. */
function requireSameText(first: LoadedModel, other: LoadedModel): void {
  for (const side of ['source', 'target'] as const) {
    const [a, b] = [first[side], other[side]];
    if (a.vocabulary.equals(b.vocabulary) && kindOf(first, side) === kindOf(other, side)) continue;
    throw new DragomanError(
      'usage',
      `${other.folder}: expected the ${side} tokenizer and vocabulary of ${first.folder} ` +
        `(${kindOf(first, side)}, ${a.vocabulary.size} entries), got others (${kindOf(other, side)}, ${b.vocabulary.size} entries)`,
    );
  }
}

/** A language model has a say in tokens: they must be those that the translation model writes. */
function requireTargetText(first: LoadedModel, language: LoadedLanguageModel): void {
  const [a, b] = [first.target.vocabulary, language.text.vocabulary];
  const [kindA, kindB] = [kindOf(first, 'target'), kindOfSpec(language.config.text.tokenizer!)];
  if (a.equals(b) && kindA === kindB) return;
  throw new DragomanError(
    'usage',
    `${language.folder}: expected the target tokenizer and vocabulary of ${first.folder} (${kindA}, ${a.size} entries), ` +
      `got others (${kindB}, ${b.size} entries); a language model trained with text.from: ${first.folder} has them`,
  );
}

function kindOf({ config }: LoadedModel, side: 'source' | 'target'): string {
  return kindOfSpec(config.text[side]);
}

function kindOfSpec(spec: TokenizerSpec): string {
  return 'lowercase' in spec && spec.lowercase ? `${spec.kind}, lowercased` : spec.kind;
}
