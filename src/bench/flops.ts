// Floating-point operations by formula: a matrix product [m, k] [k, n] has 2 m k n; what is done element by element
// (gates, softmax, Adam) is left out, so a rate in these operations is a lower bound of what the processor did.

/** Gates of a cell: how many matrices of its size it multiplies with. */
export const GATES = { lstm: 4, gru: 3 } as const;

/** `[m, k] [k, n]`. */
export function productFlops(m: number, k: number, n: number): number {
  return 2 * m * k * n;
}

/** One recurrent layer forward: input and recurrent product of every gate. */
export function layerFlops(
  cell: keyof typeof GATES,
  shape: readonly [time: number, batch: number, input: number, hidden: number],
): number {
  const [time, batch, input, hidden] = shape;
  return productFlops(time * batch, input + hidden, GATES[cell] * hidden);
}

/** A backward pass has two products for each of the forward pass: by the input and by the weights. */
export const BACKWARD = 2;

/** Sizes of a one-layer bidirectional LSTM encoder and LSTM decoder with attention, as docs/model-format.md names them. */
export interface ModelSizes {
  readonly embedding: number;
  readonly hidden: number;
  readonly decoder: number;
  readonly output: number;
  readonly targetSize: number;
  readonly attention: 'general' | 'additive';
  readonly inputFeeding: boolean;
}

/**
 * The model forward on one sentence pair, teacher-forced.
 * @param source tokens, EOS counted; @param target tokens, EOS counted
 */
export function sentenceFlops(sizes: ModelSizes, source: number, target: number): number {
  const { embedding, hidden, decoder, output, targetSize, attention, inputFeeding } = sizes;
  const memory = 2 * hidden;
  const encoder = 2 * layerFlops('lstm', [source, 1, embedding, hidden]);
  const bridge = 2 * productFlops(1, memory, decoder);
  const keys = productFlops(source, memory, decoder);
  const fed = inputFeeding ? output : 0;
  const recurrent = layerFlops('lstm', [target, 1, embedding + fed, decoder]);
  const query = attention === 'additive' ? productFlops(target, decoder, decoder) : 0;
  const attended = productFlops(target, decoder, source) + productFlops(target, source, memory);
  const readout = productFlops(target, decoder + memory, output);
  const logits = productFlops(target, output, targetSize);
  return encoder + bridge + keys + recurrent + query + attended + readout + logits;
}
