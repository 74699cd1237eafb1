// The output layer's softmax with what is wanted of it: loss and gradient, or the label's probability alone.
#pragma once
#include <cmath>
#include <limits>

#include "step.h"

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

/**
 * With p = softmax(z) and lse = ln Σ exp z_j,
 *
 *     loss = (1 - s) (lse - z_y) + s (lse - mean z),  dloss/dz = p - s / columns - (1 - s) onehot(y)
 */
void crossEntropy(const CrossEntropy& in) {
  const float uniform = in.smoothing / static_cast<float>(in.columns);
  runStep(static_cast<double>(in.rows) * in.columns, in.rows, [&](int, long b) {
    float* const z = in.gradient + b * in.columns;
    const RowOfLogits row = addBias(in.products + b * in.columns, in.bias, in.columns, z);
    const float chosen = z[in.labels[b]];
    const float sum = sumOfExponentials(z, in.columns, row.largest, z);
    const float normaliser = row.largest + std::log(sum);
    in.negativeLogLikelihood[b] = normaliser - chosen;
    in.loss[b] = (1 - in.smoothing) * (normaliser - chosen) +
                 in.smoothing * (normaliser - row.sum / static_cast<float>(in.columns));
    const float scale = 1 / sum;
    for (long k = 0; k < in.columns; k += LANES) {
      const long count = std::min<long>(LANES, in.columns - k);
      store(z + k, load(z + k, count) * scale - uniform, count);
    }
    z[in.labels[b]] -= 1 - in.smoothing;
  });
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
