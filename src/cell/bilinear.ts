import { matMul, mul, reshape, type Tensor2D, type Tensor3D } from '@tensorflow/tfjs-core';

/** Rank of a weight tensor that is a sum of products; enough for word embeddings. */
export const DEFAULT_RANK = 64;

/**
 * Each row's own matrix applied to the row: z_i = sum_j h_j V_ji.
 * @param h `[batch, m]`
 * @param v a matrix `[m, n]` for each row, row by row: `[batch, m * n]`
 * @returns `[batch, n]`
 */
export function applyRows(h: Tensor2D, v: Tensor2D): Tensor2D {
  const [batch, m] = h.shape;
  const n = v.shape[1] / m;
  const product = matMul(reshape(h, [batch, 1, m]) as Tensor3D, reshape(v, [batch, m, n]) as Tensor3D);
  return reshape(product, [batch, n]);
}

/** Gradients of {@link applyRows} by h and v. @param dz `[batch, n]` */
export function applyRowsGradient(dz: Tensor2D, h: Tensor2D, v: Tensor2D): { dh: Tensor2D; dv: Tensor2D } {
  const [batch, m] = h.shape;
  const n = dz.shape[1];
  const dh = matMul(reshape(v, [batch, m, n]) as Tensor3D, reshape(dz, [batch, n, 1]) as Tensor3D);
  const dv = mul(reshape(h, [batch, m, 1]), reshape(dz, [batch, 1, n]));
  return { dh: reshape(dh, [batch, m]), dv: reshape(dv, [batch, m * n]) };
}
