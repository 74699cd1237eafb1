// What the kernels of all layers have in common.
#pragma once
#include <algorithm>

#include "lanes.h"
#include "layers.h"
#include "team.h"

namespace dragoman {
namespace {

/** Multiplications of a layer from which to wake other threads takes less time than they save. */
constexpr double SHARED_WORK = 4e6;

inline double workOf(const Layer& layer, int gates) {
  return static_cast<double>(layer.time) * layer.batch * layer.hidden * layer.hidden * gates;
}

/** Runs the work of a layer with as many threads as it is worth. */
template <typename Work>
void runLayer(const Layer& layer, int gates, const Work& work) {
  workOf(layer, gates) < SHARED_WORK ? alone(work) : together(work);
}

/** Columns `unit` to `unit + width` of a matrix [rows, hidden] to the same place of another; of null, zeros. */
inline void copyColumns(const float* from, float* to, long rows, long hidden, long unit, long width) {
  for (long b = 0; b < rows; b++) {
    const long at = b * hidden + unit;
    if (from == nullptr)
      std::fill_n(to + at, width, 0.0f);
    else
      std::copy_n(from + at, width, to + at);
  }
}

/** The step that real step t of row b comes after; -1 for the row's first. */
inline long previousStep(const Layer& layer, long b, long t) {
  if (!layer.backward) return t - 1;
  return t + 1 < layer.lengths[b] ? t + 1 : -1;
}

}  // namespace
}  // namespace dragoman
