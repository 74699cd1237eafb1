// The public interface of Dragoman, in the order of the data: configuration, engine, text, model, training,
// search, metrics. Everything else is internal and may change.

// The recurrent family measured, and the classical networks that stand on their own
export {
  type FamilyOptions,
  type FamilyResult,
  type FamilyRow,
  type FamilyWatch,
  type Figure,
  runFamilyTask,
} from './bench/family.js';
export { FAMILY_TASK_NAMES, type FamilyTaskName } from './bench/family-names.js';
export { familyReport } from './bench/family-report.js';
// Model
export type {
  BackwardStep,
  Cell,
  Initializer,
  ParameterSpec,
  State,
  Step,
  StepGradients,
  StepResult,
  StepTaken,
  WeightGradients,
  Weights,
} from './cell/cell.js';
export { createCell } from './cell/family.js';
export {
  AssociativeMemory,
  LEARNING_RULES,
  type LearningRule,
  type Recall,
} from './classic/associative-memory.js';
export { EchoStateNetwork, type EchoStateOptions, type EchoStateTraining } from './classic/echo-state.js';
export {
  type MemoryCapacity,
  type MemoryCapacityOptions,
  memoryCapacity,
} from './classic/memory-capacity.js';
export {
  ModernHopfield,
  type ModernHopfieldOptions,
  type Retrieval,
  type RetrievalOptions,
} from './classic/modern-hopfield.js';
export { type RegressionRows, ridge } from './classic/ridge.js';
// Configuration
export {
  type AnyConfig,
  type AnyConfigInput,
  type AttentionSpec,
  CELL_KINDS,
  type CellInput,
  type CellKind,
  type CellOptions,
  type Config,
  type ConfigInput,
  type CorpusSpec,
  configToYaml,
  type LanguageModelConfig,
  type LanguageModelConfigInput,
  loadConfig,
  type ModelConfig,
  type OptimizerSpec,
  parseConfig,
  resolveConfig,
  type ScheduleSpec,
  type TextCorpusSpec,
  type TokenizerKind,
  type TokenizerSpec,
  type TrainConfig,
  type VocabularySpec,
} from './config.js';
// Engine
export { currentEngine, type EngineInfo, type EngineName, startEngine } from './engine/engine.js';
export { DragomanError, type ErrorCode } from './errors.js';
export {
  type AccuracyOptions,
  type AccuracyScore,
  accuracy,
  accuracyMetric,
  formatAccuracy,
} from './metrics/accuracy.js';
// Metrics
export {
  type BleuOptions,
  type BleuScore,
  type BleuSmoothing,
  bleu,
  bleuMetric,
  formatBleu,
  sentenceBleu,
} from './metrics/bleu.js';
export type { BleuTokenizer } from './metrics/bleu-tokenizer.js';
export {
  approximateRandomization,
  type BootstrapComparison,
  type BootstrapOptions,
  bootstrap,
  type Confidence,
  type PairedComparison,
  pairedBootstrap,
  type RandomizationOptions,
  type ScoreOf,
} from './metrics/bootstrap.js';
export { type LengthClass, lengthClasses } from './metrics/by-length.js';
export {
  type ChrfOptions,
  type ChrfScore,
  chrf,
  chrfMetric,
  formatChrf,
  sentenceChrf,
} from './metrics/chrf.js';
export {
  type ErrorRateOptions,
  type ErrorRateScore,
  errorRate,
  errorRateMetric,
  formatErrorRate,
  formatG2p,
  type G2pScore,
  g2pErrorRate,
  g2pMetric,
} from './metrics/error-rate.js';
export type { FormatOptions } from './metrics/format.js';
export {
  type CorpusStatistics,
  corpusStatistics,
  type Metric,
  type MetricScore,
  type MetricStatistics,
  signatureOf,
  sumStatistics,
} from './metrics/metric.js';
export type { References } from './metrics/references.js';
export type { SignatureField } from './metrics/signature.js';
export { formatTer, sentenceTer, type TerOptions, type TerScore, ter, terMetric } from './metrics/ter.js';
export type { MetricUnit } from './metrics/units.js';
export { type LoadedModel, loadModelFolder, saveModelFolder } from './model/folder.js';
export { LanguageModel } from './model/language-model.js';
export {
  type LoadedLanguageModel,
  loadLanguageModelFolder,
  saveLanguageModelFolder,
} from './model/language-model-folder.js';
export { ParameterStore } from './model/parameters.js';
export {
  decodeSafetensors,
  encodeSafetensors,
  type SafetensorsContent,
  type StoredTensor,
} from './model/safetensors.js';
export { Seq2Seq } from './model/seq2seq.js';
export { Random, type RandomState } from './random.js';
export type { EnsembleMean } from './search/ensemble.js';
export {
  languageModelFeature,
  languageModelFeatures,
  lengthFeature,
  type ModelScores,
  modelFeature,
  modelFeatures,
  reverseFeature,
  reverseFeatures,
  wordsFeature,
} from './search/features.js';
export {
  pharaoh,
  type TranslationFormatName,
  type TranslationFormatter,
  translationFormatter,
} from './search/format.js';
export type { FusionOptions, LoadOptions, TranslatorParts } from './search/load-models.js';
export { type MbrOptions, minimumBayesRisk } from './search/mbr.js';
export type { MertRun } from './search/mert.js';
export {
  type EntryRest,
  type Features,
  type NBestEntry,
  type NBestFormat,
  type NBestFormatName,
  type NBestLine,
  type NBestList,
  type NBestReadOptions,
  nbestFormat,
  nbestFormatOf,
  readNBest,
  type SentenceRest,
  type SourcedList,
  withSources,
} from './search/nbest.js';
export type { SamplingOptions, SearchOptions } from './search/options.js';
export {
  defaultWeights,
  type FeatureFunction,
  featureStream,
  GIVEN_TOTAL,
  reorder,
  rerank,
  rerankStream,
} from './search/rerank.js';
export {
  objectiveOf,
  RerankEvaluation,
  type RerankReport,
} from './search/rerank-report.js';
export type { PairScore } from './search/scored-stream.js';
export { ScoreSummary, type ScoringModel } from './search/scorer.js';
export { ShallowFusion } from './search/shallow-fusion.js';
export type { DecodeState, StepModel } from './search/step-model.js';
export { TextScorer, type TextScorerParts } from './search/text-scorer.js';
// Search: translating, scoring, reranking
export {
  type TextPair,
  type TranslatedHypothesis,
  type TranslateOptions,
  type Translation,
  Translator,
} from './search/translator.js';
export { type TuneOptions, type TuneResult, tune } from './search/tune.js';
export { parseWeights, type Weights as FeatureWeights } from './search/weights.js';
export {
  formatWeightsFile,
  parseWeightsFile,
  readWeightsFile,
  type WeightsFile,
} from './search/weights-file.js';
// Subwords: SentencePiece models
export {
  type ModelType,
  type NormalizerSpec,
  normalizerSpec,
  PIECE_TYPES,
  type Piece,
  type PieceType,
  type SubwordModel,
  type TrainerSpec,
  trainerSpec,
} from './subword/model.js';
export { readSubwordModel, subwordVocabText, writeSubwordModel } from './subword/model-file.js';
export {
  NORMALIZATION_NAMES,
  type NormalizationName,
  normalizationCharsmap,
} from './subword/normalization-rules.js';
export { Normalizer, type NormalizerOptions } from './subword/normalizer.js';
export { type ScoredPieces, SubwordProcessor } from './subword/processor.js';
export { type SubwordTrainingEvents, trainSubwordModel } from './subword/train.js';
export type { SubwordTrainingInput, SubwordTrainingOptions } from './subword/training-options.js';
// Generated tasks
export { type AddingProblem, addingProblem } from './task/adding-problem.js';
export { type MackeyGlassOptions, mackeyGlass } from './task/mackey-glass.js';
export { flipped, overlap, randomPattern } from './task/patterns.js';
export { embeddedReberString, type GrammarString, REBER_SYMBOLS, reberString } from './task/reber.js';
export {
  type LabelledString,
  labelPrefixes,
  TOMITA,
  type TomitaGrammar,
  TomitaSampler,
} from './task/tomita.js';
export { TRANSDUCTIONS, type Transduction, transductionPair } from './task/transduction.js';
export {
  type Batch,
  type BatchSpec,
  collate,
  makeBatches,
  type PaddedIds,
  padIds,
  type Sentences,
} from './text/batch.js';
export { buildCodecs, buildTextCodec, type Codecs, TextCodec } from './text/codec.js';
// Text
export { readLines, readPairs, readTexts, type SentencePair, type TextLine } from './text/corpus.js';
export { type Dropped, EncodedCorpus, type EncodeOptions, encodeCorpus } from './text/encoded.js';
export { createTokenizer, type Tokenizer } from './text/tokenizer.js';
export { BOS, EOS, PAD, SPECIALS, UNK, Vocabulary } from './text/vocabulary.js';
export type { Progress, TrainingEvents, TranslatedSentence, ValidationReport } from './train/events.js';
export type { StopReason } from './train/limits.js';
// Training
export { type TrainOptions, type TrainResult, train } from './train/train.js';
export type { TrainOutcome } from './train/trainer.js';
export type { Score } from './train/weight-keeper.js';
export { VERSION } from './version.js';
// Pictures of how the members are wired
export { wiringPictures } from './wiring/pictures.js';
