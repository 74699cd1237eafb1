import { add, matMul, type Tensor1D, type Tensor2D, transpose } from '@tensorflow/tfjs-core';
import { crossEntropy } from '../kernel/cross-entropy.js';
import { labelScores } from '../kernel/label-scores.js';
import { type MeanLoss, meanLoss } from '../kernel/mean-loss.js';
import type { StepParts } from '../kernel/step-parts.js';
import { Derived } from './derived.js';
import type { ParameterSpec, Weights } from './parameters.js';

/** The output layer: P(token) = softmax(V o + b), where V may be an embedding table (Press & Wolf 2017). */
export class OutputLayer {
  /** The tied table as an output matrix: a product with a transposed factor takes twice to ten times as long. */
  readonly #transposedTable = new Derived((table) => transpose(table as Tensor2D));
  /** `output.bias` and, if V is no embedding table, `output.kernel`. */
  readonly parameters: readonly ParameterSpec[];

  /**
   * @param size of o
   * @param vocabulary entries
   * @param table the embedding table `[vocabulary, size]` that V is; null if V is a matrix of its own
   */
  constructor(
    size: number,
    vocabulary: number,
    private readonly table: string | null,
  ) {
    const bias: ParameterSpec = {
      name: 'output.bias',
      shape: [vocabulary],
      initializer: { kind: 'zeros' },
      trainable: true,
    };
    const kernel: ParameterSpec = {
      name: 'output.kernel',
      shape: [size, vocabulary],
      initializer: { kind: 'uniform', limit: 1 / Math.sqrt(size) },
      trainable: true,
    };
    this.parameters = table === null ? [bias, kernel] : [bias];
  }

  /** Mean loss with smoothed labels, to be differentiated. @param o `[rows, size]`; @param labels int32 `[rows]` */
  meanLoss(w: Weights, o: Tensor2D, labels: Tensor1D, smoothing: number): MeanLoss {
    return meanLoss({ ...this.parts(w), o, labels, smoothing });
  }

  /** -ln P of each row's label, to be differentiated. @param o `[rows, size]`; @param labels int32 `[rows]` */
  losses(w: Weights, o: Tensor2D, labels: Tensor1D): Tensor1D {
    return crossEntropy({ ...this.parts(w), o, labels, smoothing: 0 }).loss;
  }

  /** ln P of each label, read back; nothing is differentiated. @param labels `[rows]` */
  labelScores(w: Weights, o: Tensor2D, labels: Int32Array): Float32Array {
    return labelScores(o, this.#matrix(w), w['output.bias'] as Tensor1D, labels);
  }

  /** Logits `[rows, vocabulary]`; nothing is differentiated. @param o `[rows, size]` */
  logits(w: Weights, o: Tensor2D): Tensor2D {
    return add(matMul(o, this.#matrix(w)), w['output.bias'] as Tensor1D);
  }

  /** Its parameters laid open, for a kernel that runs a whole step. */
  parts(w: Weights): StepParts['output'] {
    const matrix = w[this.table ?? 'output.kernel'] as Tensor2D;
    return { matrix, transposed: this.table !== null, bias: w['output.bias'] as Tensor1D };
  }

  /** Frees what is kept of the weights; to be called before they change, and at the end. */
  forget(): void {
    this.#transposedTable.forget();
  }

  /** V where nothing is differentiated, `[size, vocabulary]`. */
  #matrix(w: Weights): Tensor2D {
    return this.table === null ? (w['output.kernel'] as Tensor2D) : this.#transposedTable.of(w[this.table]!);
  }
}
