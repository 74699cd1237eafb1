// Products with a matrix that is packed once and multiplied in every step of a sequence.
#pragma once
#include <algorithm>

#include "lanes.h"

namespace dragoman {
namespace {

/** Columns of a panel: two vectors. */
constexpr int PANEL = 2 * LANES;
/** Rows of a tile, so that its sums, a row of the panel and a factor fill the registers. */
constexpr int TILE = LANES == 16 ? 12 : 6;
/** Rows of a panel that stay in the first cache while all tiles pass. */
constexpr int64_t DEPTH = 256;

/** c = a b, or c += a b: M rows of a, `depth` rows of a panel. */
template <int M>
inline void tile(const float* a, int64_t stride, const float* panel, int64_t depth, float* c, bool more) {
  V sum[M][2];
#pragma GCC unroll 12
  for (int m = 0; m < M; m++) {
    sum[m][0] = more ? load(c + m * PANEL) : V{};
    sum[m][1] = more ? load(c + m * PANEL + LANES) : V{};
  }
  for (int64_t k = 0; k < depth; k++) {
    const V first = load(panel + k * PANEL);
    const V second = load(panel + k * PANEL + LANES);
#pragma GCC unroll 12
    for (int m = 0; m < M; m++) {
      const V factor = splat(a[m * stride + k]);
      sum[m][0] += factor * first;
      sum[m][1] += factor * second;
    }
  }
#pragma GCC unroll 12
  for (int m = 0; m < M; m++) {
    store(c + m * PANEL, sum[m][0]);
    store(c + m * PANEL + LANES, sum[m][1]);
  }
}

template <int M>
inline void lastTile(int64_t rows, const float* a, int64_t stride, const float* panel, int64_t depth, float* c,
                     bool more) {
  if constexpr (M > 0) {
    if (rows == M) return tile<M>(a, stride, panel, depth, c, more);
    lastTile<M - 1>(rows, a, stride, panel, depth, c, more);
  }
}

/**
 * c = a b for one panel of b.
 * @param a [rows, depth], `stride` from row to row
 * @param panel [depth, PANEL]
 * @param c [rows, PANEL]
 */
inline void multiply(int64_t rows, const float* a, int64_t stride, const float* panel, int64_t depth, float* c) {
  for (int64_t from = 0; from < depth; from += DEPTH) {
    const int64_t count = std::min(DEPTH, depth - from);
    const float* part = panel + from * PANEL;
    int64_t row = 0;
    for (; row + TILE <= rows; row += TILE)
      tile<TILE>(a + row * stride + from, stride, part, count, c + row * PANEL, from > 0);
    lastTile<TILE - 1>(rows - row, a + row * stride + from, stride, part, count, c + row * PANEL, from > 0);
  }
}

/** Columns `column` to `column + width` of a row-major matrix [depth, ...], zeros behind them. */
inline void packColumns(const float* matrix, int64_t stride, int64_t column, int64_t width, int64_t depth,
                        float* panel) {
  for (int64_t k = 0; k < depth; k++, panel += PANEL) {
    const float* from = matrix + k * stride + column;
    std::copy(from, from + width, panel);
    std::fill(panel + width, panel + PANEL, 0.0f);
  }
}

/** Rows `row` to `row + width` of a row-major matrix [..., depth] as the columns of a panel, zeros behind them. */
inline void packRows(const float* matrix, int64_t stride, int64_t row, int64_t width, int64_t depth, float* panel) {
  for (int64_t k = 0; k < depth; k++, panel += PANEL) {
    for (int64_t j = 0; j < width; j++) panel[j] = matrix[(row + j) * stride + k];
    std::fill(panel + width, panel + PANEL, 0.0f);
  }
}

/** Panels that a number of columns fills. */
inline int64_t panelsOf(int64_t columns) { return (columns + PANEL - 1) / PANEL; }

}  // namespace
}  // namespace dragoman
