// A left factor that is packed once and multiplied by many panels.
#pragma once
#if defined(DRAGOMAN_INT8)
#include "byte-tiles.h"
#elif defined(DRAGOMAN_BFLOAT16)
#include "bfloat-tiles.h"
#else
#include "float-tiles.h"
#endif

namespace dragoman {
namespace {

/** Rows of a left factor in memory of their own, packed for products with panels. */
class PackedRows {
 public:
  /** @param memory of rowsSize(rows, depth) */
  PackedRows(int64_t rows, int64_t depth, float* memory) : rows_(rows), depth_(depth), start_(memory) {}

  /** Packs a panel's columns of a [rows, depth]. */
  void packPanel(int64_t panel, Factor a) const {
    packRows(a, rows_, depth_, panel * PANEL, widthOf(panel, depth_), start_);
  }

  /** Packs the rows of a tile. */
  void packTile(int64_t tile, Factor a) const {
    const int64_t row = tile * TILE;
    packRows(a.from(row, 0), std::min<int64_t>(TILE, rows_ - row), depth_, 0, depth_, start_ + rowsSize(row, depth_));
  }

  int64_t tiles() const { return (rows_ + TILE - 1) / TILE; }

  /** c [rows, PANEL] = a times a panel, or added to it. */
  void multiply(const float* panel, float* c, bool add = false) const {
    for (int64_t from = 0; from < depth_; from += DEPTH) {
      const int64_t count = std::min(DEPTH, depth_ - from);
      for (int64_t row = 0; row < rows_; row += TILE)
        multiplyTile(std::min<int64_t>(TILE, rows_ - row), start_ + rowsSize(row, depth_), depth_, from, count,
                     panel + (from > 0 ? panelSize(from) : 0), c + row * PANEL, PANEL, add || from > 0);
    }
  }

 private:
  const int64_t rows_;
  const int64_t depth_;
  float* const start_;
};

}  // namespace
}  // namespace dragoman
