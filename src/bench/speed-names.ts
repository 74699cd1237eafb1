/** What the speed benchmark measures, in the order of its table. Beside no engine: the command line shows them in its help. */
export const SPEED_ROWS = {
  product: 'large matrix products, the rate that the others are held against',
  layer: 'one LSTM or GRU layer, forward and backward',
  'training-step': 'a whole training step of a translation model of 11.6 million parameters',
  'per-step': 'the same with input feeding and additive attention',
  addition: 'a training step of the binary addition, with its batch',
  adam: 'Adam over 10 million parameters',
  decoding: 'greedy and beam search, in batches and one by one',
  score: 'log-probabilities of given translations',
  wasm: 'a training step in WebAssembly, beside the same as single operations',
  corpus: 'a corpus read, cut into subwords and batched, beside the training that consumes it',
  start: 'from the start of `dragoman translate` to the first translation',
} as const;

export type SpeedRow = keyof typeof SPEED_ROWS;

export const SPEED_ROW_NAMES = Object.keys(SPEED_ROWS) as SpeedRow[];
