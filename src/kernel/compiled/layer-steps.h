// What the kernels of all layers have in common.
#pragma once
#include "layers.h"
#include "pieces.h"
#include "product.h"

namespace dragoman {
namespace {

/** Multiplications from which to wake other threads takes less time than they save. */
constexpr double SHARED_WORK = 4e6;

/** Runs work with products with as many threads as it is worth. */
template <typename Work>
void runShared(double multiplications, const Work& work) {
  multiplications < SHARED_WORK ? alone(withRegisters(work)) : together(withRegisters(work));
}

/** Runs the work of a layer. @param width columns of all gates */
template <typename Work>
void runLayer(const Layer& layer, long width, const Work& work) {
  const double rows = static_cast<double>(layer.time) * layer.batch;
  runShared(rows * (layer.input + layer.hidden) * width, work);
}

/** What every gate of a step gives back to the states before it; of two steps, since threads are at most one apart. */
template <int GATES>
class GateRows {
 public:
  GateRows(long batch, long hidden, Pieces& pieces) : batch_(batch), hidden_(hidden) {
    for (float*& part : parts_) part = pieces.take(rowsSize(batch, hidden));
  }

  PackedRows of(long step, int gate) const { return {batch_, hidden_, parts_[step % 2 * GATES + gate]}; }

 private:
  const long batch_;
  const long hidden_;
  float* parts_[2 * GATES];
};

/** A panel's columns of a matrix [rows, hidden] to the same place of another; of null, zeros. */
inline void copyPanel(long panel, const float* from, float* to, long rows, long hidden) {
  const long width = widthOf(panel, hidden);
  for (long b = 0; b < rows; b++) {
    const long at = b * hidden + panel * PANEL;
    if (from == nullptr)
      std::fill_n(to + at, width, 0.0f);
    else
      std::copy_n(from + at, width, to + at);
  }
}

/** The n-th step that a layer reads. */
inline long stepRead(const Layer& layer, long n) { return layer.backward ? layer.time - 1 - n : n; }

/** The step that real step t of row b comes after; -1 for the row's first. */
inline long previousStep(const Layer& layer, long b, long t) {
  if (!layer.backward) return t - 1;
  return t + 1 < layer.lengths[b] ? t + 1 : -1;
}

/** A panel's part of the biases' gradients, before anything is added to it. */
inline void clearBias(long panel, const LayerGradients& to, int gates, long hidden) {
  for (int gate = 0; gate < gates; gate++)
    std::fill_n(to.dBias + gate * hidden + panel * PANEL, widthOf(panel, hidden), 0.0f);
}

inline void addToBias(const LayerGradients& gradients, long column, V value, long count) {
  float* const to = gradients.dBias + column;
  store(to, load(to, count) + value, count);
}

/** x W for all steps, into the gates' place. @param width columns of all gates */
inline void projectInput(const Member& member, const LayerInputs& in, long width, float* gates, float* memory) {
  const long input = in.layer.input;
  largeProduct(member, in.layer.time * in.layer.batch, width, input, plain(in.x, input),
               plain(in.weights.kernel, width), {gates, width}, memory);
}

/** Gradients of the input and of its weights, from those of the gates `dz` [time, batch, width]. */
inline void inputGradients(const Member& member, const LayerInputs& in, const float* dz, long width,
                           const LayerGradients& to, float* memory) {
  const long rows = in.layer.time * in.layer.batch;
  const long input = in.layer.input;
  largeProduct(member, rows, input, width, plain(dz, width), transposed(in.weights.kernel, width), {to.dx, input},
               memory);
  largeProduct(member, input, width, rows, transposed(in.x, input), plain(dz, width), {to.dKernel, width}, memory);
}

/**
 * The gradient of the weights that meet the state: the first `columns` columns of the recurrent matrix.
 * A step's state before is the output of its neighbour, but for each row's first step, which began with h0.
 * @param firsts memory for [batch, columns]
 */
inline void stateGradients(const Member& member, const LayerInputs& in, const float* states, const float* dz,
                           long width, long columns, const LayerGradients& to, float* firsts, float* memory) {
  const auto& layer = in.layer;
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
  largeProduct(member, hidden, columns, layer.batch, transposed(in.h0, hidden), plain(firsts, columns),
               {to.dRecurrent, width}, memory);
  if (layer.time < 2) return;
  const float* const before = layer.backward ? states + layer.batch * hidden : states;
  const float* const after = layer.backward ? dz : dz + layer.batch * width;
  largeProduct(member, hidden, columns, (layer.time - 1) * layer.batch, transposed(before, hidden),
               plain(after, width), {to.dRecurrent, width, true}, memory);
}

}  // namespace
}  // namespace dragoman
