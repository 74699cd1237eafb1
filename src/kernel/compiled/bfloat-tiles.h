// Products of packed factors that are rounded to bfloat16, summed in 32 bits: by AMX, or by AVX512_BF16's dot products.
// Two neighbours along the depth stand in a word of 32 bits, the first in its lower half.
#pragma once
#include <immintrin.h>

#include "factors.h"
#ifdef __AMX_BF16__
#include "amx-tiles.h"
#endif

namespace dragoman {
namespace {

using Words = __m512i;

/** Depth that is multiplied at once: that of AMX's registers. What is missing is filled with zeros. */
constexpr int64_t STEP = 32;
/** Rows of a panel that stay in the first cache while all tiles pass. */
constexpr int64_t DEPTH = 512;

#ifndef __AMX_BF16__
/** Rows that are packed together, and those of a tile. */
constexpr int BLOCK_ROWS = 12;
constexpr int TILE = 12;
#endif

/** Words of so much depth. */
inline int64_t wordsOf(int64_t depth) { return (depth + STEP - 1) / STEP * (STEP / 2); }

/** Floats that a panel takes, and rows of a left factor. */
inline int64_t panelSize(int64_t depth) { return wordsOf(depth) * PANEL; }
inline int64_t rowsSize(int64_t rows, int64_t depth) {
  return (rows + BLOCK_ROWS - 1) / BLOCK_ROWS * BLOCK_ROWS * wordsOf(depth);
}

inline __m512 loadSome(const float* from, int64_t count) { return _mm512_maskz_loadu_ps(firstLanes(count), from); }

/** Words of numbers that follow one another: the first 32 from `from`, of which there are `count`. */
inline Words neighbours(const float* from, int64_t count) {
  return (Words)_mm512_cvtne2ps_pbh(loadSome(from + LANES, count - LANES), loadSome(from, count));
}

/** Words of two rows of numbers. */
inline Words joined(__m512 first, __m512 second) {
  const Words low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(first));
  const Words high = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(second));
  return _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
}

/** Row j of 16 becomes column j: in turn blocks of 1, 2, 4 and 8 words change places. */
inline void transpose(Words rows[16]) {
#pragma GCC unroll 4
  for (int size = 1; size < 16; size *= 2) {
    const Words lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __mmask16 odd = _mm512_test_epi32_mask(lane, _mm512_set1_epi32(size));
    // 16 and above: of the second row.
    const Words upper = _mm512_mask_add_epi32(lane, odd, lane, _mm512_set1_epi32(16 - size));
    const Words lower =
        _mm512_mask_add_epi32(_mm512_add_epi32(lane, _mm512_set1_epi32(size)), odd, lane, _mm512_set1_epi32(16));
#pragma GCC unroll 16
    for (int row = 0; row < 16; row++) {
      if (row & size) continue;
      const Words first = rows[row];
      const Words second = rows[row + size];
      rows[row] = _mm512_permutex2var_epi32(first, upper, second);
      rows[row + size] = _mm512_permutex2var_epi32(first, lower, second);
    }
  }
}

/** The `width` columns of b as a panel [depth / 2, PANEL] of words, zeros behind them. */
inline void pack(Factor b, int64_t width, int64_t depth, float* panel) {
  for (int64_t from = 0; from < depth; from += STEP, panel += STEP / 2 * PANEL) {
    const int64_t left = std::min(STEP, depth - from);
    for (int64_t half = 0; half < PANEL; half += LANES) {
      const int64_t count = width - half;
      Words words[STEP / 2];
      if (b.column == 1) {
#pragma GCC unroll 16
        for (int64_t k = 0; k < STEP / 2; k++) {
          const float* const place = b.at(from + 2 * k, half);
          words[k] = joined(loadSome(place, 2 * k < left ? count : 0),
                            loadSome(place + b.row, 2 * k + 1 < left ? count : 0));
        }
      } else {
#pragma GCC unroll 16
        for (int64_t j = 0; j < LANES; j++) words[j] = neighbours(b.at(from, half + j), j < count ? left : 0);
        transpose(words);
      }
#pragma GCC unroll 16
      for (int64_t k = 0; k < STEP / 2; k++) _mm512_storeu_si512(panel + k * PANEL + half, words[k]);
    }
  }
}

/**
 * `count` columns of the left factor from column `from` on, a multiple of STEP: blocks of rows, each with its steps of
 * the depth one after the other, [rows, 16 words].
 */
