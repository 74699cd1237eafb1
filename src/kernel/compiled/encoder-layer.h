// A recurrent layer over whole sentences, by packed weights.
#pragma once
#include "lstm-cell.h"
#include "step-products.h"

namespace dragoman {
namespace {

/** The position that row b reads in the n-th step; -1 where it has no more. */
inline long positionOf(const EncoderLayer& in, long b, long n) {
  if (n >= in.lengths[b]) return -1;
  return in.backward ? in.lengths[b] - 1 - n : n;
}

/** Calls `each` for a panel's vectors of all rows that have a position in the step. */
template <typename Each>
inline void eachRow(const EncoderLayer& in, long step, long panel, const Each& each) {
  for (long b = 0; b < in.batch; b++) {
    const long position = positionOf(in, b, step);
    if (position < 0) continue;
    eachVector(panel, in.hidden, [&](long offset, long unit, long count) {
      each(b, b * in.time + position, b * in.hidden + unit, b * PANEL + offset, unit, count);
    });
  }
}

inline void putOut(const EncoderLayer& in, long step, long b, long place, long unit, V h, long count) {
  store(in.outputs + place * in.stride + unit, h, count);
  if (step + 1 == in.lengths[b]) store(in.last + b * in.stride + unit, h, count);
}

inline void lstmSteps(const EncoderLayer& in, const StepProducts& products, const float* gates, float* h, float* c) {
  const long hidden = in.hidden;
  const long panel = in.batch * PANEL;
  for (long step = 0; step < in.time; step++) {
    products.run(in.batch, h, hidden, in.gates, 4, hidden, [&](long p, const float* z) {
      eachRow(in, step, p, [&](long b, long place, long row, long at, long unit, long count) {
        const auto sum = [&](int gate) {
          return load(z + gate * panel + at) + load(gates + (place * 4 + gate) * hidden + unit, count);
        };
        const LstmCell cell(sum, load(c + row, count));
        store(c + row, cell.c, count);
        store(h + row, cell.h, count);
        putOut(in, step, b, place, unit, cell.h, count);
      });
    });
  }
}

inline void gruSteps(const EncoderLayer& in, const StepProducts& products, const float* gates, float* h, float* reset,
                     float* update) {
  const long hidden = in.hidden;
  const long panel = in.batch * PANEL;
  for (long step = 0; step < in.time; step++) {
    products.run(in.batch, h, hidden, in.gates, 2, hidden, [&](long p, const float* z) {
      eachRow(in, step, p, [&](long, long place, long row, long at, long unit, long count) {
        const auto gate = [&](int k) {
          return sigmoid(load(z + k * panel + at) + load(gates + (place * 3 + k) * hidden + unit, count));
        };
        store(reset + row, gate(0) * load(h + row, count), count);
        store(update + row, gate(1), count);
      });
    });
    products.run(in.batch, reset, hidden, in.candidate, 1, hidden, [&](long p, const float* z) {
      eachRow(in, step, p, [&](long b, long place, long row, long at, long unit, long count) {
        const V n = hyperbolicTangent(load(z + at) + load(gates + (place * 3 + 2) * hidden + unit, count));
        const V after = n + load(update + row, count) * (load(h + row, count) - n);
        store(h + row, after, count);
        putOut(in, step, b, place, unit, after, count);
      });
    });
  }
}

void encoderLayer(const EncoderLayer& in) {
  const long positions = in.batch * in.time;
  const long count = in.isGru ? 3 : 4;
  const long size = in.batch * in.hidden;
  const long rows = std::min(positions, ROWS_AT_ONCE);
  Pieces pieces(StepProducts::memorySize(rows, in.input, 1) + StepProducts::memorySize(in.batch, in.hidden, 4) +
                positions * count * in.hidden + 3 * size);
  float* const gates = pieces.take(positions * count * in.hidden);
  StepProducts(rows, in.input, 1, pieces)
      .linear({positions, in.input, count * in.hidden, false, in.x, in.inputs, gates});
  const StepProducts products(in.batch, in.hidden, 4, pieces);
  float* const h = pieces.take(size);
  float* const second = pieces.take(size);
  float* const third = pieces.take(size);
  if (in.h0 == nullptr)
    std::fill_n(h, size, 0.0f);
  else
    std::copy_n(in.h0, size, h);
  if (in.c0 == nullptr)
    std::fill_n(second, size, 0.0f);
  else
    std::copy_n(in.c0, size, second);
  in.isGru ? gruSteps(in, products, gates, h, second, third) : lstmSteps(in, products, gates, h, second);
}

}  // namespace
}  // namespace dragoman
