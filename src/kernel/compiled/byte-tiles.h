// Products of numbers in 8 bits: each row of the left factor and each column of the right one has a scale of its own, by
// which its largest number becomes 127. Sums are whole and exact, so that every processor comes to the same. Four neighbours
// along the depth stand in a word of 32 bits.
#pragma once
#include <cmath>

#include "factors.h"
#include "reductions.h"
#ifdef __AMX_INT8__
#include "amx-tiles.h"
#endif

namespace dragoman {
namespace {

#if defined(__AVX512VNNI__)
/** The left factor's bytes have no sign: what is added to make them so is taken off the sums. */
using Number = uint8_t;
constexpr int32_t OFFSET = 128;
#else
/** The left factor's numbers take 16 bits, in pairs; a quad of the right one's stands as its numbers 0, 2, 1, 3. */
using Number = int16_t;
constexpr int32_t OFFSET = 0;
#endif
constexpr float LARGEST = 127;

#ifndef __AMX_INT8__
/** Rows that are packed together, and those of a tile: their sums stay in registers. */
constexpr int TILE = LANES == 16 && OFFSET > 0 ? 12 : 4;
constexpr int BLOCK_ROWS = TILE;
/** What a thread has to have around its products: nothing. */
struct Registers {};
#endif

/** Depth that is multiplied at once; what is missing is filled with zeros in the right factor. */
constexpr int64_t STEP = 64;
/** Quads are not parted: all of the depth is multiplied at once. */
constexpr int64_t DEPTH = INT32_MAX;
/** Words of a step that a row takes. */
constexpr int64_t ROW_WORDS = STEP * sizeof(Number) / 4;

inline int64_t stepsOf(int64_t depth) { return (depth + STEP - 1) / STEP; }

/** Words of a panel's quads; behind them stand a scale and a correction of each column. */
inline int64_t quadsOf(int64_t depth) { return stepsOf(depth) * (STEP / 4) * PANEL; }

/** Floats that a panel takes, and rows of a left factor. */
inline int64_t panelSize(int64_t depth) { return quadsOf(depth) + 2 * PANEL; }
inline int64_t rowsSize(int64_t rows, int64_t depth) {
  return (rows + BLOCK_ROWS - 1) / BLOCK_ROWS * BLOCK_ROWS * (stepsOf(depth) * ROW_WORDS + 1);
}

/** From a number to its whole one, and back; what has a number that is none, or no end, becomes none. */
struct Scale {
  float inverse;
  float value;
};

inline Scale scaleOf(float largest, bool finite) {
  if (!finite) return {0, std::nanf("")};
  // Below it the inverse would have no end.
  return largest < 1e-30f ? Scale{0, 0} : Scale{LARGEST / largest, largest / LARGEST};
}

/** The `width` columns of b as a panel, zeros behind them. */
inline void pack(Factor b, int64_t width, int64_t depth, float* panel) {
  auto* const bytes = reinterpret_cast<int8_t*>(panel);
  auto* const corrections = reinterpret_cast<int32_t*>(panel + quadsOf(depth) + PANEL);
  std::fill_n(bytes, 4 * quadsOf(depth), static_cast<int8_t>(0));
  for (int64_t j = 0; j < PANEL; j++) {
    float largest = 0;
    bool finite = true;
    for (int64_t k = 0; j < width && k < depth; k++) {
      const float size = std::fabs(*b.at(k, j));
      finite = finite && std::isfinite(size);
      largest = std::max(largest, size);
    }
    const Scale scale = scaleOf(largest, finite);
    int32_t sum = 0;
    for (int64_t k = 0; finite && j < width && k < depth; k++) {
      const auto whole = static_cast<int8_t>(std::lrintf(*b.at(k, j) * scale.inverse));
      const int64_t inside = OFFSET > 0 ? k % 4 : k % 4 == 1 ? 2 : k % 4 == 2 ? 1 : k % 4;
      bytes[(k / 4 * PANEL + j) * 4 + inside] = whole;
      sum += whole;
    }
    panel[quadsOf(depth) + j] = scale.value;
    corrections[j] = OFFSET * sum;
  }
}

/**
 * All columns of a row-major left factor: blocks of rows, each with its steps of the depth one after the other,
 * [rows, STEP numbers], and behind them the rows' scales.
 */
inline void packRows(Factor a, int64_t rows, int64_t depth, int64_t, int64_t, float* memory) {
  for (int64_t row = 0; row < rows; row += BLOCK_ROWS) {
    float* const block = memory + rowsSize(row, depth);
    float* const scales = block + stepsOf(depth) * BLOCK_ROWS * ROW_WORDS;
    for (int64_t m = 0; m < std::min<int64_t>(BLOCK_ROWS, rows - row); m++) {
      const float* const x = a.at(row + m, 0);
      V most{};
      V rest{};  // not zero where a number is none or has no end
      for (int64_t k = 0; k < depth; k += LANES) {
        const V value = load(x + k, depth - k);
        most = larger(most, (V)((I)value & 0x7fffffff));
        rest += value * 0.0f;
      }
      float lanes[LANES];
      store(lanes, most);
      const Scale scale = scaleOf(*std::max_element(lanes, lanes + LANES), total(rest) == 0);
      auto* const numbers = reinterpret_cast<Number*>(block) + m * STEP;
      for (int64_t k = 0; k < depth; k += LANES) {
        // 1.5 * 2^23: what is added to it loses its fraction and stands in its last bits.
        constexpr float SHIFT = 12582912.0f + OFFSET;
        using Numbers = Number __attribute__((vector_size(sizeof(Number) * LANES)));
        const V whole = (scale.value > 0 ? load(x + k, depth - k) * scale.inverse : V{}) + SHIFT;
        const auto narrow = __builtin_convertvector((I)whole - 0x4b400000, Numbers);
        std::memcpy(numbers + k / STEP * BLOCK_ROWS * STEP + k % STEP, &narrow, sizeof narrow);
      }
      scales[m] = scale.value;
    }
  }
}

/** Sums of a panel's columns to numbers. */
inline void scaled(const I sums[2], float rowScale, const float* scales, float* c, bool more) {
  for (int part = 0; part < 2; part++) {
    I correction;
    std::memcpy(&correction, scales + PANEL + part * LANES, sizeof correction);
    const V value = __builtin_convertvector(sums[part] - correction, V) * (load(scales + part * LANES) * rowScale);
    store(c + part * LANES, more ? load(c + part * LANES) + value : value);
  }
}

inline I loadWords(const void* from) {
  I words;
  std::memcpy(&words, from, sizeof words);
  return words;
}

#ifndef __AMX_INT8__
/** Of a row's quad its number, or its pairs, in all lanes. */
template <typename Word>
inline I wordIn(const Number* quad) {
  Word word;
  std::memcpy(&word, quad, sizeof word);
  return (static_cast<int32_t>(word)) - I{};
}
#endif

#if defined(__AMX_INT8__)

/** c = a b, or c += a b, for up to a tile of packed rows and a panel. @param a the tile */
inline void multiplyTile(int64_t rows, const float* a, int64_t depth, int64_t, int64_t, const float* panel, float* c,
                         int64_t stride, bool more) {
  alignas(64) int32_t sums[TILE * PANEL];
  const float* const below = a + rowsSize(BLOCK_ROWS, depth);
  const int64_t steps = stepsOf(depth);
  rows > BLOCK_ROWS ? multiplyBlocks<true>(a, below, panel, steps, sums, PANEL, false)
                    : multiplyBlocks<false>(a, below, panel, steps, sums, PANEL, false);
  const float* const scales = panel + quadsOf(depth);
  for (int64_t m = 0; m < rows; m++) {
    const I row[2] = {loadWords(sums + m * PANEL), loadWords(sums + m * PANEL + LANES)};
    const float* const block = m < BLOCK_ROWS ? a : below;
    scaled(row, block[steps * BLOCK_ROWS * ROW_WORDS + m % BLOCK_ROWS], scales, c + m * stride, more);
  }
}

#else

/** Four columns' numbers, of which each lane multiplies one quad. */
struct Quads {
#if defined(__AVX512VNNI__)
  explicit Quads(I words) : words(words) {}
  void addTo(I& sum, const Number* row) const {
    sum = (I)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)wordIn<int32_t>(row), (__m512i)words);
  }
  const I words;
#elif defined(__AVX2__)
  explicit Quads(I words)
      : even((I)_mm256_srai_epi16(_mm256_slli_epi16((__m256i)words, 8), 8)), odd((I)_mm256_srai_epi16((__m256i)words, 8)) {}
  void addTo(I& sum, const Number* row) const {
    sum += (I)_mm256_madd_epi16((__m256i)wordIn<int32_t>(row), (__m256i)even);
    sum += (I)_mm256_madd_epi16((__m256i)wordIn<int32_t>(row + 2), (__m256i)odd);
  }
  const I even, odd;
#else
  explicit Quads(I words) : parts{words << 24 >> 24, words << 8 >> 24, words << 16 >> 24, words >> 24} {}
  void addTo(I& sum, const Number* row) const {
    for (int k = 0; k < 4; k++) sum += wordIn<int16_t>(row + k) * parts[k];
  }
  const I parts[4];
#endif
};

