// Matrix products: of a matrix that is packed once and multiplied in every step of a sequence, and large single ones.
#pragma once
#include <algorithm>

#include "lanes.h"
#include "team.h"

namespace dragoman {
namespace {

/** Columns of a panel: two vectors. */
constexpr int PANEL = 2 * LANES;
/** Rows of a tile, so that its sums, a row of the panel and a factor fill the registers. */
constexpr int TILE = LANES == 16 ? 12 : 6;
/** Rows of a panel that stay in the first cache while all tiles pass. */
constexpr int64_t DEPTH = 256;

/** A matrix of any layout, as the place of its first number and the ways to the next row and column. */
struct Factor {
  const float* start;
  int64_t row;
  int64_t column;

  const float* at(int64_t r, int64_t c) const { return start + r * row + c * column; }
};

/** A row-major matrix, and its transposed. */
inline Factor plain(const float* start, int64_t columns) { return {start, columns, 1}; }
inline Factor transposed(const float* start, int64_t columns) { return {start, 1, columns}; }

/** c = a b, or c += a b: M rows of a, `depth` rows of a panel, rows of c `stride` apart. */
template <int M>
inline void tile(Factor a, const float* panel, int64_t depth, float* c, int64_t stride, bool more) {
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
      const V factor = splat(*a.at(m, k));
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

/** The same for the rows that are left over, fewer than a tile. */
template <int M = TILE - 1>
inline void lastTile(int64_t rows, Factor a, const float* panel, int64_t depth, float* c, int64_t stride,
                     bool more) {
  if constexpr (M > 0) {
    if (rows == M) return tile<M>(a, panel, depth, c, stride, more);
    lastTile<M - 1>(rows, a, panel, depth, c, stride, more);
  }
}

/** The same for up to a tile of rows as {@link packTiles} leaves them, which the compiler knows the places of. */
inline void packedTile(int64_t rows, const float* a, const float* panel, int64_t depth, float* c, int64_t stride,
                       bool more) {
  rows == TILE ? tile<TILE>({a, 1, TILE}, panel, depth, c, stride, more)
               : lastTile(rows, {a, 1, rows}, panel, depth, c, stride, more);
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
      tile<TILE>(plain(a + row * stride + from, stride), part, count, c + row * PANEL, PANEL, from > 0);
    lastTile(rows - row, plain(a + row * stride + from, stride), part, count, c + row * PANEL, PANEL, from > 0);
  }
}

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

/** Panels that a number of columns fills, and how many of them a panel has. */
inline int64_t panelsOf(int64_t columns) { return (columns + PANEL - 1) / PANEL; }
inline int64_t widthOf(int64_t panel, int64_t columns) { return std::min<int64_t>(PANEL, columns - panel * PANEL); }

/** Calls `each` for a panel's vectors: its offset in the panel, its first column, and how many columns the vector has. */
template <typename Each>
inline void eachVector(int64_t panel, int64_t columns, const Each& each) {
  for (int64_t offset = 0; offset < PANEL; offset += LANES) {
    const int64_t column = panel * PANEL + offset;
    if (column < columns) each(offset, column, std::min<int64_t>(LANES, columns - column));
  }
}

/** Columns and rows that are multiplied at once: their packed parts stay in the third and the second cache. */
constexpr int64_t COLUMNS = 2048;
constexpr int64_t ROWS = 12 * TILE;

/** Numbers of scratch memory that one thread needs for a {@link largeProduct}. */
constexpr int64_t PRODUCT_SCRATCH = DEPTH * (COLUMNS + PANEL) + DEPTH * ROWS + TILE * PANEL;

/** Rows of a, tile by tile, each with its columns one after the other. */
inline void packTiles(Factor a, int64_t rows, int64_t depth, float* to) {
  for (int64_t row = 0; row < rows; row += TILE) {
    const int64_t height = std::min<int64_t>(TILE, rows - row);
    for (int64_t k = 0; k < depth; k++)
      for (int64_t m = 0; m < height; m++) *to++ = *a.at(row + m, k);
  }
}

/** A row-major matrix that a product is written to, or added to. */
struct Result {
  float* start;
  /** From row to row. */
  int64_t stride;
  bool add = false;
};

/** c = a b in one thread. */
inline void block(int64_t rows, int64_t columns, int64_t depth, Factor a, Factor b, Result c, float* memory) {
  float* const panels = memory;
  float* const tiles = panels + DEPTH * (COLUMNS + PANEL);
  float* const edge = tiles + DEPTH * ROWS;
  for (int64_t column = 0; column < columns; column += COLUMNS) {
    const int64_t width = std::min(COLUMNS, columns - column);
    for (int64_t from = 0; from < depth; from += DEPTH) {
      const int64_t count = std::min(DEPTH, depth - from);
      const bool more = c.add || from > 0;
      for (int64_t j = 0; j < width; j += PANEL)
        pack({b.at(from, column + j), b.row, b.column}, std::min<int64_t>(PANEL, width - j), count,
             panels + j * count);
      for (int64_t row = 0; row < rows; row += ROWS) {
        const int64_t height = std::min(ROWS, rows - row);
        packTiles({a.at(row, from), a.row, a.column}, height, count, tiles);
        for (int64_t j = 0; j < width; j += PANEL) {
          const float* const panel = panels + j * count;
          const int64_t filled = std::min<int64_t>(PANEL, width - j);
          for (int64_t m = 0; m < height; m += TILE) {
            const int64_t left = std::min<int64_t>(TILE, height - m);
            const float* const part = tiles + m * count;
            float* const place = c.start + (row + m) * c.stride + column + j;
            if (filled == PANEL) {
              packedTile(left, part, panel, count, place, c.stride, more);
            } else {
              packedTile(left, part, panel, count, edge, PANEL, false);
              for (int64_t r = 0; r < left; r++)
                for (int64_t q = 0; q < filled; q++)
                  place[r * c.stride + q] = (more ? place[r * c.stride + q] : 0.0f) + edge[r * PANEL + q];
            }
          }
        }
      }
    }
  }
}

/**
 * This thread's part of c = a b: some rows, or some columns where there are more of those.
 * @param a [rows, depth]
 * @param b [depth, columns]
 * @param memory PRODUCT_SCRATCH numbers for each thread
 */
inline void largeProduct(const Member& member, int64_t rows, int64_t columns, int64_t depth, Factor a, Factor b,
                         Result c, float* memory) {
  float* const own = memory + member.index * PRODUCT_SCRATCH;
  if (rows >= columns) {
    const int64_t tiles = (rows + TILE - 1) / TILE;
    const int64_t from = member.from(tiles) * TILE;
    const int64_t to = std::min<int64_t>(rows, member.to(tiles) * TILE);
    block(to - from, columns, depth, {a.at(from, 0), a.row, a.column}, b,
          {c.start + from * c.stride, c.stride, c.add}, own);
  } else {
    const int64_t panels = panelsOf(columns);
    const int64_t from = member.from(panels) * PANEL;
    const int64_t to = std::min<int64_t>(columns, member.to(panels) * PANEL);
    block(rows, to - from, depth, a, {b.at(0, from), b.row, b.column}, {c.start + from, c.stride, c.add}, own);
  }
}

}  // namespace
}  // namespace dragoman
