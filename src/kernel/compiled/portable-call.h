// One run of one of our operations in WebAssembly.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <vector>

namespace dragoman {

/** A tensor in this memory, as JavaScript writes and reads it: src/engine/portable-kernels.ts. */
struct Place {
  static constexpr int MOST_AXES = 6;

  void* numbers;
  int32_t isWhole;
  int32_t rank;
  int32_t sizes[MOST_AXES];

  long count() const {
    long product = 1;
    for (int axis = 0; axis < rank; axis++) product *= sizes[axis];
    return product;
  }
};

/** Memory of whole vectors. */
inline void* allocate(long bytes) { return std::aligned_alloc(64, (bytes + 63) / 64 * 64); }

/** One run of an operation: its inputs, outputs, and what went wrong. */
class PortableCall {
 public:
  /** @param places of the inputs, and behind them those of the outputs, which get memory of their own */
  PortableCall(Place* places, int inputs) : inputs_(places), outputs_(places + inputs), count_(inputs) {}

  bool fine() const { return problem_.empty(); }
  const std::string& problem() const { return problem_; }

  int inputs() const { return count_; }
  long size(int input, int axis) const { return inputs_[input].sizes[axis]; }

  template <typename Number = float>
  const Number* input(int index, std::initializer_list<long> shape) {
    const Place& place = inputs_[index];
    bool fits = place.rank == static_cast<int>(shape.size()) && place.isWhole == std::is_same_v<Number, int32_t>;
    int axis = 0;
    for (const long wanted : shape) fits = fits && place.sizes[axis++] == wanted;
    if (!fits) fail("input " + std::to_string(index) + " has another shape than the others ask for");
    return static_cast<const Number*>(place.numbers);
  }

  const float* all(int index) const { return changed(index); }
  long count(int index) const { return inputs_[index].count(); }
  float* changed(int index) const { return static_cast<float*>(inputs_[index].numbers); }

  bool hasRank(int index, int rank) {
    if (inputs_[index].rank == rank) return true;
    fail("input " + std::to_string(index) + " has not " + std::to_string(rank) + " axes");
    return false;
  }

  long size(int input, int axis, int rank) { return hasRank(input, rank) ? size(input, axis) : 0; }

  template <typename Number = float>
  Number* output(int index, std::initializer_list<long> shape) {
    Place place{nullptr, std::is_same_v<Number, int32_t>, 0, {}};
    for (const long size : shape) place.sizes[place.rank++] = static_cast<int32_t>(size);
    return static_cast<Number*>(put(index, place));
  }

  float* outputLike(int index, int input) { return static_cast<float*>(put(index, inputs_[input])); }

  template <typename Number = int32_t>
  Number number(int index) {
    const Number* const value = input<Number>(index, {});
    return fine() ? *value : 0;
  }

  void fail(const std::string& message) {
    if (fine()) problem_ = message;
  }

 private:
  void* put(int index, Place place) {
    if (!fine()) return nullptr;
    place.numbers = allocate(4 * place.count());
    if (place.numbers == nullptr) fail("no memory is left");
    outputs_[index] = place;
    return place.numbers;
  }

  Place* const inputs_;
  Place* const outputs_;
  const int count_;
  std::string problem_;
};

}  // namespace dragoman