template <int M>
inline void sumsOf(const float* a, int64_t depth, const float* panel, float* c, int64_t stride, bool more) {
  I sum[M][2] = {};
  const int64_t steps = stepsOf(depth);
  const float* quads = panel;
  for (int64_t step = 0; step < steps; step++) {
    const auto* const numbers = reinterpret_cast<const Number*>(a) + step * BLOCK_ROWS * STEP;
    for (int64_t k = 0; k < STEP; k += 4, quads += PANEL) {
      const Quads first(loadWords(quads));
      const Quads second(loadWords(quads + LANES));
#pragma GCC unroll 12
      for (int m = 0; m < M; m++) {
        first.addTo(sum[m][0], numbers + m * STEP + k);
        second.addTo(sum[m][1], numbers + m * STEP + k);
      }
    }
  }
#pragma GCC unroll 12
  for (int m = 0; m < M; m++)
    scaled(sum[m], a[steps * BLOCK_ROWS * ROW_WORDS + m], panel + quadsOf(depth), c + m * stride, more);
}

/** c = a b, or c += a b, for up to a tile of packed rows and a panel. @param a the tile */
inline void multiplyTile(int64_t rows, const float* a, int64_t depth, int64_t, int64_t, const float* panel, float* c,
                         int64_t stride, bool more) {
  withRows<TILE>(rows, [&](auto known) { sumsOf<known>(a, depth, panel, c, stride, more); });
}

#endif

}  // namespace
}  // namespace dragoman
