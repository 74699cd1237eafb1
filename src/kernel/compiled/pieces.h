// Memory for the inside of an operation.
#pragma once
#include "team.h"

namespace dragoman {
namespace {

/** Memory of a call, taken piece by piece. */
class Pieces {
 public:
  explicit Pieces(long floats) : next_(scratch(floats)) {}

  float* take(long floats) {
    float* const piece = next_;
    next_ += floats;
    return piece;
  }

 private:
  float* next_;
};

}  // namespace
}  // namespace dragoman
