// The output layer's softmax with what is wanted of it: loss and gradient, or the label's probability alone.
#pragma once
#include <limits>
#include <vector>

#include "layer-steps.h"
#include "reductions.h"
#include "share.h"

namespace dragoman {
namespace {

/** A row's logits as numbers. */
struct RowOfLogits {
  float largest;
  float sum;
};

/** z = products + bias. */
inline RowOfLogits addBias(const float* products, const float* bias, long size, float* z) {
  V most = splat(-std::numeric_limits<float>::infinity());
  V sum{};
  long k = 0;
  for (; k + LANES <= size; k += LANES) {
    const V value = load(products + k) + load(bias + k);
    store(z + k, value);
    most = larger(most, value);
    sum += value;
  }
  float lanes[LANES];
  store(lanes, most);
  RowOfLogits row{*std::max_element(lanes, lanes + LANES), total(sum)};
  for (; k < size; k++) {
    z[k] = products[k] + bias[k];
    row.largest = std::max(row.largest, z[k]);
    row.sum += z[k];
  }
  return row;
}

/** Logits that exist at a time: what is written of them is read again before it has left the last cache. */
constexpr long LOGITS_AT_ONCE = 4 << 20;
/** Parts of the rows whose gradients by the bias are summed one after the other, however many threads there are. */
constexpr long GROUPS = 8;

/** ln p(label), and the loss with a smoothed label. */
struct RowLoss {
  float loss;
  float logLikelihood;
};

/**
 * With p = softmax(z) and lse = ln Σ exp z_j,
 *
 *     loss = (1 - s) (lse - z_y) + s (lse - mean z),  dloss/dz = p - s / columns - (1 - s) onehot(y)
 *
 * @param z products of the row; becomes the gradient, times `weight`
 */
inline RowLoss lossOfRow(const MeanLoss& in, int32_t label, float weight, float* z) {
  const RowOfLogits row = addBias(z, in.bias, in.columns, z);
  const float chosen = z[label];
  const float sum = sumOfExponentials(z, in.columns, row.largest, z);
  const float normaliser = row.largest + std::log(sum);
  const float scale = weight / sum;
  const float uniform = weight * in.smoothing / static_cast<float>(in.columns);
  for (long k = 0; k < in.columns; k += LANES) {
    const long count = std::min<long>(LANES, in.columns - k);
    store(z + k, load(z + k, count) * scale - uniform, count);
  }
  z[label] -= weight * (1 - in.smoothing);
  const float mean = row.sum / static_cast<float>(in.columns);
  return {(1 - in.smoothing) * (normaliser - chosen) + in.smoothing * (normaliser - mean), chosen - normaliser};
}

/** Output layer, loss and all gradients: logits exist for some rows at a time. */
void meanLoss(const MeanLoss& in) {
  const long chunks = (in.rows * in.columns + LOGITS_AT_ONCE - 1) / LOGITS_AT_ONCE;
  const long height = std::min(in.rows, ((in.rows + chunks - 1) / chunks + TILE - 1) / TILE * TILE);
  Pieces pieces(height * in.columns + GROUPS * in.columns + threadCount() * PRODUCT_SCRATCH);
  float* const logits = pieces.take(height * in.columns);
  float* const byBias = pieces.take(GROUPS * in.columns);
  float* const memory = pieces.take(threadCount() * PRODUCT_SCRATCH);
  std::vector<RowLoss> losses(in.rows);
  const Factor matrix = in.transposed ? transposed(in.matrix, in.size) : plain(in.matrix, in.columns);
  const Factor turned = in.transposed ? plain(in.matrix, in.size) : transposed(in.matrix, in.columns);
  const float weight = 1 / static_cast<float>(in.rows);

  const auto work = [&](const Member& member) {
    for (long group = member.from(GROUPS); group < member.to(GROUPS); group++)
      std::fill_n(byBias + group * in.columns, in.columns, 0.0f);
    for (long from = 0; from < in.rows; from += height) {
      const long rows = std::min(height, in.rows - from);
      const float* const o = in.o + from * in.size;
      largeProduct(member, rows, in.columns, in.size, plain(o, in.size), matrix, {logits, in.columns}, memory);
      member.meet();
      for (long group = member.from(GROUPS); group < member.to(GROUPS); group++) {
        float* const sums = byBias + group * in.columns;
        for (long row = rows * group / GROUPS; row < rows * (group + 1) / GROUPS; row++) {
          float* const z = logits + row * in.columns;
          losses[from + row] = lossOfRow(in, in.labels[from + row], weight, z);
          for (long k = 0; k < in.columns; k += LANES) {
            const long count = std::min<long>(LANES, in.columns - k);
            store(sums + k, load(sums + k, count) + load(z + k, count), count);
          }
        }
      }
      member.meet();
      const Factor dz = plain(logits, in.columns);
      largeProduct(member, rows, in.size, in.columns, dz, turned, {in.dO + from * in.size, in.size}, memory);
      if (in.transposed)
        largeProduct(member, in.columns, in.size, rows, transposed(logits, in.columns), plain(o, in.size),
                     {in.dMatrix, in.size, from > 0}, memory);
      else
        largeProduct(member, in.size, in.columns, rows, transposed(o, in.size), dz,
                     {in.dMatrix, in.columns, from > 0}, memory);
      member.meet();
    }
    for (long k = member.from(in.columns); k < member.to(in.columns); k++) {
      in.dBias[k] = 0;
      for (long group = 0; group < GROUPS; group++) in.dBias[k] += byBias[group * in.columns + k];
    }
  };
  runShared(3.0 * in.rows * in.size * in.columns, work);

  double loss = 0;
  double logLikelihood = 0;
  for (const RowLoss& row : losses) {
    loss += row.loss;
    logLikelihood += row.logLikelihood;
  }
  in.losses[0] = static_cast<float>(loss / in.rows);
  in.losses[1] = static_cast<float>(logLikelihood);
}

/** ln p of the labels. */
void labelScores(const LabelScores& in) {
  Pieces pieces(threadCount() * in.columns);
  float* const rows = pieces.take(threadCount() * in.columns);
  runStep(static_cast<double>(in.rows) * in.columns, in.rows, [&](int thread, long b) {
    float* const z = rows + thread * in.columns;
    const RowOfLogits row = addBias(in.products + b * in.columns, in.bias, in.columns, z);
    in.scores[b] = z[in.labels[b]] - row.largest - std::log(sumOfExponentials(z, in.columns, row.largest, nullptr));
  });
}

}  // namespace
}  // namespace dragoman
