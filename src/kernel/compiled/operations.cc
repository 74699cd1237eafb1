// Kernels as operations of TensorFlow.
#include "operations.h"

#include <string>
#include <vector>

#include "bodies.h"
#include "call.h"
#include "tensorflow.h"

namespace dragoman {
namespace {

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

/** What TensorFlow calls: a body, with the options that its operation was made with. */
template <void (*body)(const Options&, Call&)>
void compute(void* kernel, TF_OpKernelContext* context) {
  Call call(context);
  body(kernel == nullptr ? Options{} : *static_cast<const Options*>(kernel), call);
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
  add("DragomanLstm", true, layer + Names{"c0"}, {"states", "gates", "cells"}, compute<lstm<Call>>, status);
  add("DragomanLstmGradient", true, layer + Names{"c0", "states", "gates", "cells", "by_states"}, weights + Names{"by_c0"},
      compute<lstmGradient<Call>>, status);
  add("DragomanGru", true, layer, {"states", "gates"}, compute<gru<Call>>, status);
  add("DragomanGruGradient", true, layer + Names{"states", "gates", "by_states"}, weights, compute<gruGradient<Call>>, status);
  add("DragomanBestStep", false, {"logits", "k"}, {"ids", "values", "normalisers"}, compute<bestOperation<Call>>, status);
  add("DragomanMeanLoss", false, {"o", "matrix", "bias", "labels", "smoothing", "transposed"},
      {"losses", "by_o", "by_matrix", "by_bias"}, compute<meanLossOperation<Call>>, status);
  add("DragomanLabelScores", false, {"products", "bias", "labels"}, {"scores"}, compute<labelScoresOperation<Call>>, status);
  add("DragomanDropout", false, {"x", "seeds", "rate"}, {"y"}, compute<dropoutOperation<Call>>, status);
  add("DragomanSumOfSquares", false, {"x"}, {"sum"}, compute<sumOfSquaresOperation<Call>>, status);
  add("DragomanAdam", false, {"x", "m", "v", "gradient", "rate", "beta1", "beta2", "epsilon"},
      {"x_after"}, compute<adamOperation<Call>>, status);
  add("DragomanSegmentSum", false, {"values", "ids", "segments"}, {"sums"}, compute<segmentSumOperation<Call>>, status);
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
