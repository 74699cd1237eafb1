// Attention of one decoder step.
#pragma once
#include <limits>

#include "factors.h"
#include "reductions.h"
#include "share.h"
#include "steps.h"

namespace dragoman {
namespace {

/** v · tanh(query + key) */
inline float additiveScore(const float* query, const float* key, const float* vector, long size) {
  V sum{};
  for (long k = 0; k < size; k += LANES) {
    const long count = size - k;
    sum += load(vector + k, count) * hyperbolicTangent(load(query + k, count) + load(key + k, count));
  }
  return total(sum);
}

/** weights = softmax(scores + bias), context = weights memory. @param queries [rows, query]; @param context [rows, memorySize] */
void attendStep(const StepAttention& in, long rows, const float* queries, float* contexts) {
  const double cost = in.scoring == Scoring::additive ? 20 : 1;
  runStep(cost * rows * in.length * (in.query + in.memorySize), rows, [&](int, long row) {
    const long b = in.sources[row];
    const float* const query = queries + row * in.query;
    float* const weights = in.weights + row * in.length;
    float largest = -std::numeric_limits<float>::infinity();
    for (long t = 0; t < in.length; t++) {
      const float* const key = in.keys + (b * in.length + t) * in.query;
      const float score = in.scoring == Scoring::additive ? additiveScore(query, key, in.vector, in.query)
                                                          : dot(query, key, in.query);
      weights[t] = score + in.bias[b * in.length + t];
      largest = std::max(largest, weights[t]);
    }
    const float sum = sumOfExponentials(weights, in.length, largest, weights);
    for (long t = 0; t < in.length; t++) weights[t] /= sum;
    float* const context = contexts + row * in.memorySize;
    for (long k = 0; k < in.memorySize; k += LANES) {
      const long count = std::min<long>(LANES, in.memorySize - k);
      V value{};
      for (long t = 0; t < in.length; t++)
        value += weights[t] * load(in.memory + (b * in.length + t) * in.memorySize + k, count);
      store(context + k, value, count);
    }
  });
}

void attend(const Attending& in) { attendStep(in.attention, in.rows, in.queries, in.contexts); }

}  // namespace
}  // namespace dragoman
