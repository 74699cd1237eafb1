import {
  add,
  div,
  max,
  mul,
  sub,
  sum,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  tanh,
} from '@tensorflow/tfjs-core';
import { type ParameterSpec, type Weights, weight } from '../cell/cell.js';
import type { ModelConfig } from '../config.js';
import type { EncodedArrays } from '../kernel/compiled-encoder.js';
import type { SequenceMask } from '../kernel/mask.js';
import { PackedLinear } from '../kernel/packed-matrix.js';
import { dense, denseParameters } from './dense.js';
import type { Encoded } from './encoder.js';
import { prefixed, scoped } from './parameters.js';

type Summarize = (w: Weights, encoded: Encoded, mask: SequenceMask) => Tensor2D;

/** Below every output of a bounded cell. */
const LOW = -1e9;

const KINDS: Readonly<Record<ModelConfig['summary'], Summarize>> = {
  last: (_w, { last }) => last,
  mean: (_w, { memory }, mask) => div(sum(memory, 0), mask.counts()) as Tensor2D, // padded steps are zero already
  max: (_w, { memory }, mask) => max(lowered(memory, mask), 0) as Tensor2D,
  tanh: (w, { last }) => tanh(dense(w, last)),
};

/** c `[batch, size]` in arrays. @param lengths real positions of each row */
export type ArraySummary = (encoded: EncodedArrays, lengths: Int32Array) => Float32Array;

const ARRAY_KINDS: Readonly<Record<Exclude<ModelConfig['summary'], 'tanh'>, ArraySummary>> = {
  last: ({ last }) => last,
  mean: (encoded, lengths) => {
    const sums = folded(encoded, lengths, 0, (a, b) => a + b);
    return sums.map((value, k) => value / lengths[Math.floor(k / encoded.size)]!);
  },
  max: (encoded, lengths) => folded(encoded, lengths, LOW, Math.max),
};

/** The real positions of each row put together, unit by unit. */
function folded(
  { memory, size }: EncodedArrays,
  lengths: Int32Array,
  start: number,
  join: (a: number, b: number) => number,
): Float32Array {
  const joined = new Float32Array(lengths.length * size).fill(start);
  const time = memory.length / joined.length;
  for (const [row, length] of lengths.entries()) {
    for (let t = 0; t < length; t++) {
      for (let k = 0; k < size; k++) {
        const at = row * size + k;
        joined[at] = join(joined[at]!, memory[(row * time + t) * size + k]!);
      }
    }
  }
  return joined;
}

/** Padded steps moved below everything, so that a maximum over time never takes them. */
function lowered(memory: Tensor3D, mask: SequenceMask): Tensor3D {
  return mask.full ? memory : add(memory, mul(sub(1, mask.weights()), LOW));
}

/**
 * The context summary c = q(h_1..h_S), `[batch, size]`: the last outputs of both directions joined (Sutskever et al.
 * 2014), their mean or maximum over time, or a tanh layer over the last ones (Cho et al. 2014, appendix A.1).
 */
export class Summary {
  readonly #kind: ModelConfig['summary'];
  readonly #local: readonly ParameterSpec[];
  readonly parameters: readonly ParameterSpec[];

  constructor(config: ModelConfig, size: number) {
    this.#kind = config.summary;
    this.#local = config.summary === 'tanh' ? denseParameters(size, size, { bias: true }) : [];
    this.parameters = prefixed('summary', this.#local);
  }

  /** The same for arrays. */
  ofArrays(w: Weights): ArraySummary {
    if (this.#kind !== 'tanh') return ARRAY_KINDS[this.#kind];
    const own = scoped(w, 'summary', this.#local);
    const layer = PackedLinear.of(weight(own, 'kernel'), weight<Tensor1D>(own, 'bias'));
    return ({ last }) => layer.run(last, 'tanh');
  }

  run(w: Weights, encoded: Encoded, mask: SequenceMask): Tensor2D {
    return KINDS[this.#kind](scoped(w, 'summary', this.#local), encoded, mask);
  }
}
