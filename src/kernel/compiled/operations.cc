// The kernels as operations of TensorFlow, registered when Node loads this addon.
#include <node_api.h>

#include <initializer_list>
#include <string>
#include <vector>

#include "layers.h"
#include "team.h"
#include "tensorflow.h"

namespace dragoman {

extern const Kernels baseline;
#ifdef DRAGOMAN_X64
extern const Kernels avx2;
extern const Kernels avx512;
#endif

namespace {

struct Choice {
  const char* processor;
  const Kernels& kernels;
};

/** The kernels for the processor that this runs on. */
Choice choose() {
#ifdef DRAGOMAN_X64
  const bool fma = __builtin_cpu_supports("fma");
  if (fma && __builtin_cpu_supports("avx512f")) return {"avx512", avx512};
  if (fma && __builtin_cpu_supports("avx2")) return {"avx2", avx2};
#endif
  return {"baseline", baseline};
}

const Choice chosen = choose();

/** Attributes of a layer's operations. */
struct Options {
  /** Whether each row is read from its last real step to its first. */
  bool backward;
  /** Whether the final states follow the states of all steps. */
  bool ends;
};

/** One run of an operation: its inputs, outputs, and what went wrong. */
class Call {
 public:
  explicit Call(TF_OpKernelContext* context) : context_(context), status_(TF_NewStatus()) {
    inputs_.resize(TF_NumInputs(context));
    for (size_t k = 0; k < inputs_.size(); k++) TF_GetInput(context, static_cast<int>(k), &inputs_[k], status_);
  }

  ~Call() {
    if (!fine()) TF_OpKernelContext_Failure(context_, status_);
    for (TF_Tensor* tensor : inputs_) TF_DeleteTensor(tensor);
    for (TF_Tensor* tensor : outputs_) TF_DeleteTensor(tensor);
    TF_DeleteStatus(status_);
  }

  bool fine() const { return TF_GetCode(status_) == TF_OK; }

  long size(int input, int axis) const { return TF_Dim(inputs_[input], axis); }

  /** The input's numbers, if it has this shape; else the call has failed. */
  template <typename Number = float>
  const Number* input(int index, std::initializer_list<long> shape) {
    TF_Tensor* const tensor = inputs_[index];
    bool fits = TF_NumDims(tensor) == static_cast<int>(shape.size());
    int axis = 0;
    for (const long wanted : shape) fits = fits && TF_Dim(tensor, axis++) == wanted;
    if (!fits) fail("input " + std::to_string(index) + " has another shape than the others ask for");
    return static_cast<const Number*>(TF_TensorData(tensor));
  }

  /** Whether the input has so many axes. */
  bool hasRank(int index, int rank) {
    if (TF_NumDims(inputs_[index]) == rank) return true;
    fail("input " + std::to_string(index) + " has not " + std::to_string(rank) + " axes");
    return false;
  }

  float* output(int index, std::initializer_list<long> shape) {
    if (!fine()) return nullptr;
    std::vector<int64_t> sizes(shape.begin(), shape.end());
    size_t bytes = sizeof(float);
    for (const int64_t one : sizes) bytes *= one;
    TF_Tensor* const tensor = TF_AllocateOutput(context_, index, TF_FLOAT, sizes.data(),
                                                static_cast<int>(sizes.size()), bytes, status_);
    if (!fine()) return nullptr;
    outputs_.push_back(tensor);
    return static_cast<float*>(TF_TensorData(tensor));
  }

 private:
  void fail(const std::string& message) { TF_SetStatus(status_, TF_INVALID_ARGUMENT, message.c_str()); }

