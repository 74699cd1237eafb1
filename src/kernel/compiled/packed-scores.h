// Log-probabilities of labels under an output layer of packed weights: no logit is kept.
#pragma once
#include <algorithm>
#include <cmath>

#include "reductions.h"
#include "step-products.h"

namespace dragoman {
namespace {

/** Panels that one sum of exponentials runs over: so many whatever the number of threads, for the same result with any. */
constexpr long PANELS_A_SUM = 8;
/** Below every logit, yet far from what has no end. */
constexpr float NO_LOGIT = -1e30f;

/** Σ e^x of many vectors, lane by lane, over the largest that has come (Milakov and Gimelshein 2018, algorithm 3). */
class RunningSum {
 public:
  /** Floats that one takes. */
  static constexpr long SIZE = 2 * LANES;

  explicit RunningSum(float* place) : place_(place) {}

  void begin() const {
    store(place_, splat(NO_LOGIT));
    store(place_ + LANES, V{});
  }

  void add(V first, V second) const {
    const V before = load(place_);
    const V largest = larger(before, larger(first, second));
    store(place_, largest);
    store(place_ + LANES, load(place_ + LANES) * exponential(before - largest) + exponential(first - largest) +
                              exponential(second - largest));
  }

  /** ln Σ e^x of the lanes of `count` sums that stand `stride` floats apart. */
  static float logarithm(const float* sums, long count, long stride) {
    V most = load(sums);
    for (long k = 1; k < count; k++) most = larger(most, load(sums + k * stride));
    float lanes[LANES];
    store(lanes, most);
    const float largest = *std::max_element(lanes, lanes + LANES);
    V sum{};
    for (long k = 0; k < count; k++) sum += load(sums + k * stride + LANES) * exponential(load(sums + k * stride) - largest);
    return largest + std::log(total(sum));
  }

 private:
  float* const place_;
};

void packedScores(const PackedScores& in) {
  const long height = std::min(in.rows, ROWS_AT_ONCE);
  const long panels = panelsOf(in.columns);
  const long groups = (panels + PANELS_A_SUM - 1) / PANELS_A_SUM;
  const long stride = height * RunningSum::SIZE;
  Pieces pieces(StepProducts::memorySize(height, in.depth, 1) + groups * stride);
  const StepProducts products(height, in.depth, 1, pieces);
  float* const sums = pieces.take(groups * stride);
  for (long from = 0; from < in.rows; from += height) {
    const long rows = std::min(height, in.rows - from);
    products.runTogether(PANELS_A_SUM, rows, in.x + from * in.depth, in.depth, in.weights.panels, 1, in.columns,
                         [&](long p, const float* z) {
      float* const own = sums + p / PANELS_A_SUM * stride;
      for (long row = 0; row < rows; row++) {
        const RunningSum sum(own + row * RunningSum::SIZE);
        if (p % PANELS_A_SUM == 0) sum.begin();
        V logits[2] = {splat(NO_LOGIT), splat(NO_LOGIT)};  // behind the last column
        eachVector(p, in.columns, [&](long offset, long column, long count) {
          const V own = load(z + row * PANEL + offset) + load(in.weights.bias + column, count);
          logits[offset / LANES] = count < LANES ? firstOf(own, splat(NO_LOGIT), count) : own;
          const long label = in.labels[from + row] - column;
          if (label >= 0 && label < count) in.scores[from + row] = z[row * PANEL + offset + label] + in.weights.bias[column + label];
        });
        sum.add(logits[0], logits[1]);
      }
    });
    runStep(static_cast<double>(rows) * groups * RunningSum::SIZE, rows, [&](int, long row) {
      in.scores[from + row] -= RunningSum::logarithm(sums + row * RunningSum::SIZE, groups, stride);
    });
  }
}

}  // namespace
}  // namespace dragoman