inline void packRows(Factor a, int64_t rows, int64_t depth, int64_t from, int64_t count, float* memory) {
  for (int64_t row = 0; row < rows; row += BLOCK_ROWS) {
    const int64_t height = std::min<int64_t>(BLOCK_ROWS, rows - row);
    float* to = memory + row * wordsOf(depth) + from / 2 * BLOCK_ROWS;
    for (int64_t k = from; k < from + count; k += STEP, to += BLOCK_ROWS * LANES) {
      const int64_t left = std::min(STEP, from + count - k);
      Words words[16];
      if (a.column == 1) {
#pragma GCC unroll 16
        for (int64_t m = 0; m < BLOCK_ROWS; m++) words[m] = neighbours(a.at(row + m, k), m < height ? left : 0);
      } else {
#pragma GCC unroll 16
        for (int64_t pair = 0; pair < STEP / 2; pair++) {
          const float* const place = a.at(row, k + 2 * pair);
          words[pair] = joined(loadSome(place, 2 * pair < left ? height : 0),
                               loadSome(place + a.column, 2 * pair + 1 < left ? height : 0));
        }
        transpose(words);
      }
#pragma GCC unroll 16
      for (int64_t m = 0; m < BLOCK_ROWS; m++) _mm512_storeu_si512(to + m * LANES, words[m]);
    }
  }
}

#ifdef __AMX_BF16__

/**
 * c = a b, or c += a b, for up to a tile of packed rows and `count` rows of a panel.
 * @param a the tile, packed with its whole `depth`
 * @param from the column of a that meets the panel's first row
 */
inline void multiplyTile(int64_t rows, const float* a, int64_t depth, int64_t from, int64_t count, const float* panel,
                         float* c, int64_t stride, bool more) {
  const float* const part = a + from / 2 * BLOCK_ROWS;
  const float* const below = part + BLOCK_ROWS * wordsOf(depth);
  const int64_t steps = (count + STEP - 1) / STEP;
  if (rows == TILE) return multiplyBlocks<true>(part, below, panel, steps, c, stride, more);
  if (rows == BLOCK_ROWS) return multiplyBlocks<false>(part, below, panel, steps, c, stride, more);
  alignas(64) float sums[TILE * PANEL];
  rows > BLOCK_ROWS ? multiplyBlocks<true>(part, below, panel, steps, sums, PANEL, false)
                    : multiplyBlocks<false>(part, below, panel, steps, sums, PANEL, false);
  for (int64_t m = 0; m < rows; m++)
    for (int64_t j = 0; j < PANEL; j += LANES) {
      float* const place = c + m * stride + j;
      const V sum = load(sums + m * PANEL + j);
      store(place, more ? load(place) + sum : sum);
    }
}

#else

/** What a thread has to have around its products: nothing. */
struct Registers {};

/** c = a b, or c += a b, for M packed rows, whose sums stay in registers. */
template <int M>
inline void sumsOf(const float* a, const float* panel, int64_t steps, float* c, int64_t stride, bool more) {
  __m512 sum[M][2];
#pragma GCC unroll 12
  for (int m = 0; m < M; m++) {
    sum[m][0] = more ? _mm512_loadu_ps(c + m * stride) : _mm512_setzero_ps();
    sum[m][1] = more ? _mm512_loadu_ps(c + m * stride + LANES) : _mm512_setzero_ps();
  }
  for (int64_t step = 0; step < steps; step++, a += BLOCK_ROWS * LANES) {
    for (int64_t pair = 0; pair < STEP / 2; pair++, panel += PANEL) {
      const auto first = (__m512bh)_mm512_loadu_si512(panel);
      const auto second = (__m512bh)_mm512_loadu_si512(panel + LANES);
#pragma GCC unroll 12
      for (int m = 0; m < M; m++) {
        const auto factor = (__m512bh)_mm512_set1_ps(a[m * LANES + pair]);
        sum[m][0] = _mm512_dpbf16_ps(sum[m][0], factor, first);
        sum[m][1] = _mm512_dpbf16_ps(sum[m][1], factor, second);
      }
    }
  }
#pragma GCC unroll 12
  for (int m = 0; m < M; m++) {
    _mm512_storeu_ps(c + m * stride, sum[m][0]);
    _mm512_storeu_ps(c + m * stride + LANES, sum[m][1]);
  }
}

/**
 * c = a b, or c += a b, for up to a tile of packed rows and `count` rows of a panel.
 * @param a the tile, packed with its whole depth
 * @param from the column of a that meets the panel's first row
 */
inline void multiplyTile(int64_t rows, const float* a, int64_t, int64_t from, int64_t count, const float* panel,
                         float* c, int64_t stride, bool more) {
  const float* const part = a + from / 2 * BLOCK_ROWS;
  const int64_t steps = (count + STEP - 1) / STEP;
  withRows<TILE>(rows, [&](auto known) { sumsOf<known>(part, panel, steps, c, stride, more); });
}

#endif

}  // namespace
}  // namespace dragoman
