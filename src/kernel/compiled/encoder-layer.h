// A recurrent layer over whole sentences, by packed weights.
#pragma once
#include <algorithm>
#include <numeric>
#include <vector>

#include "lstm-cell.h"
#include "step-products.h"

namespace dragoman {
namespace {

/** A layer's rows with the longest first, so that those that still have a position come before the others in every step. */
class LayerRows {
 public:
  explicit LayerRows(const EncoderLayer& in) : in_(in), order_(in.batch) {
    std::iota(order_.begin(), order_.end(), 0);
    std::stable_sort(order_.begin(), order_.end(), [&](long a, long b) { return in.lengths[a] > in.lengths[b]; });
  }

  /** How many rows have an n-th position. */
  long active(long n) const {
    return std::partition_point(order_.begin(), order_.end(), [&](long b) { return in_.lengths[b] > n; }) - order_.begin();
  }

  /** Where the k-th of these rows stands among those given. */
  long place(long k) const { return order_[k]; }

  /** The place in [batch, time] that the k-th reads in the n-th step. */
  long position(long k, long n) const {
    const long b = order_[k];
    return b * in_.time + (in_.backward ? in_.lengths[b] - 1 - n : n);
  }

  /** A state [batch, hidden] in this order; zeros where there is none. */
  void take(const float* state, float* to) const {
    for (const long b : order_) {
      to = state == nullptr ? std::fill_n(to, in_.hidden, 0.0f) : std::copy_n(state + b * in_.hidden, in_.hidden, to);
    }
  }

  void putOut(long k, long n, long unit, V h, long count) const {
    const long b = order_[k];
    store(in_.outputs + position(k, n) * in_.stride + unit, h, count);
    if (n + 1 == in_.lengths[b]) store(in_.last + b * in_.stride + unit, h, count);
  }

 private:
  const EncoderLayer& in_;
  std::vector<long> order_;
};

/** Input and state side by side, [active, input + hidden], for the n-th step. */
inline void joinInputs(const EncoderLayer& in, const LayerRows& rows, long n, long active, const float* h, float* joint) {
  const long depth = in.input + in.hidden;
  runStep(static_cast<double>(active) * depth, active, [&](int, long k) {
    float* const state = std::copy_n(in.x + rows.position(k, n) * in.input, in.input, joint + k * depth);
    std::copy_n(h + k * in.hidden, in.hidden, state);
  });
}

/** Calls `each` for a panel's vectors of so many rows. */
template <typename Each>
inline void eachRow(const EncoderLayer& in, long active, long panel, const Each& each) {
  for (long k = 0; k < active; k++) {
    eachVector(panel, in.hidden, [&](long offset, long unit, long count) {
      each(k, k * in.hidden + unit, k * PANEL + offset, unit, count);
    });
  }
}

inline void lstmSteps(const EncoderLayer& in, const LayerRows& rows, const StepProducts& products, float* joint, float* h,
                      float* c) {
  const long hidden = in.hidden;
  const long depth = in.input + hidden;
  const Affine& gates = in.weights.gates;
  for (long n = 0; n < in.time; n++) {
    const long active = rows.active(n);
    joinInputs(in, rows, n, active, h, joint);
    products.run(active, joint, depth, gates.panels, 4, hidden, [&](long p, const float* z) {
      eachRow(in, active, p, [&](long k, long row, long at, long unit, long count) {
        const auto sum = [&](int gate) {
          return load(z + gate * active * PANEL + at) + load(gates.bias + gate * hidden + unit, count);
        };
        const LstmCell cell(sum, load(c + row, count));
        store(c + row, cell.c, count);
        store(h + row, cell.h, count);
        rows.putOut(k, n, unit, cell.h, count);
      });
    });
  }
}

inline void gruSteps(const EncoderLayer& in, const LayerRows& rows, const StepProducts& products, float* joint, float* h,
                     float* update) {
  const long hidden = in.hidden;
  const long depth = in.input + hidden;
  const Affine& gates = in.weights.gates;
  const Affine& candidate = in.weights.candidate;
  for (long n = 0; n < in.time; n++) {
    const long active = rows.active(n);
    joinInputs(in, rows, n, active, h, joint);
    products.run(active, joint, depth, gates.panels, 2, hidden, [&](long p, const float* z) {
      eachRow(in, active, p, [&](long k, long row, long at, long unit, long count) {
        const auto gate = [&](int which) {
          return sigmoid(load(z + which * active * PANEL + at) + load(gates.bias + which * hidden + unit, count));
        };
        store(joint + k * depth + in.input + unit, gate(0) * load(h + row, count), count);  // r h
        store(update + row, gate(1), count);
      });
    });
    products.run(active, joint, depth, candidate.panels, 1, hidden, [&](long p, const float* z) {
      eachRow(in, active, p, [&](long k, long row, long at, long unit, long count) {
        const V before = load(h + row, count);
        const V proposed = hyperbolicTangent(load(z + at) + load(candidate.bias + unit, count));
        const V after = proposed + load(update + row, count) * (before - proposed);
        store(h + row, after, count);
        rows.putOut(k, n, unit, after, count);
      });
    });
  }
}

void encoderLayer(const EncoderLayer& in) {
  const long depth = in.input + in.hidden;
  const long size = in.batch * in.hidden;
  const LayerRows rows(in);
  Pieces pieces(StepProducts::memorySize(in.batch, depth, 4) + in.batch * depth + 2 * size);
  const StepProducts products(in.batch, depth, 4, pieces);
  float* const joint = pieces.take(in.batch * depth);
  float* const h = pieces.take(size);
  float* const second = pieces.take(size);
  rows.take(in.h0, h);
  if (!in.isGru) rows.take(in.c0, second);
  in.isGru ? gruSteps(in, rows, products, joint, h, second) : lstmSteps(in, rows, products, joint, h, second);
}

}  // namespace
}  // namespace dragoman
