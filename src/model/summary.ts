import { add, div, max, mul, sub, sum, type Tensor2D, type Tensor3D, tanh } from '@tensorflow/tfjs-core';
import type { ParameterSpec, Weights } from '../cell/cell.js';
import type { ModelConfig } from '../config.js';
import type { SequenceMask } from '../kernel/mask.js';
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

  run(w: Weights, encoded: Encoded, mask: SequenceMask): Tensor2D {
    return KINDS[this.#kind](scoped(w, 'summary', this.#local), encoded, mask);
  }
}