  TF_OpKernelContext* const context_;
  TF_Status* const status_;
  std::vector<TF_Tensor*> inputs_;
  std::vector<TF_Tensor*> outputs_;
};

/** The inputs that all layers begin with: x, kernel, recurrent, bias, h0, lengths. */
struct Given {
  Layer layer;
  LayerWeights weights;
  const float* x;
  const float* h0;
  bool ends;
};

/** @param gates a step has */
bool read(Call& call, const Options& options, long gates, Given& given) {
  if (!call.hasRank(0, 3) || !call.hasRank(4, 2)) return false;
  const long time = call.size(0, 0);
  const long batch = call.size(0, 1);
  const long input = call.size(0, 2);
  const long hidden = call.size(4, 1);
  given.x = call.input(0, {time, batch, input});
  given.weights.kernel = call.input(1, {input, gates * hidden});
  given.weights.recurrent = call.input(2, {hidden, gates * hidden});
  given.weights.bias = call.input(3, {gates * hidden});
  given.h0 = call.input(4, {batch, hidden});
  given.layer = {time, batch, input, hidden, options.backward, call.input<int32_t>(5, {batch})};
  given.ends = options.ends;
  return call.fine();
}

LayerGradients gradientsOf(Call& call, const Layer& layer, long gates) {
  return {call.output(0, {layer.time, layer.batch, layer.input}), call.output(1, {layer.input, gates * layer.hidden}),
          call.output(2, {layer.hidden, gates * layer.hidden}), call.output(3, {gates * layer.hidden})};
}

void lstm(void* kernel, TF_OpKernelContext* context) {
  Call call(context);
  Given given;
  if (!read(call, *static_cast<Options*>(kernel), 4, given)) return;
  const auto& [time, batch, input, hidden, backward, lengths] = given.layer;
  LstmForward run{};
  run.layer = given.layer;
  run.weights = given.weights;
  run.x = given.x;
  run.h0 = given.h0;
  run.c0 = call.input(6, {batch, hidden});
  run.states = call.output(0, {given.ends ? time + 2 : time, batch, hidden});
  run.gates = call.output(1, {time, batch, 4 * hidden});
  run.cells = call.output(2, {time, batch, hidden});
  if (!call.fine()) return;
  run.hEnd = given.ends ? run.states + time * batch * hidden : nullptr;
  run.cEnd = given.ends ? run.hEnd + batch * hidden : nullptr;
  chosen.kernels.lstmForward(run);
}

void lstmGradient(void* kernel, TF_OpKernelContext* context) {
  Call call(context);
  Given given;
  if (!read(call, *static_cast<Options*>(kernel), 4, given)) return;
  const auto& [time, batch, input, hidden, backward, lengths] = given.layer;
  const long steps = given.ends ? time + 2 : time;
  LstmBackward run{};
  run.layer = given.layer;
  run.weights = given.weights;
  run.x = given.x;
  run.h0 = given.h0;
  run.c0 = call.input(6, {batch, hidden});
  run.states = call.input(7, {steps, batch, hidden});
  run.gates = call.input(8, {time, batch, 4 * hidden});
  run.cells = call.input(9, {time, batch, hidden});
  run.dStates = call.input(10, {steps, batch, hidden});
  run.gradients = gradientsOf(call, given.layer, 4);
  run.dh0 = call.output(4, {batch, hidden});
  run.dc0 = call.output(5, {batch, hidden});
  if (!call.fine()) return;
  run.dhEnd = given.ends ? run.dStates + time * batch * hidden : nullptr;
  run.dcEnd = given.ends ? run.dhEnd + batch * hidden : nullptr;
  chosen.kernels.lstmBackward(run);
}

void gru(void* kernel, TF_OpKernelContext* context) {
  Call call(context);
  Given given;
  if (!read(call, *static_cast<Options*>(kernel), 3, given)) return;
  const auto& [time, batch, input, hidden, backward, lengths] = given.layer;
  GruForward run{};
  run.layer = given.layer;
  run.weights = given.weights;
  run.x = given.x;
  run.h0 = given.h0;
  run.states = call.output(0, {given.ends ? time + 1 : time, batch, hidden});
  run.gates = call.output(1, {time, batch, 3 * hidden});
  if (!call.fine()) return;
  run.hEnd = given.ends ? run.states + time * batch * hidden : nullptr;
  chosen.kernels.gruForward(run);
}

void gruGradient(void* kernel, TF_OpKernelContext* context) {
  Call call(context);
  Given given;
  if (!read(call, *static_cast<Options*>(kernel), 3, given)) return;
  const auto& [time, batch, input, hidden, backward, lengths] = given.layer;
  const long steps = given.ends ? time + 1 : time;
  GruBackward run{};
  run.layer = given.layer;
  run.weights = given.weights;
  run.x = given.x;
  run.h0 = given.h0;
  run.states = call.input(6, {steps, batch, hidden});
  run.gates = call.input(7, {time, batch, 3 * hidden});
  run.dStates = call.input(8, {steps, batch, hidden});
  run.gradients = gradientsOf(call, given.layer, 3);
  run.dh0 = call.output(4, {batch, hidden});
  if (!call.fine()) return;
  run.dhEnd = given.ends ? run.dStates + time * batch * hidden : nullptr;
  chosen.kernels.gruBackward(run);
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

/** As TensorFlow writes an input or output: lengths are whole numbers, everything else is floats. */
std::string typed(const std::string& name) { return name + (name == "lengths" ? ": int32" : ": float"); }

/** Registers an operation, unless one before it failed. */
void add(const char* name, const Names& inputs, const Names& outputs, Compute compute, TF_Status* status) {
  if (TF_GetCode(status) != TF_OK) return;
  TF_OpDefinitionBuilder* const definition = TF_NewOpDefinitionBuilder(name);
  for (const auto& input : inputs) TF_OpDefinitionBuilderAddInput(definition, typed(input).c_str());
  for (const auto& output : outputs) TF_OpDefinitionBuilderAddOutput(definition, typed(output).c_str());
  for (const char* attribute : {"backward: bool", "ends: bool"}) TF_OpDefinitionBuilderAddAttr(definition, attribute);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(definition, unknownShapes);
  TF_RegisterOpDefinition(definition, status);
  if (TF_GetCode(status) != TF_OK) return;
  TF_RegisterKernelBuilder(name, TF_NewKernelBuilder(name, "CPU", create, compute, destroy), status);
}

/** What went wrong, empty if nothing. Once a process, however many of Node's workers load the addon. */
std::string addAll() {
  TF_Status* const status = TF_NewStatus();
  const Names layer = {"x", "kernel", "recurrent", "bias", "h0", "lengths"};
  const Names weights = {"by_x", "by_kernel", "by_recurrent", "by_bias", "by_h0"};
  add("DragomanLstm", layer + Names{"c0"}, {"states", "gates", "cells"}, lstm, status);
  add("DragomanLstmGradient", layer + Names{"c0", "states", "gates", "cells", "by_states"}, weights + Names{"by_c0"},
      lstmGradient, status);
  add("DragomanGru", layer, {"states", "gates"}, gru, status);
  add("DragomanGruGradient", layer + Names{"states", "gates", "by_states"}, weights, gruGradient, status);
  const std::string problem = TF_GetCode(status) == TF_OK ? "" : TF_Message(status);
  TF_DeleteStatus(status);
  return problem;
}

/** setThreads(count) for JavaScript. */
napi_value setThreadsFrom(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value value;
  int32_t number = 1;
  if (napi_get_cb_info(env, info, &count, &value, nullptr, nullptr) == napi_ok && count == 1 &&
      napi_get_value_int32(env, value, &number) == napi_ok && number >= 1)
    setThreads(number);
  else
    napi_throw_type_error(env, nullptr, "expected a number of threads from 1");
  return nullptr;
}

}  // namespace
}  // namespace dragoman

NAPI_MODULE_INIT() {
  static const std::string problem = dragoman::addAll();
  if (!problem.empty()) {
    napi_throw_error(env, nullptr, problem.c_str());
    return nullptr;
  }
  napi_value function;
  napi_create_function(env, "setThreads", NAPI_AUTO_LENGTH, dragoman::setThreadsFrom, nullptr, &function);
  napi_set_named_property(env, exports, "setThreads", function);
  napi_value processor;
  napi_create_string_utf8(env, dragoman::chosen.processor, NAPI_AUTO_LENGTH, &processor);
  napi_set_named_property(env, exports, "processor", processor);
  return exports;
}
