// Sums over vectors of any length.
#pragma once
#include <cmath>

#include "lanes.h"

namespace dragoman {
namespace {

inline float total(V value) {
  float lanes[LANES];
  store(lanes, value);
  float sum = 0;
  for (const float lane : lanes) sum += lane;
  return sum;
}

inline float dot(const float* a, const float* b, long size) {
  V sums[2] = {};
  long k = 0;
  for (; k + 2 * LANES <= size; k += 2 * LANES) {
    sums[0] += load(a + k) * load(b + k);
    sums[1] += load(a + k + LANES) * load(b + k + LANES);
  }
  for (; k < size; k += LANES) sums[0] += load(a + k, size - k) * load(b + k, size - k);
  return total(sums[0] + sums[1]);
}

inline float largestOf(const float* x, long size) {
  V most = splat(x[0]);
  long k = 0;
  for (; k + LANES <= size; k += LANES) most = larger(most, load(x + k));
  float lanes[LANES];
  store(lanes, most);
  float largest = lanes[0];
  for (const float lane : lanes) largest = lane > largest ? lane : largest;
  for (; k < size; k++) largest = x[k] > largest ? x[k] : largest;
  return largest;
}

/** Σ e^(x - largest). @param to where the terms are wanted, which may be x's own place; null if nowhere */
inline float sumOfExponentials(const float* x, long size, float largest, float* to) {
  V sum{};
  float rest = 0;
  long k = 0;
  for (; k + LANES <= size; k += LANES) {
    const V e = exponential(load(x + k) - largest);
    if (to != nullptr) store(to + k, e);
    sum += e;
  }
  for (; k < size; k++) {
    const float e = std::exp(x[k] - largest);
    if (to != nullptr) to[k] = e;
    rest += e;
  }
  return total(sum) + rest;
}

}  // namespace
}  // namespace dragoman
