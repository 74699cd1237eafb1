// What our operations do, whoever calls them: a `Call` has their inputs, and takes their outputs and what is wrong.
#pragma once
#include <algorithm>
#include <utility>

#include "choice.h"

namespace dragoman {
namespace {

/** Attributes of a layer's operations. */
struct Options {
  /** Whether each row is read from its last real step to its first. */
  bool backward;
  /** Whether the final states follow the states of all steps. */
  bool ends;
};

/**
 * The inputs that all layers begin with: x, kernel, recurrent, bias, h0, lengths.
 * @param gates a step has
 */
template <typename Call>
bool read(Call& call, const Options& options, long gates, LayerInputs& to) {
  if (!call.hasRank(0, 3) || !call.hasRank(4, 2)) return false;
  const long time = call.size(0, 0);
  const long batch = call.size(0, 1);
  const long input = call.size(0, 2);
  const long hidden = call.size(4, 1);
  to.x = call.input(0, {time, batch, input});
  to.weights.kernel = call.input(1, {input, gates * hidden});
  to.weights.recurrent = call.input(2, {hidden, gates * hidden});
  to.weights.bias = call.input(3, {gates * hidden});
  to.h0 = call.input(4, {batch, hidden});
  to.layer = {time, batch, input, hidden, options.backward, call.template input<int32_t>(5, {batch})};
  return call.fine();
}

template <typename Call>
LayerGradients gradientsOf(Call& call, const Layer& layer, long gates) {
  return {call.output(0, {layer.time, layer.batch, layer.input}), call.output(1, {layer.input, gates * layer.hidden}),
          call.output(2, {layer.hidden, gates * layer.hidden}), call.output(3, {gates * layer.hidden})};
}

template <typename Call>
void lstm(const Options& options, Call& call) {
  LstmForward run{};
  if (!read(call, options, 4, run)) return;
  const auto& [time, batch, input, hidden, backward, lengths] = run.layer;
  run.c0 = call.input(6, {batch, hidden});
  run.states = call.output(0, {options.ends ? time + 2 : time, batch, hidden});
  run.gates = call.output(1, {time, batch, 4 * hidden});
  run.cells = call.output(2, {time, batch, hidden});
  if (!call.fine()) return;
  run.hEnd = options.ends ? run.states + time * batch * hidden : nullptr;
  run.cEnd = options.ends ? run.hEnd + batch * hidden : nullptr;
  chosen().kernels->lstmForward(run);
}

template <typename Call>
void lstmGradient(const Options& options, Call& call) {
  LstmBackward run{};
  if (!read(call, options, 4, run)) return;
  const auto& [time, batch, input, hidden, backward, lengths] = run.layer;
  const long steps = options.ends ? time + 2 : time;
  run.c0 = call.input(6, {batch, hidden});
  run.states = call.input(7, {steps, batch, hidden});
  run.gates = call.input(8, {time, batch, 4 * hidden});
  run.cells = call.input(9, {time, batch, hidden});
  run.dStates = call.input(10, {steps, batch, hidden});
  run.gradients = gradientsOf(call, run.layer, 4);
  run.dh0 = call.output(4, {batch, hidden});
  run.dc0 = call.output(5, {batch, hidden});
  if (!call.fine()) return;
  run.dhEnd = options.ends ? run.dStates + time * batch * hidden : nullptr;
  run.dcEnd = options.ends ? run.dhEnd + batch * hidden : nullptr;
  chosen().kernels->lstmBackward(run);
}

template <typename Call>
void gru(const Options& options, Call& call) {
  GruForward run{};
  if (!read(call, options, 3, run)) return;
  const auto& [time, batch, input, hidden, backward, lengths] = run.layer;
  run.states = call.output(0, {options.ends ? time + 1 : time, batch, hidden});
  run.gates = call.output(1, {time, batch, 3 * hidden});
  if (!call.fine()) return;
  run.hEnd = options.ends ? run.states + time * batch * hidden : nullptr;
  chosen().kernels->gruForward(run);
}

template <typename Call>
void gruGradient(const Options& options, Call& call) {
  GruBackward run{};
  if (!read(call, options, 3, run)) return;
  const auto& [time, batch, input, hidden, backward, lengths] = run.layer;
  const long steps = options.ends ? time + 1 : time;
  run.states = call.input(6, {steps, batch, hidden});
  run.gates = call.input(7, {time, batch, 3 * hidden});
  run.dStates = call.input(8, {steps, batch, hidden});
  run.gradients = gradientsOf(call, run.layer, 3);
  run.dh0 = call.output(4, {batch, hidden});
  if (!call.fine()) return;
  run.dhEnd = options.ends ? run.dStates + time * batch * hidden : nullptr;
  chosen().kernels->gruBackward(run);
}

template <typename Call>
void bestOperation(const Options&, Call& call) {
  BestStep run{};
  run.rows = call.size(0, 0, 2);
  run.columns = call.size(0, 1, 2);
  run.k = std::min<long>(call.number(1), run.columns);
  run.logits = call.input(0, {run.rows, run.columns});
  run.ids = call.template output<int32_t>(0, {run.rows, run.k});
  run.values = call.output(1, {run.rows, run.k});
  run.normalisers = call.output(2, {run.rows});
  if (call.fine() && run.k > 0) chosen().kernels->bestStep(run);
}

/** The labels of so many rows, if each is one of the columns; else the call has failed. */
template <typename Call>
const int32_t* labelsOf(Call& call, int input, long rows, long columns) {
  const int32_t* const labels = call.template input<int32_t>(input, {rows});
  if (call.fine() && !std::all_of(labels, labels + rows, [=](int32_t label) { return label >= 0 && label < columns; }))
    call.fail("a label is none of the columns");
  return labels;
}

template <typename Call>
void meanLossOperation(const Options&, Call& call) {
  MeanLoss run{};
  run.rows = call.size(0, 0, 2);
  run.size = call.size(0, 1, 2);
  run.columns = call.size(2, 0, 1);
  run.smoothing = call.template number<float>(4);
  run.transposed = call.number(5) != 0;
  const auto [height, width] = run.transposed ? std::pair(run.columns, run.size) : std::pair(run.size, run.columns);
  run.o = call.input(0, {run.rows, run.size});
  run.matrix = call.input(1, {height, width});
  run.bias = call.input(2, {run.columns});
  run.labels = labelsOf(call, 3, run.rows, run.columns);
  if (run.rows == 0) call.fail("there is no row");
  run.losses = call.output(0, {2});
  run.dO = call.output(1, {run.rows, run.size});
  run.dMatrix = call.output(2, {height, width});
  run.dBias = call.output(3, {run.columns});
  if (call.fine()) chosen().kernels->meanLoss(run);
}

template <typename Call>
void labelScoresOperation(const Options&, Call& call) {
  LabelScores run{};
  run.rows = call.size(0, 0, 2);
  run.columns = call.size(0, 1, 2);
  run.products = call.input(0, {run.rows, run.columns});
  run.bias = call.input(1, {run.columns});
  run.labels = labelsOf(call, 2, run.rows, run.columns);
  run.scores = call.output(0, {run.rows});
  if (call.fine()) chosen().kernels->labelScores(run);
}

template <typename Call>
void dropoutOperation(const Options&, Call& call) {
  const int32_t* const seeds = call.template input<int32_t>(1, {2});
  const float rate = call.template number<float>(2);
  float* const y = call.outputLike(0, 0);
  if (call.fine()) chosen().kernels->dropout({call.count(0), seeds[0], seeds[1], rate, call.all(0), y});
}

template <typename Call>
void sumOfSquaresOperation(const Options&, Call& call) {
  float* const sum = call.output(0, {});
  if (call.fine()) chosen().kernels->sumOfSquares({call.count(0), call.all(0), sum});
}

template <typename Call>
void adamOperation(const Options&, Call& call) {
  for (int input = 1; input < 4; input++)
    if (call.count(input) != call.count(0)) call.fail("a parameter, its moments and its gradient differ in size");
  Adam run{call.count(0), call.template number<float>(4), call.template number<float>(5), call.template number<float>(6), call.template number<float>(7),
           call.all(0), call.changed(1), call.changed(2), call.all(3), nullptr};
  run.xAfter = call.outputLike(0, 0);
  if (call.fine()) chosen().kernels->adam(run);
}

template <typename Call>
void segmentSumOperation(const Options&, Call& call) {
  SegmentSum run{};
  run.rows = call.size(0, 0, 2);
  run.width = call.size(0, 1, 2);
  run.segments = call.number(2);
  run.values = call.input(0, {run.rows, run.width});
  run.ids = call.template input<int32_t>(1, {run.rows});
  run.sums = call.output(0, {run.segments, run.width});
  if (call.fine()) chosen().kernels->segmentSum(run);
}

}  // namespace
}  // namespace dragoman
