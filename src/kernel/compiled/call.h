// One run of one of our operations by TensorFlow.
#pragma once
#include <initializer_list>
#include <string>
#include <type_traits>
#include <vector>

#include "tensorflow.h"

namespace dragoman {

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

  int inputs() const { return static_cast<int>(inputs_.size()); }

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

  /** The input's numbers, whatever its shape, and how many there are. */
  const float* all(int index) const { return static_cast<const float*>(TF_TensorData(inputs_[index])); }
  long count(int index) const { return TF_TensorElementCount(inputs_[index]); }

  bool isEmpty(int index) const { return count(index) == 0; }

  /** The numbers of an input that is changed in its place: of a variable that nobody else reads. */
  float* changed(int index) const { return static_cast<float*>(TF_TensorData(inputs_[index])); }

  /** Whether the input has so many axes. */
  bool hasRank(int index, int rank) {
    if (TF_NumDims(inputs_[index]) == rank) return true;
    fail("input " + std::to_string(index) + " has not " + std::to_string(rank) + " axes");
    return false;
  }

  /** An axis of an input that has so many. */
  long size(int input, int axis, int rank) { return hasRank(input, rank) ? size(input, axis) : 0; }

  template <typename Number = float>
  Number* output(int index, std::initializer_list<long> shape) {
    return output<Number>(index, std::vector<int64_t>(shape.begin(), shape.end()));
  }

  /** An output of an input's shape. */
  float* outputLike(int index, int input) {
    std::vector<int64_t> sizes(TF_NumDims(inputs_[input]));
    for (size_t axis = 0; axis < sizes.size(); axis++) sizes[axis] = TF_Dim(inputs_[input], static_cast<int>(axis));
    return output<float>(index, sizes);
  }

  template <typename Number>
  Number* output(int index, const std::vector<int64_t>& sizes) {
    if (!fine()) return nullptr;
    size_t bytes = sizeof(Number);
    for (const int64_t one : sizes) bytes *= one;
    TF_Tensor* const tensor = TF_AllocateOutput(context_, index, std::is_same_v<Number, float> ? TF_FLOAT : TF_INT32,
                                                sizes.data(), static_cast<int>(sizes.size()), bytes, status_);
    if (!fine()) return nullptr;
    outputs_.push_back(tensor);
    return static_cast<Number*>(TF_TensorData(tensor));
  }

  /** The only number of an input. */
  template <typename Number = int32_t>
  Number number(int index) {
    const Number* const value = input<Number>(index, {});
    return fine() ? *value : 0;
  }

  void fail(const std::string& message) { TF_SetStatus(status_, TF_INVALID_ARGUMENT, message.c_str()); }

 private:
  TF_OpKernelContext* const context_;
  TF_Status* const status_;
  std::vector<TF_Tensor*> inputs_;
  std::vector<TF_Tensor*> outputs_;
};

}  // namespace dragoman
