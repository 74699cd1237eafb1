// Kernels as operations of TensorFlow.
#include "operations.h"
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "call.h"
#include "choice.h"
#include "tensorflow.h"

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
  to.layer = {time, batch, input, hidden, options.backward, call.input<int32_t>(5, {batch})};
  return call.fine();
}

LayerGradients gradientsOf(Call& call, const Layer& layer, long gates) {
  return {call.output(0, {layer.time, layer.batch, layer.input}), call.output(1, {layer.input, gates * layer.hidden}),
          call.output(2, {layer.hidden, gates * layer.hidden}), call.output(3, {gates * layer.hidden})};
}

void lstm(void* kernel, TF_OpKernelContext* context) {
  const Options& options = *static_cast<Options*>(kernel);
  Call call(context);
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

void lstmGradient(void* kernel, TF_OpKernelContext* context) {
  const Options& options = *static_cast<Options*>(kernel);
  Call call(context);
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

void gru(void* kernel, TF_OpKernelContext* context) {
  const Options& options = *static_cast<Options*>(kernel);
  Call call(context);
  GruForward run{};
  if (!read(call, options, 3, run)) return;
  const auto& [time, batch, input, hidden, backward, lengths] = run.layer;
  run.states = call.output(0, {options.ends ? time + 1 : time, batch, hidden});
  run.gates = call.output(1, {time, batch, 3 * hidden});
  if (!call.fine()) return;
  run.hEnd = options.ends ? run.states + time * batch * hidden : nullptr;
  chosen().kernels->gruForward(run);
}

void gruGradient(void* kernel, TF_OpKernelContext* context) {
  const Options& options = *static_cast<Options*>(kernel);
  Call call(context);
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

void bestOperation(void*, TF_OpKernelContext* context) {
  Call call(context);
  BestStep run{};
  run.rows = call.size(0, 0, 2);
  run.columns = call.size(0, 1, 2);
  run.k = std::min<long>(call.number(1), run.columns);
  run.logits = call.input(0, {run.rows, run.columns});
  run.ids = call.output<int32_t>(0, {run.rows, run.k});
  run.values = call.output(1, {run.rows, run.k});
  run.normalisers = call.output(2, {run.rows});
  if (call.fine() && run.k > 0) chosen().kernels->bestStep(run);
}

/** The labels of so many rows, if each is one of the columns; else the call has failed. */
const int32_t* labelsOf(Call& call, int input, long rows, long columns) {
  const int32_t* const labels = call.input<int32_t>(input, {rows});
  if (call.fine() && !std::all_of(labels, labels + rows, [=](int32_t label) { return label >= 0 && label < columns; }))
    call.fail("a label is none of the columns");
  return labels;
}

void meanLossOperation(void*, TF_OpKernelContext* context) {
  Call call(context);
  MeanLoss run{};
  run.rows = call.size(0, 0, 2);
  run.size = call.size(0, 1, 2);
  run.columns = call.size(2, 0, 1);
  run.smoothing = call.number<float>(4);
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

void labelScoresOperation(void*, TF_OpKernelContext* context) {
  Call call(context);
  LabelScores run{};
  run.rows = call.size(0, 0, 2);
  run.columns = call.size(0, 1, 2);
  run.products = call.input(0, {run.rows, run.columns});
  run.bias = call.input(1, {run.columns});
  run.labels = labelsOf(call, 2, run.rows, run.columns);
  run.scores = call.output(0, {run.rows});
  if (call.fine()) chosen().kernels->labelScores(run);
}

void dropoutOperation(void*, TF_OpKernelContext* context) {
  Call call(context);
  const int32_t* const seeds = call.input<int32_t>(1, {2});
  const float rate = call.number<float>(2);
  float* const y = call.outputLike(0, 0);
  if (call.fine()) chosen().kernels->dropout({call.count(0), seeds[0], seeds[1], rate, call.all(0), y});
}

void sumOfSquaresOperation(void*, TF_OpKernelContext* context) {
  Call call(context);
  float* const sum = call.output(0, {});
  if (call.fine()) chosen().kernels->sumOfSquares({call.count(0), call.all(0), sum});
}

void adamOperation(void*, TF_OpKernelContext* context) {
  Call call(context);
  for (int input = 1; input < 4; input++)
    if (call.count(input) != call.count(0)) call.fail("a parameter, its moments and its gradient differ in size");
  Adam run{call.count(0), call.number<float>(4), call.number<float>(5), call.number<float>(6), call.number<float>(7),
           call.all(0), call.changed(1), call.changed(2), call.all(3), nullptr};
  run.xAfter = call.outputLike(0, 0);
  if (call.fine()) chosen().kernels->adam(run);
}

void segmentSumOperation(void*, TF_OpKernelContext* context) {
  Call call(context);
  SegmentSum run{};
  run.rows = call.size(0, 0, 2);
  run.width = call.size(0, 1, 2);
  run.segments = call.number(2);
  run.values = call.input(0, {run.rows, run.width});
  run.ids = call.input<int32_t>(1, {run.rows});
  run.sums = call.output(0, {run.segments, run.width});
  if (call.fine()) chosen().kernels->segmentSum(run);
}

void* create(TF_OpKernelConstruction* construction) {
  TF_Status* const status = TF_NewStatus();
  const auto read = [&](const char* name) {
    unsigned char value = 0;
    TF_OpKernelConstruction_GetAttrBool(construction, name, &value, status);
    return value != 0;
  };
  auto* const options = new Options{read("backward"), read("ends")};
  if (TF_GetCode(status) != TF_OK) TF_OpKernelConstruction_Failure(construction, status);
  TF_DeleteStatus(status);
  return options;
}

void destroy(void* kernel) { delete static_cast<Options*>(kernel); }

void unknownShapes(TF_ShapeInferenceContext* context, TF_Status* status) {
  TF_ShapeInferenceContextSetUnknownShape(context, status);
}

using Compute = void (*)(void*, TF_OpKernelContext*);

using Names = std::vector<std::string>;

Names operator+(Names first, const Names& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

/** As TensorFlow writes an input or output: these few are whole numbers, everything else is floats. */
std::string typed(const std::string& name) {
  for (const char* const whole : {"lengths", "k", "ids", "labels", "transposed", "seeds", "segments"})
    if (name == whole) return name + ": int32";
  return name + ": float";
}

/** Registers an operation, unless one before it failed. @param isLayer whether it has the {@link Options} */
void add(const char* name, bool isLayer, const Names& inputs, const Names& outputs, Compute compute,
         TF_Status* status) {
  if (TF_GetCode(status) != TF_OK) return;
  TF_OpDefinitionBuilder* const definition = TF_NewOpDefinitionBuilder(name);
  for (const auto& input : inputs) TF_OpDefinitionBuilderAddInput(definition, typed(input).c_str());
  for (const auto& output : outputs) TF_OpDefinitionBuilderAddOutput(definition, typed(output).c_str());
  if (isLayer)
    for (const char* attribute : {"backward: bool", "ends: bool"})
      TF_OpDefinitionBuilderAddAttr(definition, attribute);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(definition, unknownShapes);
  TF_RegisterOpDefinition(definition, status);
  if (TF_GetCode(status) != TF_OK) return;
  TF_KernelBuilder* const builder =
      TF_NewKernelBuilder(name, "CPU", isLayer ? create : nullptr, compute, isLayer ? destroy : nullptr);
  TF_RegisterKernelBuilder(name, builder, status);
}

/** What went wrong, empty if nothing. */
std::string addAll() {
  TF_Status* const status = TF_NewStatus();
  const Names layer = {"x", "kernel", "recurrent", "bias", "h0", "lengths"};
  const Names weights = {"by_x", "by_kernel", "by_recurrent", "by_bias", "by_h0"};
  add("DragomanLstm", true, layer + Names{"c0"}, {"states", "gates", "cells"}, lstm, status);
  add("DragomanLstmGradient", true, layer + Names{"c0", "states", "gates", "cells", "by_states"}, weights + Names{"by_c0"},
      lstmGradient, status);
  add("DragomanGru", true, layer, {"states", "gates"}, gru, status);
  add("DragomanGruGradient", true, layer + Names{"states", "gates", "by_states"}, weights, gruGradient, status);
  add("DragomanBestStep", false, {"logits", "k"}, {"ids", "values", "normalisers"}, bestOperation, status);
  add("DragomanMeanLoss", false, {"o", "matrix", "bias", "labels", "smoothing", "transposed"},
      {"losses", "by_o", "by_matrix", "by_bias"}, meanLossOperation, status);
  add("DragomanLabelScores", false, {"products", "bias", "labels"}, {"scores"}, labelScoresOperation, status);
  add("DragomanDropout", false, {"x", "seeds", "rate"}, {"y"}, dropoutOperation, status);
  add("DragomanSumOfSquares", false, {"x"}, {"sum"}, sumOfSquaresOperation, status);
  add("DragomanAdam", false, {"x", "m", "v", "gradient", "rate", "beta1", "beta2", "epsilon"},
      {"x_after"}, adamOperation, status);
  add("DragomanSegmentSum", false, {"values", "ids", "segments"}, {"sums"}, segmentSumOperation, status);
  const std::string problem = TF_GetCode(status) == TF_OK ? "" : TF_Message(status);
  TF_DeleteStatus(status);
  return problem;
}

}  // namespace

const std::string& whyNoOperations() {
  static const std::string problem = addAll();
  return problem;
}

}  // namespace dragoman
