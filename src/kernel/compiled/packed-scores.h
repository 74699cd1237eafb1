// Log-probabilities of labels under an output layer of packed weights: logits exist for some rows at a time.
#pragma once
#include <algorithm>
#include <cmath>

#include "reductions.h"
#include "step-products.h"

namespace dragoman {
namespace {

void packedScores(const PackedScores& in) {
  const long height = std::min(in.rows, ROWS_AT_ONCE);
  Pieces pieces(StepProducts::memorySize(height, in.depth, 1) + height * in.columns);
  const StepProducts products(height, in.depth, 1, pieces);
  float* const logits = pieces.take(height * in.columns);
  for (long from = 0; from < in.rows; from += height) {
    const long rows = std::min(height, in.rows - from);
    products.linear({rows, in.depth, in.columns, false, in.x + from * in.depth, in.weights, logits});
    runStep(static_cast<double>(rows) * in.columns, rows, [&](int, long row) {
      const float* const z = logits + row * in.columns;
      const float largest = largestOf(z, in.columns);
      in.scores[from + row] = z[in.labels[from + row]] - largest -
                              std::log(sumOfExponentials(z, in.columns, largest, nullptr));
    });
  }
}

}  // namespace
}  // namespace dragoman
