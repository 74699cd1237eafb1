// What a training step does besides its layers and its loss: each number is read and written once.
#pragma once
#include <vector>

#include "reductions.h"
#include "share.h"

namespace dragoman {
namespace {

/** Numbers of a piece of work. */
constexpr long PIECE = 1 << 14;

/** Calls `each` with the first number and the count of every piece of `size` numbers, in threads where it is worth it. */
template <typename Each>
void inPieces(long size, const Each& each) {
  runStep(10.0 * size, (size + PIECE - 1) / PIECE,
          [&](int, long piece) { each(piece * PIECE, std::min(PIECE, size - piece * PIECE)); });
}

using U = uint32_t __attribute__((vector_size(4 * DRAGOMAN_LANES)));

/** Every bit of the input changes half of the result's, and no two have one result (C. Wellons 2018, lowbias32). */
template <typename Word>
inline Word scrambled(Word x) {
  x = (x ^ (x >> 16)) * 0x7feb352du;
  x = (x ^ (x >> 15)) * 0x846ca68bu;
  return x ^ (x >> 16);
}

/**
 * Dropout (Srivastava et al. 2014): y = x / (1 - rate) where a number in [0, 1) that depends on seed, stream and place
 * alone is no less than the rate, else 0.
 */
void dropout(const Dropout& in) {
  const uint32_t seed = scrambled(static_cast<uint32_t>(in.seed));
  const uint32_t stream = scrambled(static_cast<uint32_t>(in.stream) + seed);
  const float scale = 1 / (1 - in.rate);
  U lane;
  for (int k = 0; k < LANES; k++) lane[k] = k;
  inPieces(in.size, [&](long from, long count) {
    for (long k = from; k < from + count; k += LANES) {
      const U place = lane + static_cast<uint32_t>(k);
      const U drawn = scrambled(scrambled(place ^ seed) + stream) >> 8;  // 24 bits, which a float holds
      const V number = __builtin_convertvector((I)drawn, V) * 0x1p-24f;
      const V factor = choose(number < splat(in.rate), V{}, splat(scale));
      const long here = std::min<long>(LANES, from + count - k);
      store(in.y + k, load(in.x + k, here) * factor, here);
    }
  });
}

/** The sum of all squares, the same whatever the threads: the pieces' sums are added in their order. */
void sumOfSquares(const SumOfSquares& in) {
  std::vector<double> sums((in.size + PIECE - 1) / PIECE);
  inPieces(in.size, [&](long from, long count) {
    double sum = 0;
    for (long part = from; part < from + count; part += 1024) {
      const long size = std::min<long>(1024, from + count - part);
      sum += dot(in.x + part, in.x + part, size);
    }
    sums[from / PIECE] = sum;
  });
  double sum = 0;
  for (const double piece : sums) sum += piece;
  *in.sum = static_cast<float>(sum);
}

/** A step of Adam (Kingma & Ba 2015) with its corrections in the rate, as src/train/update-rule.ts has it. */
void adam(const Adam& in) {
  inPieces(in.size, [&](long from, long count) {
    for (long k = from; k < from + count; k += LANES) {
      const long here = std::min<long>(LANES, from + count - k);
      const V g = load(in.gradient + k, here);
      const V m = in.beta1 * load(in.m + k, here) + (1 - in.beta1) * g;
      const V v = in.beta2 * load(in.v + k, here) + (1 - in.beta2) * g * g;
      store(in.m + k, m, here);
      store(in.v + k, v, here);
      stream(in.xAfter + k, load(in.x + k, here) - in.rate * m / (squareRoot(v) + in.epsilon), here);
    }
    endStream();
  });
}

/** Sums rows that share a segment; each piece of the segments looks for its own. */
void segmentSum(const SegmentSum& in) {
  const long pieces = std::min<long>(16, in.segments);
  runStep(static_cast<double>(in.segments + in.rows) * in.width, pieces, [&](int, long piece) {
    const long first = in.segments * piece / pieces;
    const long last = in.segments * (piece + 1) / pieces;
    std::fill(in.sums + first * in.width, in.sums + last * in.width, 0.0f);
    for (long row = 0; row < in.rows; row++) {
      const long segment = in.ids[row];
      if (segment < first || segment >= last) continue;
      float* const to = in.sums + segment * in.width;
      const float* const from = in.values + row * in.width;
      for (long k = 0; k < in.width; k += LANES) {
        const long count = std::min<long>(LANES, in.width - k);
        store(to + k, load(to + k, count) + load(from + k, count), count);
      }
    }
  });
}

}  // namespace
}  // namespace dragoman
