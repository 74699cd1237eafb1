import type { AnyConfig } from '../config.js';
import { DragomanError } from '../errors.js';
import type { ParameterStore } from '../model/parameters.js';
import { SentencePieceTokenizer } from '../text/sentencepiece.js';
import type { Tokenizer } from '../text/tokenizer.js';
import type { ReadingEvents } from '../text/trained-tokenizer.js';
import type { ModelDescription } from './model-card.js';
import type { TrainableModel } from './trainable.js';
import type { ReadingOptions, TrainingData } from './training-data.js';
import type { TranslateSample } from './validation.js';

/** A model that a training makes, and frees at its end. */
export type TaskModel = TrainableModel & { readonly parameters: ParameterStore; dispose(): void };

/**
 * What differs between the kinds of models that can be trained: how text becomes ids, what is read, what network
 * learns it, and what its folder says. All else of a training is the same.
 *
 * @typeParam Texts tokenizers and vocabularies
 */
export interface TrainingTask<Texts, Model extends TaskModel> {
  readonly config: AnyConfig;
  /** Makes or loads what the configuration asks for. */
  buildTexts(events: ReadingEvents): Promise<Texts>;
  /** Those that the folder's training began with. Throws `config` where the configuration names others now. */
  reopenTexts(folder: string): Promise<Texts>;
  tokenizers(texts: Texts): readonly Tokenizer[];
  readData(texts: Texts, options: ReadingOptions): Promise<TrainingData>;
  /** Writes config.yaml and, if `texts` are new, the texts. Returns the configuration as written. */
  save(folder: string, texts: Texts, isNew: boolean): Promise<AnyConfig>;
  createModel(texts: Texts): Model;
  /** Translates the sample at each validation; undefined where nothing is translated. */
  sampleTranslator(model: Model, texts: Texts, sample: TrainingData['sample']): TranslateSample | undefined;
  /** For the model card. */
  describe(texts: Texts): ModelDescription;
}

/**
 * Refuses to go on with another SentencePiece model than the training began with.
 *
 * @param key of the configuration that names it, such as `text.source.model`
 * @param named what it names now
 * @throws DragomanError `config`
 */
export function requireSameModel(
  folder: string,
  key: string,
  named: string,
  now: Tokenizer,
  before: Tokenizer,
): void {
  if (!(now instanceof SentencePieceTokenizer) || !(before instanceof SentencePieceTokenizer)) return;
  if (Buffer.compare(now.bytes, before.bytes) === 0) return;
  throw new DragomanError(
    'config',
    `${folder}: cannot go on with another vocabulary: ${key}, ${named}, is not the model it began with`,
  );
}
