// The best tokens of each row of logits.
#pragma once
#include "reductions.h"
#include "share.h"
#include "steps.h"

namespace dragoman {
namespace {

/**
 * The k largest of a row, largest first and equal ones by lower id, and ln Σ exp. A block of numbers is looked at one by
 * one only where one of them is larger than the smallest of those found before.
 */
inline void bestOfRow(const float* row, long size, long k, int32_t* ids, float* values, float* normaliser) {
  constexpr long BLOCK = 4 * LANES;
  long found = 0;
  const auto take = [&](long id) {
    const float value = row[id];
    if (found == k && !(value > values[k - 1])) return;
    long to = found < k ? found++ : k - 1;
    for (; to > 0 && values[to - 1] < value; to--) {
      values[to] = values[to - 1];
      ids[to] = ids[to - 1];
    }
    values[to] = value;
    ids[to] = static_cast<int32_t>(id);
  };
  long at = 0;
  for (; at + BLOCK <= size; at += BLOCK) {
    V most = load(row + at);
    for (int part = 1; part < 4; part++) most = larger(most, load(row + at + part * LANES));
    bool any = found < k;
    if (!any) {
      const I above = most > splat(values[k - 1]);
      int32_t lanes[LANES];
      std::memcpy(lanes, &above, sizeof lanes);
      for (const int32_t lane : lanes) any = any || lane != 0;
    }
    if (any)
      for (long id = at; id < at + BLOCK; id++) take(id);
  }
  for (long id = at; id < size; id++) take(id);
  *normaliser = values[0] + std::log(sumOfExponentials(row, size, values[0], nullptr));
}

void bestStep(const BestStep& in) {
  runStep(static_cast<double>(in.rows) * in.columns, in.rows, [&](int, long b) {
    bestOfRow(in.logits + b * in.columns, in.columns, in.k, in.ids + b * in.k, in.values + b * in.k,
              in.normalisers + b);
  });
}

}  // namespace
}  // namespace dragoman
