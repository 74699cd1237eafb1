/** Names of everything in a model folder. */
export const MODEL_FILES = {
  /** The configuration with every default filled in; its paths are relative to the folder. */
  config: 'config.yaml',
  weights: 'weights.safetensors',
  /** Vocabularies, one token a line; absent where a SentencePiece model has its own. */
  sourceVocabulary: 'vocab.src.txt',
  targetVocabulary: 'vocab.tgt.txt',
  /** SentencePiece models, copied in. A joint one is stored once, as the source's. */
  sourceModel: 'source.model',
  targetModel: 'target.model',
  /** A language model's vocabulary and SentencePiece model. */
  textVocabulary: 'vocab.txt',
  textModel: 'text.model',
  history: 'history.jsonl',
  card: 'README.md',
  /** What a resumed training needs; may be deleted when none is planned. */
  checkpoints: 'checkpoint',
  /** Inside `checkpoints`: the last state of the training. */
  last: 'last.safetensors',
  tensorboard: 'tensorboard',
  /** There while a training is at work in the folder: which one. */
  lock: 'training.lock',
} as const;
