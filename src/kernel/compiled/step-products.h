// Products of a few rows with packed weights.
#pragma once
#include "packed-rows.h"
#include "pieces.h"
#include "share.h"
#include "steps.h"

namespace dragoman {
namespace {

long packedSize(long depth, long groups, long columns) { return panelsOf(columns) * groups * panelSize(depth); }

/** Panels of a matrix; those of the same columns of every group stand together. */
void packPanels(const Packing& in) {
  const long panels = panelsOf(in.columns);
  runStep(static_cast<double>(in.depth) * in.groups * in.columns, panels, [&](int, long p) {
    for (long group = 0; group < in.groups; group++) {
      const Factor whole = in.transposed ? transposed(in.matrix, in.stride) : plain(in.matrix, in.stride);
      pack(whole.from(0, group * in.columns + p * PANEL), widthOf(p, in.columns), in.depth,
           in.panels + (p * in.groups + group) * panelSize(in.depth));
    }
  });
}

/** Products of the same rows, one after another, in the same memory. */
class StepProducts {
 public:
  /** @param depth of the deepest; @param groups of the one that has most */
  static long memorySize(long rows, long depth, long groups) {
    return rowsSize(rows, depth) + threadCount() * groups * rows * PANEL;
  }

  StepProducts(long rows, long depth, long groups, Pieces& pieces)
      : rows_(rows),
        sumsSize_(groups * rows * PANEL),
        packed_(pieces.take(rowsSize(rows, depth))),
        sums_(pieces.take(threadCount() * sumsSize_)) {}

  /**
   * Multiplies and hands on what comes out, panel by panel.
   * @param rows not more than there is memory for
   * @param x [rows, depth]
   * @param each takes a panel's number and its sums [groups, rows, PANEL]
   */
  template <typename Each>
  void run(long rows, const float* x, long depth, const float* panels, long groups, long columns,
           const Each& each) const {
    runTogether(1, rows, x, depth, panels, groups, columns, each);
  }

  /** The same, with so many neighbouring panels handed to one thread, in their order. */
  template <typename Each>
  void runTogether(long together, long rows, const float* x, long depth, const float* panels, long groups, long columns,
                   const Each& each) const {
    const PackedRows packed(rows, depth, packed_);
    runStep(static_cast<double>(rows) * depth, packed.tiles(),
            [&](int, long tile) { packed.packTile(tile, plain(x, depth)); });
    const long count = panelsOf(columns);
    const double multiplications = static_cast<double>(rows) * depth * groups * columns;
    runStep(multiplications, (count + together - 1) / together, [&](int thread, long piece) {
      [[maybe_unused]] const Registers registers;
      float* const sums = sums_ + thread * sumsSize_;
      for (long p = piece * together; p < std::min(count, (piece + 1) * together); p++) {
        for (long group = 0; group < groups; group++)
          packed.multiply(panels + (p * groups + group) * panelSize(depth), sums + group * rows * PANEL);
        each(p, sums);
      }
    });
  }

  /** @param in may have more rows than this has memory for: they are taken part by part */
  void linear(const LinearStep& in) const {
    for (long from = 0; from < in.rows; from += rows_) {
      const long rows = std::min(rows_, in.rows - from);
      float* const y = in.y + from * in.columns;
      run(rows, in.x + from * in.depth, in.depth, in.weights.panels, 1, in.columns, [&](long p, const float* sums) {
        for (long b = 0; b < rows; b++) {
          eachVector(p, in.columns, [&](long offset, long column, long count) {
            const V z = load(sums + b * PANEL + offset) + load(in.weights.bias + column, count);
            store(y + b * in.columns + column, in.tanh ? hyperbolicTangent(z) : z, count);
          });
        }
      });
    }
  }

 private:
  const long rows_;
  const long sumsSize_;
  float* const packed_;
  float* const sums_;
};

/** Rows that are multiplied at once: packed they stay in the second cache while all panels pass. */
constexpr long ROWS_AT_ONCE = 192;

void linearStep(const LinearStep& in) {
  const long rows = std::min(in.rows, ROWS_AT_ONCE);
  Pieces pieces(StepProducts::memorySize(rows, in.depth, 1));
  StepProducts(rows, in.depth, 1, pieces).linear(in);
}

}  // namespace
}  // namespace dragoman
