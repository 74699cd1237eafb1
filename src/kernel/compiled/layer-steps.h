// What the kernels of all layers have in common.
#pragma once
#include "layers.h"
#include "product.h"

namespace dragoman {
namespace {

/** Multiplications of a layer from which to wake other threads takes less time than they save. */
constexpr double SHARED_WORK = 4e6;

/** Runs the work of a layer with as many threads as it is worth. @param width columns of all gates */
template <typename Work>
void runLayer(const Layer& layer, long width, const Work& work) {
  const double rows = static_cast<double>(layer.time) * layer.batch;
  rows * (layer.input + layer.hidden) * width < SHARED_WORK ? alone(work) : together(work);
}

/** Memory of a layer's call, taken piece by piece. */
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

/** Columns `unit` to `unit + width` of a matrix [rows, hidden] to the same place of another; of null, zeros. */
inline void copyColumns(const float* from, float* to, long rows, long hidden, long unit, long width) {
  for (long b = 0; b < rows; b++) {
    const long at = b * hidden + unit;
    if (from == nullptr)
      std::fill_n(to + at, width, 0.0f);
    else
      std::copy_n(from + at, width, to + at);
  }
}

/** The step that real step t of row b comes after; -1 for the row's first. */
inline long previousStep(const Layer& layer, long b, long t) {
  if (!layer.backward) return t - 1;
  return t + 1 < layer.lengths[b] ? t + 1 : -1;
}

/** x W for all steps, into the gates' place. */
inline void projectInput(const Member& member, const Layer& layer, const LayerWeights& weights, const float* x,
                         long width, float* gates, float* memory) {
  largeProduct(member, layer.time * layer.batch, width, layer.input, plain(x, layer.input),
               plain(weights.kernel, width), {gates, width}, memory);
}

/** Gradients of the input and of its weights, from those of the gates `dz` [time, batch, width]. */
inline void inputGradients(const Member& member, const Layer& layer, const LayerWeights& weights, const float* x,
                           const float* dz, long width, const LayerGradients& to, float* memory) {
  const long rows = layer.time * layer.batch;
  largeProduct(member, rows, layer.input, width, plain(dz, width), transposed(weights.kernel, width),
               {to.dx, layer.input}, memory);
  largeProduct(member, layer.input, width, rows, transposed(x, layer.input), plain(dz, width),
               {to.dKernel, width}, memory);
}

/**
 * The gradient of the weights that meet the state: columns `column` to `column + columns` of the recurrent matrix.
 * A step's state before is the output of its neighbour, but for each row's first step, which began with h0.
 * @param firsts memory for [batch, columns]
 */
inline void stateGradients(const Member& member, const Layer& layer, const float* h0, const float* states,
                           const float* dz, long width, long columns, float* dRecurrent, float* firsts,
                           float* memory) {
  const long hidden = layer.hidden;
  if (member.index == 0) {
    for (long b = 0; b < layer.batch; b++) {
      const long length = layer.lengths[b];
      const long first = layer.backward ? length - 1 : 0;
      if (length == 0)
        std::fill_n(firsts + b * columns, columns, 0.0f);
      else
        std::copy_n(dz + (first * layer.batch + b) * width, columns, firsts + b * columns);
    }
  }
  member.meet();
  largeProduct(member, hidden, columns, layer.batch, transposed(h0, hidden), plain(firsts, columns),
               {dRecurrent, width}, memory);
  if (layer.time < 2) return;
  const long size = layer.batch * hidden;
  largeProduct(member, hidden, columns, (layer.time - 1) * layer.batch,
               transposed(layer.backward ? states + size : states, hidden),
               plain(layer.backward ? dz : dz + layer.batch * width, width), {dRecurrent, width, true}, memory);
}

}  // namespace
}  // namespace dragoman
