// Large matrix products, and what a thread has to have around any.
#pragma once
#include "packed-rows.h"
#include "team.h"

namespace dragoman {
namespace {

/** The same work, with what a thread has to have around its products. */
template <typename Work>
auto withRegisters(const Work& work) {
  return [&work](const Member& member) {
    [[maybe_unused]] const Registers registers;
    work(member);
  };
}

/** Columns and rows that are multiplied at once: their packed parts stay in the third and the second cache. */
constexpr int64_t COLUMNS = 2048;
constexpr int64_t ROWS = 144 / TILE * TILE;

/** Numbers of scratch memory that one thread needs for a {@link largeProduct}. */
constexpr int64_t PRODUCT_SCRATCH = DEPTH * (COLUMNS + PANEL) + DEPTH * (ROWS + TILE) + TILE * PANEL;

/** c = a b in one thread. */
inline void block(int64_t rows, int64_t columns, int64_t depth, Factor a, Factor b, Result c, float* memory) {
  float* const panels = memory;
  float* const tiles = panels + DEPTH * (COLUMNS + PANEL);
  float* const edge = tiles + DEPTH * (ROWS + TILE);
  for (int64_t column = 0; column < columns; column += COLUMNS) {
    const int64_t width = std::min(COLUMNS, columns - column);
    for (int64_t from = 0; from < depth; from += DEPTH) {
      const int64_t count = std::min(DEPTH, depth - from);
      const bool more = c.add || from > 0;
      const auto panelOf = [&](int64_t j) { return panels + j / PANEL * panelSize(count); };
      for (int64_t j = 0; j < width; j += PANEL)
        pack(b.from(from, column + j), std::min<int64_t>(PANEL, width - j), count, panelOf(j));
      for (int64_t row = 0; row < rows; row += ROWS) {
        const int64_t height = std::min(ROWS, rows - row);
        packRows(a.from(row, from), height, count, 0, count, tiles);
        for (int64_t j = 0; j < width; j += PANEL) {
          const int64_t filled = std::min<int64_t>(PANEL, width - j);
          for (int64_t m = 0; m < height; m += TILE) {
            const int64_t left = std::min<int64_t>(TILE, height - m);
            const float* const part = tiles + rowsSize(m, count);
            float* const place = c.start + (row + m) * c.stride + column + j;
            if (filled == PANEL) {
              multiplyTile(left, part, count, 0, count, panelOf(j), place, c.stride, more);
            } else {
              multiplyTile(left, part, count, 0, count, panelOf(j), edge, PANEL, false);
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
    block(to - from, columns, depth, a.from(from, 0), b, {c.start + from * c.stride, c.stride, c.add}, own);
  } else {
    const int64_t panels = panelsOf(columns);
    const int64_t from = member.from(panels) * PANEL;
    const int64_t to = std::min<int64_t>(columns, member.to(panels) * PANEL);
    block(rows, to - from, depth, a, b.from(0, from), {c.start + from, c.stride, c.add}, own);
  }
}

}  // namespace
}  // namespace dragoman
