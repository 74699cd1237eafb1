// Columns side by side: what stands in the rows of a product's left factor.
#pragma once
#include <algorithm>

#include "share.h"
#include "steps.h"

namespace dragoman {
namespace {

/** A matrix of columns side by side, [rows, the sum of their widths]. Returns the sum. */
inline long join(const std::vector<Columns>& parts, long rows, float* to) {
  long depth = 0;
  for (const Columns& part : parts) depth += part.width;
  runStep(static_cast<double>(rows) * depth, rows, [&](int, long b) {
    float* place = to + b * depth;
    for (const Columns& part : parts)
      place = std::copy_n(part.from + (part.rows == nullptr ? b : part.rows[b]) * part.width, part.width, place);
  });
  return depth;
}

void joinRows(const Joining& in) { join(in.parts, in.rows, in.joined); }

}  // namespace
}  // namespace dragoman
