// Products of packed factors in 32 bits. (bfloat-tiles.h has the same in 16.)
#pragma once
#include "factors.h"

namespace dragoman {
namespace {

/** Rows of a tile, so that its sums, a row of the panel and a factor fill the registers. */
constexpr int TILE = LANES == 16 ? 12 : 6;
/** Rows of a panel that stay in the first cache while all tiles pass. */
constexpr int64_t DEPTH = 256;

/** What a thread has to have around its products: nothing. */
struct Registers {};

/** Floats that a panel takes, and rows of a left factor. */
inline int64_t panelSize(int64_t depth) { return depth * PANEL; }
inline int64_t rowsSize(int64_t rows, int64_t depth) { return rows * depth; }

/** The `width` columns of b as a panel, zeros behind them. */
inline void pack(Factor b, int64_t width, int64_t depth, float* panel) {
  for (int64_t k = 0; k < depth; k++, panel += PANEL) {
    if (b.column == 1)
      std::copy_n(b.at(k, 0), width, panel);
    else
      for (int64_t j = 0; j < width; j++) panel[j] = *b.at(k, j);
    std::fill(panel + width, panel + PANEL, 0.0f);
  }
}

/** `count` columns of the left factor from column `from` on: tile by tile, each with its columns one after the other. */
inline void packRows(Factor a, int64_t rows, int64_t depth, int64_t from, int64_t count, float* memory) {
  for (int64_t row = 0; row < rows; row += TILE) {
    const int64_t height = std::min<int64_t>(TILE, rows - row);
    float* to = memory + row * depth + from * height;
    for (int64_t k = from; k < from + count; k++)
      for (int64_t m = 0; m < height; m++) *to++ = *a.at(row + m, k);
  }
}

/** c = a b, or c += a b, for M packed rows, whose sums stay in registers. */
template <int M>
inline void sumsOf(const float* a, const float* panel, int64_t depth, float* c, int64_t stride, bool more) {
  V sum[M][2];
#pragma GCC unroll 12
  for (int m = 0; m < M; m++) {
    sum[m][0] = more ? load(c + m * stride) : V{};
    sum[m][1] = more ? load(c + m * stride + LANES) : V{};
  }
  for (int64_t k = 0; k < depth; k++) {
    const V first = load(panel + k * PANEL);
    const V second = load(panel + k * PANEL + LANES);
#pragma GCC unroll 12
    for (int m = 0; m < M; m++) {
      const V factor = splat(a[k * M + m]);
      sum[m][0] += factor * first;
      sum[m][1] += factor * second;
    }
  }
#pragma GCC unroll 12
  for (int m = 0; m < M; m++) {
    store(c + m * stride, sum[m][0]);
    store(c + m * stride + LANES, sum[m][1]);
  }
}

/**
 * c = a b, or c += a b, for up to a tile of packed rows and `count` rows of a panel.
 * @param a the tile, packed with its whole `depth`
 * @param from the column of a that meets the panel's first row
 */
inline void multiplyTile(int64_t rows, const float* a, int64_t, int64_t from, int64_t count, const float* panel,
                         float* c, int64_t stride, bool more) {
  const float* const part = a + from * rows;
  withRows<TILE>(rows, [&](auto known) { sumsOf<known>(part, panel, count, c, stride, more); });
}

}  // namespace
}  // namespace dragoman
