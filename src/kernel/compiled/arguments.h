// Arguments of a function that JavaScript calls.
#pragma once
#include <node_api.h>

#include <string>
#include <vector>

namespace dragoman {

/** Reads typed arrays one after another, each of the length that is expected. After the first that is not, JavaScript has an error. */
class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info, size_t count) : env_(env), values_(count) {
    size_t given = count;
    if (napi_get_cb_info(env, info, &given, values_.data(), nullptr, nullptr) != napi_ok || given != count)
      fail(std::to_string(count) + " arguments");
  }

  bool fine() const { return fine_; }

  /** The elements of the next argument, an array. */
  Arguments list() {
    const napi_value array = next();
    uint32_t length = 0;
    Arguments elements(env_);
    if (!fine_ || napi_get_array_length(env_, array, &length) != napi_ok) fail("an array");
    elements.values_.resize(length);
    for (uint32_t k = 0; k < length; k++) napi_get_element(env_, array, k, &elements.values_[k]);
    elements.fine_ = fine_;
    return elements;
  }

  /** Arguments that have not been read. */
  size_t left() const { return values_.size() - at_; }

  /** Of the next argument, an array; 0 of anything else. */
  long length() {
    size_t size = 0;
    if (fine_ && at_ < values_.size()) napi_get_typedarray_info(env_, values_[at_], nullptr, &size, nullptr, nullptr, nullptr);
    return static_cast<long>(size);
  }

  const float* floats(long length) { return static_cast<const float*>(array(napi_float32_array, length)); }
  float* written(long length) { return static_cast<float*>(array(napi_float32_array, length)); }
  const int32_t* integers(long length) { return static_cast<const int32_t*>(array(napi_int32_array, length)); }
  int32_t* writtenIntegers(long length) { return static_cast<int32_t*>(array(napi_int32_array, length)); }

  /** Integers, each from 0 to below a limit. */
  const int32_t* places(long length, long limit) {
    const int32_t* const numbers = integers(length);
    for (long k = 0; fine_ && k < length; k++)
      if (numbers[k] < 0 || numbers[k] >= limit) fail("numbers below " + std::to_string(limit));
    return numbers;
  }

  int64_t number() {
    int64_t value = 0;
    if (napi_get_value_int64(env_, next(), &value) != napi_ok || value < 0) fail("a number from 0");
    return value;
  }

  bool boolean() {
    bool value = false;
    if (napi_get_value_bool(env_, next(), &value) != napi_ok) fail("a boolean");
    return value;
  }

  std::string text() {
    char characters[32];
    if (napi_get_value_string_utf8(env_, next(), characters, sizeof characters, nullptr) != napi_ok) fail("a text");
    return fine_ ? characters : "";
  }

  void fail(const std::string& expected) {
    if (fine_) napi_throw_type_error(env_, nullptr, ("argument " + std::to_string(at_) + ": expected " + expected).c_str());
    fine_ = false;
  }

 private:
  explicit Arguments(napi_env env) : env_(env) {}

  napi_value next() {
    if (at_ >= values_.size()) fail("more arguments");
    return fine_ ? values_[at_++] : nullptr;
  }

  void* array(napi_typedarray_type wanted, long length) {
    const napi_value value = next();
    napi_typedarray_type type;
    size_t size = 0;
    void* data = nullptr;
    const bool isArray =
        fine_ && napi_get_typedarray_info(env_, value, &type, &size, &data, nullptr, nullptr) == napi_ok;
    if (!isArray || type != wanted || static_cast<long>(size) != length)
      fail("an array of " + std::to_string(length) + (isArray ? " numbers, got one of " + std::to_string(size) : ""));
    return fine_ ? data : nullptr;
  }

  const napi_env env_;
  std::vector<napi_value> values_;
  size_t at_ = 0;
  bool fine_ = true;
};

}  // namespace dragoman
