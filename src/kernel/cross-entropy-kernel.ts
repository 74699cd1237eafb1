import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';

/** An output layer and what it is to predict. */
export interface Prediction {
  /** `[rows, size]` */
  readonly o: Tensor2D;
  /** V `[size, vocabulary]`, or transposed. */
  readonly matrix: Tensor2D;
  /** `[vocabulary]` */
  readonly bias: Tensor1D;
  /** int32 `[rows]` */
  readonly labels: Tensor1D;
  /** s in [0, 1) */
  readonly smoothing: number;
  /** Whether the matrix is V', as an embedding table is. */
  readonly transposed: boolean;
}

/** Loss of an output layer and its derivative on one engine. */
export interface CrossEntropyKernel {
  /**
   * @returns `values [2, rows]`: loss and -ln P(label) of each row; `gradient [rows, vocabulary]`: of each row's loss
   *   by its logits, p - s / vocabulary - (1 - s) onehot(label)
   */
  forward(prediction: Prediction): { readonly values: Tensor2D; readonly gradient: Tensor2D };
  /**
   * Scaling the rows of the narrow factors saves a pass over `[rows, vocabulary]`.
   *
   * @param gradient what `forward` gave
   * @param scale the gradient of each row's loss `[rows]`
   * @returns gradients of o, matrix and bias
   */
  backward(
    prediction: Pick<Prediction, 'o' | 'matrix' | 'transposed'>,
    gradient: Tensor2D,
    scale: Tensor1D,
  ): [Tensor2D, Tensor2D, Tensor1D];
}
