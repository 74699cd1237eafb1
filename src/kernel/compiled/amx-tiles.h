// Products of tiles by AMX: of pairs of bfloat16 numbers, or of quads of bytes of which the left factor's have no sign.
#pragma once
#include <immintrin.h>

#include "factors.h"

#ifdef __AMX_INT8__
#define DRAGOMAN_TILE_PRODUCT _tile_dpbusd
#else
#define DRAGOMAN_TILE_PRODUCT _tile_dpbf16ps
#endif

namespace dragoman {
namespace {

/** Rows that are packed together, and those of a tile. */
constexpr int BLOCK_ROWS = 16;
constexpr int TILE = 32;

/** AMX's registers, eight of 16 rows of 64 bytes, which a thread has to ask for and to give back. */
struct Registers {
  Registers() {
    struct alignas(64) {
      uint8_t palette = 1;
      uint8_t firstRow = 0;
      uint8_t none[14] = {};
      uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    } const sizes;
    _tile_loadconfig(&sizes);
  }
  ~Registers() { _tile_release(); }
};

/**
 * Two blocks of rows, or one, by a panel: registers 0 to 3 are the sums, 4 and 5 rows, 6 and 7 the panel's columns.
 * @param a the blocks' steps of the depth, each of 16 rows of 64 bytes
 * @param c sums of 32 bits
 */
template <bool TWO, typename Sum>
inline void multiplyBlocks(const float* a, const float* below, const float* panel, int64_t steps, Sum* c, int64_t stride,
                           bool more) {
  const int64_t bytes = stride * static_cast<int64_t>(sizeof(Sum));
  Sum* const under = c + 16 * stride;
  if (more) {
    _tile_loadd(0, c, bytes);
    _tile_loadd(1, c + LANES, bytes);
    if (TWO) {
      _tile_loadd(2, under, bytes);
      _tile_loadd(3, under + LANES, bytes);
    }
  } else {
    _tile_zero(0);
    _tile_zero(1);
    if (TWO) {
      _tile_zero(2);
      _tile_zero(3);
    }
  }
  for (int64_t step = 0; step < steps; step++) {
    const float* const columns = panel + step * LANES * PANEL;
    _tile_loadd(4, a + step * BLOCK_ROWS * LANES, 64);
    _tile_loadd(6, columns, PANEL * sizeof(float));
    _tile_loadd(7, columns + LANES, PANEL * sizeof(float));
    DRAGOMAN_TILE_PRODUCT(0, 4, 6);
    DRAGOMAN_TILE_PRODUCT(1, 4, 7);
    if (TWO) {
      _tile_loadd(5, below + step * BLOCK_ROWS * LANES, 64);
      DRAGOMAN_TILE_PRODUCT(2, 5, 6);
      DRAGOMAN_TILE_PRODUCT(3, 5, 7);
    }
  }
  _tile_stored(0, c, bytes);
  _tile_stored(1, c + LANES, bytes);
  if (TWO) {
    _tile_stored(2, under, bytes);
    _tile_stored(3, under + LANES, bytes);
  }
}

}  // namespace
}  // namespace dragoman
