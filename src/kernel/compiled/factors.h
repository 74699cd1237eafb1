// Factors of matrix products, and how columns are cut.
#pragma once
#include <algorithm>
#include <type_traits>

#include "lanes.h"

namespace dragoman {
namespace {

/** Columns of a panel: two vectors. */
constexpr int PANEL = 2 * LANES;

/** A matrix of any layout, as the place of its first number and the ways to the next row and column. */
struct Factor {
  const float* start;
  int64_t row;
  int64_t column;

  const float* at(int64_t r, int64_t c) const { return start + r * row + c * column; }
  Factor from(int64_t r, int64_t c) const { return {at(r, c), row, column}; }
};

/** A row-major matrix, and its transposed. */
inline Factor plain(const float* start, int64_t columns) { return {start, columns, 1}; }
inline Factor transposed(const float* start, int64_t columns) { return {start, 1, columns}; }

/** A row-major matrix that a product is written to, or added to. */
struct Result {
  float* start;
  /** From row to row. */
  int64_t stride;
  bool add = false;
};

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

/** Calls `each` with a number of rows, at most MOST, that the compiler knows. */
template <int MOST, typename Each>
inline void withRows(int64_t rows, const Each& each) {
  if constexpr (MOST > 0) {
    if (rows == MOST) return each(std::integral_constant<int, MOST>());
    withRows<MOST - 1>(rows, each);
  }
}

}  // namespace
}  // namespace dragoman
