// The equations of an LSTM's cells (src/cell/lstm.ts).
#pragma once
#include "lanes.h"

namespace dragoman {
namespace {

/** One step of some cells. */
struct LstmCell {
  /** @param sum of the products and the bias of gate 0 to 3: i, g, f, o */
  template <typename Sum>
  LstmCell(const Sum& sum, V before)
      : i(sigmoid(sum(0))),
        g(hyperbolicTangent(sum(1))),
        f(sigmoid(sum(2))),
        o(sigmoid(sum(3))),
        c(f * before + i * g),
        h(o * hyperbolicTangent(c)) {}

  const V i, g, f, o, c, h;
};

}  // namespace
}  // namespace dragoman
